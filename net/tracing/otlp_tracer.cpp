#include "net/tracing/otlp_tracer.hpp"

#include "base/cut_utf8.hpp"
#include "base/reason_log.hpp"
#include "net/hooks/hook_link.hpp"
#include "net/http/client.hpp"
#include "net/run_until_stopped.hpp"

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
#include <span>
#include <string>
#include <utility>

namespace canang::net {

namespace {

/// Of what a collector says, in the log.
constexpr std::size_t max_told_bytes = 200;

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
    refill();
    const auto waiting = waiting_.size() - first_;
    if (waiting == 0 || (waiting < max_spans_in_request && !is_time_)) {
      if (is_ending_)
        ended_();
      return;
    }
    is_time_ = is_time_ && waiting > max_spans_in_request;
    count_ = std::min(waiting, max_spans_in_request);
    is_busy_ = true;
    tries_ = 0;
    if (encode())
      send();
    else
      drop();
  }

  /// What pauses is sent once more; what fails from now on is not tried again.
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
      gather();
      tell_of_lost();
      go_on(true);
    });
  }

  /// Whoever records waits no longer than for two pointers to be swapped.
  void refill() {
    if (waiting_.size() - first_ >= max_spans_in_request)
      return;
    auto more = of_.take();
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
    if (waiting_.empty())
      waiting_ = std::move(more);
    else
      waiting_.insert(waiting_.end(), std::make_move_iterator(more.begin()),
                      std::make_move_iterator(more.end()));
  }

  /// @returns false where there is no memory for it.
  bool encode() {
    try {
      body_ =
        encode_spans(resource_, std::span{waiting_}.subspan(first_, count_), unix_offset_ns());
      return true;
    } catch (const std::exception& fault) {
      complain(fault.what());
      return false;
    }
  }

  void send() {
    ++tries_;
    is_link_old_ = link_ && link_->is_reusable();
    if (!is_link_old_)
      link_ = make_hook_link(of_.io_, *of_.settings_.collector, tls_);
    waits_.expires_after(of_.settings_.timeout);
    waits_.async_wait([this](const boost::system::error_code& ec) {
      if (ec || !is_busy_ || is_pausing_ || waits_.expiry() > span::clock::now())
        return;
      link_->close();
      on_reply({.result = hook_result_kind::timeout, .why = "there was no answer in time"});
    });
    link_->send({.body = body_, .headers = of_.settings_.headers}, of_.settings_.collector->target,
                [this](hook_reply&& reply) { on_reply(std::move(reply)); });
  }

  /// A server may close a connection just when it is used again: that is no failed try.
  void on_reply(hook_reply&& reply) {
    waits_.cancel();
    if (reply.result == hook_result_kind::ok) {
      on_taken(reply.body);
      return;
    }
    link_.reset();
    if (reply.result == hook_result_kind::unreachable && reply.is_unheard && is_link_old_) {
      --tries_;
      send();
      return;
    }
    complain(reply.why);
    if (is_temporary(reply) && tries_ < most_trace_tries && !is_ending_)
      pause();
    else
      drop();
  }

  void on_taken(std::string_view answer) {
    std::string why;
    const auto rejected = std::min<std::uint64_t>(rejected_spans(answer, why), count_);
    if (rejected > 0 || !why.empty())
      complain(fmt::format("it took all but {} spans, and says: {}", rejected,
                           cut_utf8(why, max_told_bytes)));
    of_.metrics_.rejected_total.add(rejected);
    of_.metrics_.exported_total.add(count_ - rejected);
    settle();
  }

  void drop() {
    of_.metrics_.dropped_total.add(count_);
    settle();
  }

  void settle() {
    of_.metrics_.waiting.subtract(count_);
    first_ += std::exchange(count_, 0);
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

  void tell_of_lost() {
    const auto lost = of_.lost_.load(std::memory_order_relaxed);
    if (lost == lost_)
      return;
    lost_ = lost;
    complain("spans are made faster than it takes them");
  }

  /// Of each reason once, and then once a minute; also where it works in between.
  void complain(const std::string& why) {
    const auto unsaid = reasons_.note(why, reason_log::clock::now());
    if (unsaid && *unsaid == 0)
      spdlog::warn("traces: {} did not take all: {}", of_.settings_.collector->shown, why);
    else if (unsaid)
      spdlog::warn("traces: {} did not take all: {} ({} more times)",
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
  std::vector<span> waiting_; // the oldest first
  std::size_t first_ = 0;     // of these, those before are told
  std::size_t count_ = 0;     // from there on, of the request
  std::string body_;          // of the request
  std::uint64_t lost_ = 0;    // as far as the log has it
  unsigned tries_ = 0;
  bool is_link_old_ = false; // it had carried others
  bool is_busy_ = false;     // there is a request
  bool is_pausing_ = false;
  bool is_time_ = false;
  bool is_ending_ = false;
  std::function<void()> ended_;
};

otlp_tracer::otlp_tracer(trace_settings settings, trace_resource resource)
  : settings_(std::move(settings)),
    work_(boost::asio::make_work_guard(io_)),
    sender_(std::make_unique<sender>(*this, std::move(resource))),
    thread_([this] { run_until_stopped(io_, "the tracer"); }) {}

otlp_tracer::~otlp_tracer() { stop(); }

void otlp_tracer::stop() {
  if (!thread_.joinable())
    return;
  boost::asio::post(io_, [this] { sender_->finish([this] { io_.stop(); }); });
  thread_.join();
  if (const auto left = metrics_.waiting.value(); left > 0)
    spdlog::warn("traces: {} spans were not sent before the end", left);
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

bool otlp_tracer::has_place() const noexcept {
  return metrics_.waiting.value() < max_waiting_spans;
}

void otlp_tracer::lose(std::uint64_t count) noexcept {
  metrics_.dropped_total.add(count);
  lost_.fetch_add(count, std::memory_order_relaxed);
}

void otlp_tracer::record(span&& ended) {
  const auto waiting = metrics_.waiting.add(1);
  if (waiting > max_waiting_spans) {
    metrics_.waiting.subtract(1);
    lose(1);
    return;
  }
  {
    const std::lock_guard lock{mutex_};
    gathered_.push_back(std::move(ended));
  }
  if (waiting % max_spans_in_request == 0)
    boost::asio::post(io_, [this] { sender_->go_on(false); });
}

std::vector<span> otlp_tracer::take() {
  const std::lock_guard lock{mutex_};
  return std::exchange(gathered_, {});
}

} // namespace canang::net
