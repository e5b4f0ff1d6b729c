#pragma once

#include "base/reason_log.hpp"
#include "net/hooks/hook_link.hpp"
#include "net/hooks/hook_metrics.hpp"
#include "net/hooks/hook_pool.hpp"
#include "net/hooks/hook_settings.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

namespace canang::net {

/// Tells the operator's program of the events of one hook, in their order: those that come within some time in one
/// request, one request at a time. One that fails is tried again, so often at most, while the others wait behind it.
/// Owned by `hook_caller::engine`, on the thread of the hooks.
class hook_events {
public:
  using clock = std::chrono::steady_clock;

  /// Those that are referred to outlive it.
  hook_events(boost::asio::io_context& io, const hook_settings& settings, hook_metrics& metrics,
              hook_pool& pool, hook_kind what);
  hook_events(const hook_events&) = delete;
  hook_events& operator=(const hook_events&) = delete;

  /// One that is counted among those that wait.
  void take(std::string&& event);

  /// From now on nothing is tried twice. Calls `done` when nothing waits any more, perhaps at once.
  void finish(std::function<void()> done);

  [[nodiscard]] bool is_idle() const noexcept { return stage_ == stage::idle; }

private:
  enum class stage : std::uint8_t {
    idle,      ///< nothing waits
    gathering, ///< more may come
    telling,   ///< a request is under way
    pausing,   ///< it has failed, and is tried again soon
  };

  /// What goes in one request.
  struct batch {
    std::string body{};
    std::size_t events = 0;
    std::size_t bytes = 0; ///< of the events
    unsigned tries = 0;
  };

  void gather();
  void tell();
  void fill_batch();
  void send(std::shared_ptr<hook_link> over);
  void on_reply(hook_reply&& reply);
  void on_timeout();
  void on_taken();
  void on_failed(hook_result_kind result, const std::string& why);
  void give_up(const std::string& why);
  void go_on();
  void count(hook_result_kind result);
  void release(std::size_t events, std::size_t bytes);
  void wait_no_more();
  template <class Then>
  void wait(std::chrono::milliseconds time, Then then);

  const hook_settings& settings_;
  hook_metrics::of_hook& counts_;
  hook_pool& pool_;
  const hook_kind what_;
  boost::asio::steady_timer timer_;
  std::deque<std::string> waiting_;
  batch batch_;
  std::shared_ptr<hook_link> link_; // while a request is under way
  bool is_link_old_ = false;        // it had carried others
  clock::time_point asked_at_{};
  std::uint64_t waits_ = 0; // for time, so far
  stage stage_ = stage::idle;
  reason_log reasons_;
  std::function<void()> finished_; // set: it is to end
};

} // namespace canang::net
