#pragma once

#include "actors/runtime/pinned.hpp"
#include "net/loop_context.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <caf/execution_unit.hpp>
#include <caf/resumable.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace canang::actors {

/// One thread with one `io_context` and the actors that are pinned to it.
///
/// It works in turns: ready I/O handlers, then the actors that became ready until none is, then the
/// end of the turn, where the hub writes what the turn gathered. Only then it sleeps. Actors of one
/// loop, its sockets and its hub therefore need no lock against each other.
///
/// Actors of other loops that got mail in a turn are made ready there before this loop writes, all at
/// once: the other loop is woken once and finds the whole turn's mail, so it writes once too, and at
/// the same time as this one.
class loop final : public caf::execution_unit {
public:
  using clock = std::chrono::steady_clock;

  static constexpr std::chrono::milliseconds tick_interval{100};

  loop(caf::actor_system& system, std::uint32_t index, const net::session_limits& limits);
  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;

  /// Joins the thread; what is pending is destroyed.
  ~loop() override;

  /// Called at the end of each turn that did something. Set before `start`.
  void on_turn_end(std::function<void()> function) { turn_end_ = std::move(function); }

  /// Called on the loop every `tick_interval`. Set before `start`.
  void on_tick(std::function<void(clock::time_point)> function) { tick_ = std::move(function); }

  void start();

  /// Ends the thread after the turn it is in, and joins it. Not from the loop itself.
  void stop();

  /// Runs `function` on the loop's thread, in a later turn. From any thread.
  template <class Function>
  void post(Function&& function) {
    boost::asio::post(context_.io, std::forward<Function>(function));
  }

  /// Takes an actor that got mail; from any thread. What is not pinned goes to CAF's scheduler; from
  /// the thread of another loop, it comes when that loop hands over.
  void exec_later(caf::resumable* job) override;

  [[nodiscard]] net::loop_context& context() noexcept { return context_; }
  [[nodiscard]] const net::loop_context& context() const noexcept { return context_; }
  [[nodiscard]] std::uint32_t index() const noexcept { return index_; }

private:
  void run();
  template <class Function>
  std::size_t guarded(Function function) noexcept;
  std::size_t run_handlers();
  std::size_t run_actors();
  void end_turn(clock::time_point began);
  std::size_t sleep();
  void accept(caf::resumable* job);
  void hand_over();
  void take_incoming();
  void run_round();
  void schedule_tick();

  net::loop_context context_;
  std::uint32_t index_;
  boost::asio::executor_work_guard<net::executor_type> work_;
  boost::asio::basic_waitable_timer<clock, boost::asio::wait_traits<clock>, net::executor_type>
    timer_;
  std::function<void()> turn_end_;
  std::function<void(clock::time_point)> tick_;

  /// An actor of another loop that got mail in this turn.
  struct outgoing {
    loop* home;
    caf::resumable* job;
  };

  /// An actor that another thread made ready.
  struct incoming {
    caf::resumable* job;
    incoming* next;
  };

  /// What threads take from each other to write to it.
  static constexpr std::size_t cache_line = 64;

  std::vector<caf::resumable*> ready_;   // actors with mail, in order; this thread's
  std::vector<caf::resumable*> running_; // those of the round that is being run
  std::vector<outgoing> outgoing_;       // until this turn's hand_over
  // Other threads write to these: alone on their line, so that this thread's own stay with it.
  alignas(cache_line) std::atomic<incoming*> incoming_{nullptr}; // last in, first out
  std::atomic<bool> is_sleeping_{false};
  alignas(cache_line) bool is_stopping_ = false;
  std::thread thread_;
};

} // namespace canang::actors
