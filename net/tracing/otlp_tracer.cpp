#include "net/tracing/otlp_tracer.hpp"

#include "base/reason_log.hpp"
#include "net/hooks/hook_link.hpp"
#include "net/http/client.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <exception>
#include <functional>
#include <iterator>
#include <string>
#include <utility>

namespace canang::net {

namespace {

/// A fault of ours costs the handler that has it; the next one goes on.
void run_until_stopped(boost::asio::io_context& io) {
  for (;;) {
    try {
      io.run();
      return;
    } catch (const std::exception& fault) {
      spdlog::error("a handler of the tracer failed: {}", fault.what());
    }
  }
}

/// Unix time less that of the spans' clock: from now on, should the time of day be set.
std::int64_t unix_offset_ns() {
  using namespace std::chrono;
  return duration_cast<nanoseconds>(system_clock::now().time_since_epoch()
                                    - span::clock::now().time_since_epoch())
    .count();
}

/// Whether the same request may do better later (https://opentelemetry.io/docs/specs/otlp/#failures-1).
bool is_temporary(const hook_reply& reply) noexcept {
  switch (reply.result) {
  case hook_result_kind::unreachable:
  case hook_result_kind::timeout: return true;
  case hook_result_kind::status:
    return reply.status == 429 || (reply.status >= 502 && reply.status <= 504);
  default: return false;
  }
}

} // namespace

/// What the thread does: one request after the other.
class otlp_tracer::sender {
public:
  sender(otlp_tracer& of, trace_resource&& resource)
    : of_(of),
      resource_(std::move(resource)),
      tls_(make_client_tls(of.settings_.ca_file)),
      gathers_(of.io_),
      waits_(of.io_),
      end_(of.io_) {
    gather();
  }

  /// Sends what there is, unless it is at it: of less than a whole request only where it is time.
  void go_on(bool is_time) {
    is_time_ |= is_time || is_ending_;
    if (is_busy_)
      return;
    const auto waiting = of_.metrics_.waiting.value();
    if (waiting == 0 || (waiting < max_spans_in_request && !is_time_)) {
      if (is_ending_)
        ended_();
      return;
    }
    is_time_ = waiting > max_spans_in_request && is_time_;
    const auto spans = of_.take(max_spans_in_request);
    if (spans.empty()) // what is counted is about to come
      return;
    body_ = encode_spans(resource_, spans, unix_offset_ns());
    count_ = spans.size();
    tries_ = 0;
    is_busy_ = true;
    send();
  }

  /// A request that is under way, or fails, is tried once more at most.
  void finish(std::function<void()> done) {
    ended_ = std::move(done);
    is_ending_ = true;
    end_.expires_after(last_spans_timeout);
    end_.async_wait([this](const boost::system::error_code& ec) {
      if (!ec)
        ended_();
    });
    if (is_pausing_)
      waits_.cancel(); // which sends it
    go_on(true);
  }

private:
  void gather() {
    gathers_.expires_after(of_.settings_.gathering);
    gathers_.async_wait([this](const boost::system::error_code& ec) {
      if (ec)
        return;
      go_on(true);
      gather();
    });
  }

  void send() {
    ++tries_;
    const auto& to = *of_.settings_.collector;
    if (!link_ || !link_->is_reusable())
      link_ = make_hook_link(of_.io_, to, tls_);
    waits_.expires_after(of_.settings_.timeout);
    waits_.async_wait([this](const boost::system::error_code& ec) {
      if (ec || !is_busy_ || is_pausing_ || waits_.expiry() > span::clock::now())
        return;
      link_->close();
      on_reply({.result = hook_result_kind::timeout, .why = "there was no answer in time"});
    });
    link_->send({.body = body_, .headers = of_.settings_.headers}, to.target,
                [this](hook_reply&& reply) { on_reply(std::move(reply)); });
  }

  void on_reply(hook_reply&& reply) {
    waits_.cancel();
    if (reply.result == hook_result_kind::ok) {
      on_taken(reply.body);
      return;
    }
    link_.reset();
    complain(reply.why);
    if (is_temporary(reply) && tries_ < most_trace_tries && !is_ending_)
      pause();
    else
      settle(of_.metrics_.dropped_total);
  }

  void on_taken(std::string_view answer) {
    std::string why;
    const auto rejected = std::min<std::uint64_t>(rejected_spans(answer, why), count_);
    if (rejected > 0)
      complain(fmt::format("it did not want all spans: {}", why));
    else
      reasons_.clear();
    of_.metrics_.rejected_total.add(rejected);
    of_.metrics_.exported_total.add(count_ - rejected);
    settled();
  }

  template <class Counter>
  void settle(Counter& counted) {
    counted.add(count_);
    settled();
  }

  void settled() {
    of_.metrics_.waiting.subtract(std::exchange(count_, 0));
    body_ = {};
    is_busy_ = false;
    go_on(false);
  }

  void pause() {
    is_pausing_ = true;
    waits_.expires_after(of_.settings_.pause * (std::int64_t{1} << (tries_ - 1)));
    waits_.async_wait([this](const boost::system::error_code&) {
      is_pausing_ = false;
      send();
    });
  }

  void complain(const std::string& why) {
    const auto unsaid = reasons_.note(why, reason_log::clock::now());
    if (unsaid && *unsaid == 0)
      spdlog::warn("traces: {} did not take them: {}", of_.settings_.collector->shown, why);
    else if (unsaid)
      spdlog::warn("traces: {} did not take them: {} ({} more times)",
                   of_.settings_.collector->shown, why, *unsaid);
  }

  otlp_tracer& of_;
  const trace_resource resource_;
  boost::asio::ssl::context tls_;
  boost::asio::steady_timer gathers_;
  boost::asio::steady_timer waits_; // for an answer, or till the next try
  boost::asio::steady_timer end_;
  std::shared_ptr<hook_link> link_;
  reason_log reasons_;
  std::string body_;
  std::size_t count_ = 0; // of its spans
  unsigned tries_ = 0;
  bool is_busy_ = false; // there is a body
  bool is_pausing_ = false;
  bool is_time_ = false;
  bool is_ending_ = false;
  std::function<void()> ended_;
};

otlp_tracer::otlp_tracer(trace_settings settings, trace_resource resource)
  : settings_(std::move(settings)),
    work_(boost::asio::make_work_guard(io_)),
    sender_(std::make_unique<sender>(*this, std::move(resource))),
    thread_([this] { run_until_stopped(io_); }) {}

otlp_tracer::~otlp_tracer() { stop(); }

void otlp_tracer::stop() {
  if (!thread_.joinable())
    return;
  boost::asio::post(io_, [this] { sender_->finish([this] { io_.stop(); }); });
  thread_.join();
}

/// By the trace's id, so that all who decide by the same share decide the same.
std::optional<trace_context> otlp_tracer::begin() {
  if (settings_.sample <= 0)
    return std::nullopt;
  const auto made = new_trace();
  constexpr unsigned bits = 53; // that a double has
  if (static_cast<double>(made.trace_low >> (64 - bits)) >= std::ldexp(settings_.sample, bits))
    return std::nullopt;
  return made;
}

void otlp_tracer::record(span&& ended) {
  const auto waiting = metrics_.waiting.add(1);
  if (waiting > max_waiting_spans) {
    metrics_.waiting.subtract(1);
    metrics_.dropped_total.add(1);
    return;
  }
  {
    const std::lock_guard lock{mutex_};
    gathered_.push_back(std::move(ended));
  }
  if (waiting % max_spans_in_request == 0)
    boost::asio::post(io_, [this] { sender_->go_on(false); });
}

std::vector<span> otlp_tracer::take(std::size_t most) {
  const std::lock_guard lock{mutex_};
  if (gathered_.size() <= most)
    return std::exchange(gathered_, {});
  const auto end = gathered_.begin() + static_cast<std::ptrdiff_t>(most);
  std::vector<span> taken{std::make_move_iterator(gathered_.begin()), std::make_move_iterator(end)};
  gathered_.erase(gathered_.begin(), end);
  return taken;
}

} // namespace canang::net
