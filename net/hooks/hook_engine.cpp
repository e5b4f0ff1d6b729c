#include "net/hooks/hook_engine.hpp"

#include "net/hooks/hook_limits.hpp"
#include "net/hooks/hook_log.hpp"
#include "net/hooks/hook_signature.hpp"
#include "net/tracing/tracer.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <variant>

namespace canang::net {

namespace {

/// The program may have it go on in another trace, or in none.
std::optional<trace_context> trace_after(const std::optional<trace_context>& asked,
                                         std::string_view answered) {
  const auto theirs = parse_traceparent(answered);
  if (!theirs)
    return asked;
  return theirs->is_sampled ? theirs : std::nullopt;
}

/// Whether it is an answer that counts.
bool is_answer(hook_result_kind result) noexcept {
  return result == hook_result_kind::ok || result == hook_result_kind::error
         || result == hook_result_kind::disconnect;
}

} // namespace

/// One question, from `take` until it is answered.
struct hook_caller::engine::errand {
  errand(boost::asio::io_context& io, hook_order&& of, clock::time_point at)
    : order(std::move(of)), began(at), limit(io) {}

  hook_order order;
  const clock::time_point began;
  boost::asio::steady_timer limit;
  std::shared_ptr<hook_link> link{}; // null: it waits, or is over
  bool is_link_old = false;          // it had carried others
  bool is_started = false;
  bool is_over = false;
};

hook_caller::engine::engine(boost::asio::io_context& io, const hook_settings& settings,
                            hook_metrics& metrics)
  : io_(io), settings_(settings), metrics_(metrics), pool_(io, settings, metrics), end_(io) {
  for (const auto what : {hook_kind::disconnect, hook_kind::rooms})
    if (settings_.of(what))
      events_[static_cast<std::size_t>(what)].emplace(io, settings, metrics, pool_, what);
}

hook_caller::engine::hook& hook_caller::engine::of(const errand& one) {
  return hooks_[static_cast<std::size_t>(one.order.what)];
}

void hook_caller::engine::take(hook_order&& order, clock::time_point began) {
  const auto one = std::make_shared<errand>(io_, std::move(order), began);
  auto& kind = of(*one);
  if (kind.in_flight < settings_.in_flight) {
    start(one);
  } else if (kind.waiting.size() < max_waiting_hooks
             && kind.waiting_bytes + one->order.body.size() <= max_waiting_hook_bytes) {
    limit(one, began + settings_.timeout);
    kind.waiting_bytes += one->order.body.size();
    kind.waiting.push_back(one);
    metrics_.waiting.add(1);
  } else {
    fail(one, hook_result_kind::busy, "too many questions wait", true);
  }
}

/// Has it end then. An earlier limit may have passed just now, and have its handler called all the same.
void hook_caller::engine::limit(const errand_ptr& one, clock::time_point until) {
  one->limit.expires_at(until); // which takes an earlier limit back
  one->limit.async_wait([this, one](const boost::system::error_code& ec) {
    if (!ec && !one->is_over && one->limit.expiry() <= clock::now())
      on_timeout(one);
  });
}

/// Whoever has gone costs nothing more. The program has all the time for its answer, however long the question waited:
/// it is not to be taken for one that is not there because we ask it too much.
void hook_caller::engine::start(const errand_ptr& one) {
  if (one->order.asker.expired()) {
    finish(one, hook_result_kind::gone, hook_fault{});
    return;
  }
  const bool may_ask = of(*one).breaker.may_ask(clock::now());
  show_breaker(one->order.what);
  if (!may_ask) {
    finish(one, hook_result_kind::breaker, hook_fault{.is_absent = true});
    return;
  }
  one->is_started = true;
  limit(one, clock::now() + settings_.timeout);
  ++of(*one).in_flight;
  metrics_.in_flight.add(1);
  one->link = pool_.take_old(one->order.what);
  one->is_link_old = one->link != nullptr;
  if (!one->link)
    one->link = pool_.make_new(one->order.what);
  send(one);
}

void hook_caller::engine::send(const errand_ptr& one) {
  auto message = signed_hook_message(settings_.secret, one->order.body);
  if (one->order.origin)
    message.headers.insert(message.headers.end(), one->order.origin->headers.begin(),
                           one->order.origin->headers.end());
  if (one->order.trace) {
    std::erase_if(message.headers, [](const auto& field) { return field.first == "traceparent"; });
    message.headers.emplace_back("traceparent", to_traceparent(*one->order.trace));
  }
  one->link->send(std::move(message), settings_.of(one->order.what)->target,
                  [this, weak = std::weak_ptr{one}](hook_reply&& reply) { // its limit holds it
                    if (const auto asked = weak.lock(); asked && !asked->is_over)
                      on_reply(asked, std::move(reply));
                  });
}

/// A server may close a connection just when it is used again: then it has not begun with the request, as far as can be
/// told. What may have done something all the same is not tried twice.
void hook_caller::engine::on_reply(const errand_ptr& one, hook_reply&& reply) {
  const auto what = one->order.what;
  if (reply.result == hook_result_kind::unreachable && reply.is_unheard && one->is_link_old
      && what != hook_kind::rpc && what != hook_kind::publish) {
    one->is_link_old = false;
    one->link = pool_.make_new(what);
    send(one);
    return;
  }
  let_go(one, reply.result == hook_result_kind::ok);
  if (reply.result != hook_result_kind::ok)
    fail(one, reply.result, reply.why, reply.is_of_program);
  else if (reply.status != 200)
    fail(one, hook_result_kind::status, fmt::format("the answer has status {}", reply.status),
         true);
  else
    answer(one, reply);
  go_on(of(*one));
}

void hook_caller::engine::on_timeout(const errand_ptr& one) {
  if (!one->is_started) {
    fail(one, hook_result_kind::busy, "too many questions are under way", true);
    drop_over(of(*one));
    return;
  }
  if (one->link)
    one->link->close();
  let_go(one, false);
  fail(one, hook_result_kind::timeout, "there was no answer in time", false);
  go_on(of(*one));
}

void hook_caller::engine::let_go(const errand_ptr& one, bool is_reusable) {
  --of(*one).in_flight;
  metrics_.in_flight.subtract(1);
  auto link = std::exchange(one->link, nullptr);
  if (is_reusable)
    pool_.give_back(one->order.what, std::move(link));
}

void hook_caller::engine::answer(const errand_ptr& one, const hook_reply& reply) {
  auto parsed = parse_hook_answer(one->order.what, reply.body);
  if (const auto* const wrong = std::get_if<bad_hook_answer>(&parsed)) {
    fail(one, hook_result_kind::bad_answer, "the answer can't be used: " + *wrong, true);
    return;
  }
  auto& breaker = of(*one).breaker;
  auto& reasons = of(*one).reasons;
  auto* const refusal = std::get_if<hook_refusal>(&parsed);
  if (refusal != nullptr && !refusal->wrong.empty())
    warn_of_hook(reasons, one->order.what, settings_, refusal->wrong);
  else
    reasons.clear();
  if (breaker.succeed())
    spdlog::info("hook {}: {} answers again", to_string(one->order.what),
                 settings_.of(one->order.what)->shown);
  show_breaker(one->order.what);
  if (refusal != nullptr) {
    finish(one, refusal->is_disconnect ? hook_result_kind::disconnect : hook_result_kind::error,
           std::move(*refusal));
    return;
  }
  auto& told = std::get<hook_result>(parsed);
  if (tracer_ != nullptr)
    told.trace = trace_after(one->order.trace, reply.traceparent);
  finish(one, hook_result_kind::ok, std::move(told));
}

/// A program that answers is there, whatever it says: clients that have it fail must not keep others from it.
void hook_caller::engine::fail(const errand_ptr& one, hook_result_kind result,
                               const std::string& why, bool is_of_program) {
  const auto now = clock::now();
  const auto what = one->order.what;
  auto& breaker = of(*one).breaker;
  const auto& shown = settings_.of(what)->shown;
  warn_of_hook(of(*one).reasons, what, settings_, why);
  if (one->is_started && !is_of_program && breaker.fail(now))
    spdlog::warn("hook {}: {} does not answer, and is not asked for a while: {} in a row failed",
                 to_string(what), shown, hook_breaker::most_failures);
  else if (one->is_started && is_of_program && breaker.succeed())
    spdlog::info("hook {}: {} answers again", to_string(what), shown);
  show_breaker(what);
  finish(one, result, hook_fault{.is_absent = !is_of_program});
}

void hook_caller::engine::show_breaker(hook_kind what) {
  const auto index = static_cast<std::size_t>(what);
  metrics_.hooks[index].breaker.set(static_cast<std::uint64_t>(hooks_[index].breaker.current()));
}

void hook_caller::engine::finish(const errand_ptr& one, hook_result_kind result,
                                 hook_outcome&& outcome) {
  one->is_over = true;
  one->limit.cancel();
  auto& counts = metrics_.of(one->order.what);
  counts.requests_total[static_cast<std::size_t>(result)].add(1);
  if (one->is_started)
    counts.duration.observe_ns(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(clock::now() - one->began).count()));
  if (one->order.trace && tracer_ != nullptr && result != hook_result_kind::gone)
    record(*one, result);
  auto done = std::exchange(one->order.done, nullptr);
  if (!one->order.asker.expired())
    boost::asio::post(*one->order.home,
                      [done = std::move(done), outcome = std::move(outcome)]() mutable {
                        done(std::move(outcome));
                      });
}

void hook_caller::engine::record(const errand& one, hook_result_kind result) {
  const std::string name{to_string(one.order.what)};
  const std::string came_of_it{to_string(result)};
  tracer_->record({.at = *one.order.trace,
                   .kind = span_kind::client,
                   .name = "hook " + name,
                   .began = one.began,
                   .ended = clock::now(),
                   .attributes = {{"canang.hook", name}, {"canang.hook.result", came_of_it}},
                   .fault = is_answer(result) ? std::string{} : came_of_it});
}

void hook_caller::engine::go_on(hook& with) {
  for (drop_over(with); with.in_flight < settings_.in_flight && !with.waiting.empty();
       drop_over(with))
    start(take_next(with));
}

/// Those whose time is up are the oldest, and would take the places of others.
void hook_caller::engine::drop_over(hook& of) {
  while (!of.waiting.empty() && of.waiting.front()->is_over)
    take_next(of);
}

hook_caller::engine::errand_ptr hook_caller::engine::take_next(hook& of) {
  auto next = std::move(of.waiting.front());
  of.waiting.pop_front();
  of.waiting_bytes -= next->order.body.size();
  metrics_.waiting.subtract(1);
  return next;
}

// --- events

void hook_caller::engine::take(hook_event&& event) {
  events_[static_cast<std::size_t>(event.what)]->take(std::move(event.body));
}

void hook_caller::engine::finish(std::function<void()> done) {
  ended_ = std::move(done);
  end_.expires_after(settings_.timeout);
  end_.async_wait([this](const boost::system::error_code& ec) {
    if (!ec)
      ended_();
  });
  for (auto& of : events_)
    if (of && !of->is_idle())
      of->finish([this] { on_told_all(); });
  on_told_all();
}

void hook_caller::engine::on_told_all() {
  if (std::all_of(events_.begin(), events_.end(),
                  [](const auto& one) { return !one || one->is_idle(); }))
    ended_();
}

} // namespace canang::net
