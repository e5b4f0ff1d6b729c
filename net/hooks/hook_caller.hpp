#pragma once

#include "net/hooks/hook_metrics.hpp"
#include "net/hooks/hook_settings.hpp"
#include "net/hooks/hook_source.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace canang::net {

class tracer;

/// Asks the operator's program over HTTP, for all loops, on a thread of its own: names are looked up, TLS is spoken and
/// answers are read there. Connections are kept for the next request. One question has one time limit, from `ask` to
/// the answer. Made and destroyed on one thread; outlives the loops that ask, but for `stop`.
class hook_caller final : public hook_source {
public:
  /// @throws std::runtime_error where the file of authorities cannot be used.
  explicit hook_caller(hook_settings settings);
  hook_caller(const hook_caller&) = delete;
  hook_caller& operator=(const hook_caller&) = delete;
  ~hook_caller() override;

  /// Questions that have a trace are told it, with their answers; it may be null, and outlives the work. Before anything is
  /// asked.
  void trace_to(tracer* whom);

  /// What waits is not answered any more. Events that wait are told, once, for as long as an answer may take. Before the
  /// loops that have asked are destroyed.
  void stop();

  // hook_source
  [[nodiscard]] bool has(hook_kind what) const noexcept override;
  void ask(hook_order&& order) override;
  void tell(hook_event&& event) override;
  [[nodiscard]] bool fails_open() const noexcept override;
  [[nodiscard]] const std::vector<std::string>& passed_headers() const noexcept override;

  /// From any thread.
  [[nodiscard]] const hook_metrics& metrics() const noexcept { return metrics_; }

private:
  class engine;

  const hook_settings settings_;
  hook_metrics metrics_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::unique_ptr<engine> engine_; // of the thread
  std::thread thread_;
};

} // namespace canang::net
