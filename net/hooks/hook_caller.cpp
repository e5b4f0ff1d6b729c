#include "net/hooks/hook_caller.hpp"

#include "net/hooks/hook_engine.hpp"
#include "net/hooks/hook_limits.hpp"
#include "net/run_until_stopped.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace canang::net {

hook_caller::hook_caller(hook_settings settings)
  : settings_(std::move(settings)),
    work_(boost::asio::make_work_guard(io_)),
    engine_(std::make_unique<engine>(io_, settings_, metrics_)),
    thread_([this] { run_until_stopped(io_, "the hooks"); }) {}

hook_caller::~hook_caller() { stop(); }

void hook_caller::stop() {
  if (!thread_.joinable())
    return;
  boost::asio::post(io_, [this] { engine_->finish([this] { io_.stop(); }); });
  thread_.join();
}

void hook_caller::trace_to(tracer* whom) {
  boost::asio::post(io_, [this, whom] { engine_->trace_to(whom); });
}

bool hook_caller::has(hook_kind what) const noexcept { return settings_.of(what).has_value(); }

void hook_caller::ask(hook_order&& order) {
  boost::asio::post(
    io_, [this, order = std::move(order), began = std::chrono::steady_clock::now()]() mutable {
      engine_->take(std::move(order), began);
    });
}

/// Its place among those that wait is taken here: what is on its way to the thread waits, too.
void hook_caller::tell(hook_event&& event) {
  if (!has(event.what))
    return;
  auto& counts = metrics_.of(event.what);
  const auto bytes = event.body.size();
  const auto waiting = counts.events_waiting.add(1);
  const auto waiting_bytes = counts.event_bytes.add(bytes);
  if (waiting > max_waiting_events || waiting_bytes > max_waiting_event_bytes) {
    counts.events_waiting.subtract(1);
    counts.event_bytes.subtract(bytes);
    counts.events_dropped.add(1);
    return;
  }
  boost::asio::post(
    io_, [this, event = std::move(event)]() mutable { engine_->take(std::move(event)); });
}

bool hook_caller::fails_open() const noexcept { return settings_.fails_open; }

const std::vector<std::string>& hook_caller::passed_headers() const noexcept {
  return settings_.headers;
}

} // namespace canang::net
