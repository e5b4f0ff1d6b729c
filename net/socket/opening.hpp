#pragma once

#include "net/http/pool.hpp"
#include "net/metrics.hpp"
#include "net/socket/client_socket.hpp"
#include "net/timing_wheel.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

namespace canang::net {

/// A connection of which something has to come before its first request: a proxy's header, a TLS handshake. Has a
/// place in the loop's pool and the time of a handshake, and goes when one of them is over. Counted by reference:
/// what it waits for holds it. Lives on the loop of its context.
class opening : public boost::intrusive_ref_counter<opening, boost::thread_unsafe_counter>,
                timing_wheel::entry,
                http_pool::member {
public:
  opening(const opening&) = delete;
  opening& operator=(const opening&) = delete;
  ~opening() override;

protected:
  opening(loop_context& context, client_socket&& socket);

  [[nodiscard]] loop_context& context() const noexcept { return context_; }
  [[nodiscard]] client_socket& socket() noexcept { return socket_; }
  [[nodiscard]] bool is_over() const noexcept { return is_over_; }

  /// Has `on_ready` called when the socket can be read or written.
  void await(tcp_socket::wait_type what);

  /// Gives the connection away: this one has no place and no deadline any more.
  [[nodiscard]] client_socket hand_on();

  /// Ends it, with a reset where nothing of it is to be left in the kernel.
  void close(bool reset);

  /// Ends it after a last word to the client: what that still sends is read and dropped for a while, which would
  /// destroy the word otherwise.
  void linger();

  // http_pool::member
  void give_way() final;

  void count(reject_reason reason) noexcept {
    context_.metrics.rejected_total[static_cast<std::size_t>(reason)].add(1);
  }

private:
  virtual void on_ready() = 0;

  /// The time is over, or its place was needed; it is closed next.
  virtual void on_given_up(reject_reason /*why*/) {}

  // timing_wheel::entry
  void on_deadline(timing_wheel::clock::time_point) final;

  void discard_input();

  loop_context& context_;
  client_socket socket_;
  bool is_over_ = false;
  bool is_lingering_ = false;
};

} // namespace canang::net
