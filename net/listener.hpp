#pragma once

#include "net/arrival_rules.hpp"
#include "net/http/router.hpp"
#include "net/loop_context.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace canang::net {

/// Sockets that listen on one address, a loop each.
struct listening_sockets {
  std::vector<int> descriptors;
  tcp_endpoint endpoint;    ///< with the port that was given where 0 was asked for
  std::uint64_t inode = 0;  ///< of a Unix-domain socket's file; 0 where there is none
  std::uint64_t device = 0; ///< that the file is on
};

/// Binds `count` sockets with SO_REUSEPORT to `endpoint` and listens. Refuses an address that anyone
/// listens on already, which SO_REUSEPORT alone would share in silence.
[[nodiscard]] listening_sockets listen_on(const tcp_endpoint& endpoint, std::size_t count,
                                          boost::system::error_code& ec);

/// What a Unix-domain socket listens as.
struct unix_address {
  std::string path;
  unsigned mode = 0660; ///< of its file
};

/// Binds a Unix-domain socket and listens, with `count` descriptors of it. A file that is there already is removed
/// where it is a socket that nobody listens on; anything else is refused.
[[nodiscard]] listening_sockets listen_on(const unix_address& at, std::size_t count,
                                          boost::system::error_code& ec);

/// Removes the file of a socket that was listened on, unless another one has taken its place.
void remove_socket_file(const std::string& path, const listening_sockets& sockets) noexcept;

/// Accepts on one loop, for the endpoints of a router, and asks of each connection what `rules` say. Lives on its loop's
/// thread; `context`, `paths` and `rules` must outlive it and all that it has accepted.
class listener {
public:
  /// Takes over a descriptor of `listen_on`. `rules` may be null: nothing is asked.
  listener(loop_context& context, const router& paths, int descriptor, bool is_ipv6,
           const arrival_rules* rules = nullptr);
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;
  ~listener();

  void start();

  /// Accepts who is waiting already, so that they get an answer, at most as many as the loop's pool has
  /// places for; and closes the socket: nothing is accepted any more.
  void stop();

private:
  void accept();
  void take(tcp_socket&& socket);
  void admit(client_socket&& client, std::string_view already_read);
  void shut(client_socket& client, reject_reason reason);
  void on_accept(const boost::system::error_code& ec, tcp_socket&& socket);
  void retry_later();

  struct retry_entry final : timing_wheel::entry {
    explicit retry_entry(listener& owner) : owner_(owner) {}

  private:
    void on_deadline(timing_wheel::clock::time_point) override { owner_.accept(); }
    listener& owner_;
  };

  loop_context& context_;
  const router& paths_;
  const arrival_rules& rules_;
  boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, executor_type> acceptor_;
  retry_entry retry_;
};

} // namespace canang::net
