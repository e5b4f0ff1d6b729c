#pragma once

#include "base/reason_log.hpp"
#include "net/hooks/hook_breaker.hpp"
#include "net/hooks/hook_caller.hpp"
#include "net/hooks/hook_events.hpp"
#include "net/hooks/hook_pool.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace canang::net {

/// What the thread of the hooks does. Made and destroyed by `hook_caller`, used on the thread only.
class hook_caller::engine {
public:
  using clock = std::chrono::steady_clock;

  /// Those that are referred to outlive it.
  /// @throws std::runtime_error where the file of authorities cannot be used.
  engine(boost::asio::io_context& io, const hook_settings& settings, hook_metrics& metrics);

  /// @param began when it was asked
  void take(hook_order&& order, clock::time_point began);

  void take(hook_event&& event);

  /// May be null.
  void trace_to(tracer* whom) noexcept { tracer_ = whom; }

  /// Tells what waits to be told, and calls `done` when that is over, or time is.
  void finish(std::function<void()> done);

private:
  struct errand;
  using errand_ptr = std::shared_ptr<errand>;

  /// All of one kind of question: what takes long of one kind, or what clients ask too much of, holds up no other.
  struct hook {
    hook_breaker breaker;
    reason_log reasons;
    std::deque<errand_ptr> waiting;
    std::size_t waiting_bytes = 0;
    std::size_t in_flight = 0;
  };

  void limit(const errand_ptr& one, clock::time_point until);
  void start(const errand_ptr& one);
  void send(const errand_ptr& one);
  void on_reply(const errand_ptr& one, hook_reply&& reply);
  void on_timeout(const errand_ptr& one);
  void let_go(const errand_ptr& one, bool is_reusable);
  void fail(const errand_ptr& one, hook_result_kind result, const std::string& why,
            bool is_of_program);
  void answer(const errand_ptr& one, const hook_reply& reply);
  void record(const errand& one, hook_result_kind result);
  void finish(const errand_ptr& one, hook_result_kind result, hook_outcome&& outcome);
  void go_on(hook& with);
  void drop_over(hook& of);
  errand_ptr take_next(hook& of);
  void on_told_all();
  [[nodiscard]] hook& of(const errand& one);
  void show_breaker(hook_kind what);

  boost::asio::io_context& io_;
  const hook_settings& settings_;
  hook_metrics& metrics_;
  tracer* tracer_ = nullptr;
  hook_pool pool_;
  std::array<hook, hook_count> hooks_;
  std::array<std::optional<hook_events>, hook_count> events_; // of those that are told
  boost::asio::steady_timer end_;
  std::function<void()> ended_;
};

} // namespace canang::net
