#pragma once

#include "net/tracing/otlp_json.hpp"
#include "net/tracing/trace_metrics.hpp"
#include "net/tracing/trace_settings.hpp"
#include "net/tracing/tracer.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace canang::net {

/// Spans that wait, also those on their way; and those that go in one request. As the SDKs of OpenTelemetry have it, but
/// for a longer queue: a broadcast to 1,000 rooms has some thousand spans.
inline constexpr std::size_t max_waiting_spans = 8192;
inline constexpr std::size_t max_spans_in_request = 512;

/// How often a request is tried. The pauses between tries double, from `trace_settings::pause` on: 15 s in all.
inline constexpr unsigned most_trace_tries = 5;

/// How long the last spans may take to be sent when the node ends.
inline constexpr std::chrono::seconds last_spans_timeout{2};

/// Sends spans to a collector by OTLP/HTTP, as JSON, on a thread of its own. Outlives all who record.
class otlp_tracer final : public tracer {
public:
  /// @param settings with a collector
  /// @throws boost::system::system_error where the file of authorities cannot be read.
  otlp_tracer(trace_settings settings, trace_resource resource);
  otlp_tracer(const otlp_tracer&) = delete;
  otlp_tracer& operator=(const otlp_tracer&) = delete;
  ~otlp_tracer() override;

  /// Sends what waits, for a while. What comes afterwards is lost.
  void stop();

  // tracer
  [[nodiscard]] std::optional<trace_context> begin() override;
  [[nodiscard]] bool has_place() const noexcept override;
  void record(span&& ended) override;
  void lose(std::uint64_t count) noexcept override;

  /// From any thread.
  [[nodiscard]] const trace_metrics& metrics() const noexcept { return metrics_; }

private:
  class sender;

  [[nodiscard]] std::vector<span> take();

  const trace_settings settings_;
  trace_metrics metrics_;
  std::mutex mutex_;                   // of what follows: all loops record, the thread takes
  std::vector<span> gathered_;         // the oldest first
  std::atomic<std::uint64_t> lost_{0}; // since too many waited
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::unique_ptr<sender> sender_; // of the thread
  std::thread thread_;
};

} // namespace canang::net
