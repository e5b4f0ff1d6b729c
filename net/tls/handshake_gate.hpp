#pragma once

#include "net/limits.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/wait_traits.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <utility>

namespace canang::net {

/// Divides a loop's time between TLS handshakes and all else. Handshakes may take `tls_handshake_share` of each
/// `tls_handshake_period`, one at least; those that come when it is used up wait in line. So a flood of them makes
/// whoever comes new wait, and nobody who is there. Owned by the loop, used on its thread only.
class handshake_gate {
public:
  using clock = std::chrono::steady_clock;

  /// Tests have their own `period`.
  explicit handshake_gate(boost::asio::io_context& io,
                          clock::duration period = tls_handshake_period)
    : period_(period), timer_(io.get_executor()) {}
  handshake_gate(const handshake_gate&) = delete;
  handshake_gate& operator=(const handshake_gate&) = delete;

  /// Calls `go` now, or when it is its turn. It may find that nobody needs it any more, which costs nothing.
  void enter(std::function<void()> go);

  /// Does a part of a handshake and takes note of the time that it needs.
  template <class Step>
  auto measure(Step step) {
    const auto began = clock::now();
    auto result = step();
    spent_ += clock::now() - began;
    return result;
  }

  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }

private:
  using executor_type = boost::asio::io_context::executor_type;

  [[nodiscard]] bool has_time();
  void await_period();
  void let_in();

  clock::duration period_;
  boost::asio::basic_waitable_timer<clock, boost::asio::wait_traits<clock>, executor_type> timer_;
  std::deque<std::function<void()>> waiting_;
  clock::time_point period_began_{};
  clock::duration spent_{};
  bool is_awaited_ = false;
};

} // namespace canang::net
