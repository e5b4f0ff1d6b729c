#include "net/hooks/hook_events.hpp"

#include "net/hooks/hook_limits.hpp"
#include "net/hooks/hook_log.hpp"
#include "net/hooks/hook_signature.hpp"
#include "net/log_text.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace canang::net {

hook_events::hook_events(boost::asio::io_context& io, const hook_settings& settings,
                         hook_metrics& metrics, hook_pool& pool, hook_kind what)
  : settings_(settings), counts_(metrics.of(what)), pool_(pool), what_(what), timer_(io) {}

/// The one thing at a time that time decides about. What was waited for before counts no more, though its time may be over
/// already.
template <class Then>
void hook_events::wait(std::chrono::milliseconds time, Then then) {
  timer_.expires_after(time);
  timer_.async_wait([this, then, mine = ++waits_](const boost::system::error_code& ec) {
    if (!ec && mine == waits_)
      (this->*then)();
  });
}

void hook_events::wait_no_more() {
  ++waits_;
  timer_.cancel();
}

void hook_events::take(std::string&& event) {
  waiting_.push_back(std::move(event));
  if (stage_ == stage::idle)
    gather();
  else if (stage_ == stage::gathering && waiting_.size() >= max_events_in_request)
    tell();
}

void hook_events::gather() {
  stage_ = stage::gathering;
  if (finished_ || waiting_.size() >= max_events_in_request)
    tell();
  else
    wait(settings_.event_gathering, &hook_events::tell);
}

void hook_events::tell() {
  if (batch_.events == 0)
    fill_batch();
  ++batch_.tries;
  asked_at_ = clock::now();
  stage_ = stage::telling;
  auto old = pool_.take_old(what_);
  is_link_old_ = old != nullptr;
  wait(settings_.timeout, &hook_events::on_timeout);
  send(old ? std::move(old) : pool_.make_new(what_));
}

/// At least one, however long.
void hook_events::fill_batch() {
  batch_ = {.body = R"({"events":[)"};
  while (!waiting_.empty() && batch_.events < max_events_in_request) {
    const auto& next = waiting_.front();
    if (batch_.events > 0) {
      if (batch_.body.size() + next.size() > max_event_request_bytes)
        break;
      batch_.body += ',';
    }
    batch_.body += next;
    batch_.bytes += next.size();
    ++batch_.events;
    waiting_.pop_front();
  }
  batch_.body += "]}";
}

void hook_events::send(std::shared_ptr<hook_link> over) {
  link_ = std::move(over);
  link_->send(signed_hook_message(settings_.secret, batch_.body), settings_.of(what_)->target,
              [this](hook_reply&& reply) { on_reply(std::move(reply)); });
}

/// A server may close a connection just when it is used again: that is no failed try.
void hook_events::on_reply(hook_reply&& reply) {
  auto link = std::exchange(link_, nullptr);
  if (reply.result == hook_result_kind::unreachable && reply.is_unheard && is_link_old_) {
    is_link_old_ = false;
    send(pool_.make_new(what_));
    return;
  }
  wait_no_more();
  if (reply.result == hook_result_kind::ok) {
    pool_.give_back(what_, std::move(link));
    on_taken();
  } else {
    on_failed(reply.result, reply.why);
  }
}

void hook_events::on_timeout() {
  std::exchange(link_, nullptr)->close();
  on_failed(hook_result_kind::timeout, "there was no answer in time");
}

void hook_events::on_taken() {
  count(hook_result_kind::ok);
  counts_.events_total.add(batch_.events);
  release(batch_.events, batch_.bytes);
  batch_ = {};
  reasons_.clear();
  go_on();
}

void hook_events::on_failed(hook_result_kind result, const std::string& why) {
  count(result);
  warn_of_hook(reasons_, what_, settings_, why);
  if (finished_ || batch_.tries >= most_event_tries) {
    give_up(why);
    return;
  }
  stage_ = stage::pausing;
  wait(std::min(longest_event_pause, settings_.event_pause * (1U << (batch_.tries - 1))),
       &hook_events::tell);
}

/// At the end all the others would fail as well.
void hook_events::give_up(const std::string& why) {
  auto events = batch_.events;
  auto bytes = batch_.bytes;
  if (finished_)
    for (; !waiting_.empty(); waiting_.pop_front()) {
      ++events;
      bytes += waiting_.front().size();
    }
  spdlog::warn("hook {}: {} events are lost, since {} does not take them: {}", to_string(what_),
               events, settings_.of(what_)->shown, log_line(why));
  counts_.events_dropped.add(events);
  release(events, bytes);
  batch_ = {};
  go_on();
}

void hook_events::go_on() {
  if (!waiting_.empty()) {
    gather();
    return;
  }
  stage_ = stage::idle;
  if (finished_)
    finished_();
}

void hook_events::finish(std::function<void()> done) {
  finished_ = std::move(done);
  if (stage_ == stage::idle)
    finished_();
  else if (stage_ != stage::telling)
    tell();
}

void hook_events::count(hook_result_kind result) {
  counts_.requests_total[static_cast<std::size_t>(result)].add(1);
  counts_.duration.observe_ns(static_cast<std::uint64_t>(
    std::chrono::duration_cast<std::chrono::nanoseconds>(clock::now() - asked_at_).count()));
}

void hook_events::release(std::size_t events, std::size_t bytes) {
  counts_.events_waiting.subtract(events);
  counts_.event_bytes.subtract(bytes);
}

} // namespace canang::net
