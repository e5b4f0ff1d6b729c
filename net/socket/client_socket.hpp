#pragma once

#include "net/loop_context.hpp"
#include "net/socket/byte_layer.hpp"

#include <boost/asio/buffer.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace canang::net {

/// A client's connection: its socket, what lies between that and the client's bytes (TLS), and who the client is where
/// a proxy is at the other end. For HTTP it is an asynchronous stream of the client's bytes, whatever lies between;
/// without a layer that is the socket itself. Whoever takes it over goes on with the layer, which has all that was
/// read and is not taken yet. On its loop.
class client_socket : public tcp_socket {
public:
  // NOLINTNEXTLINE(google-explicit-constructor): a socket is a connection with nothing in between
  client_socket(tcp_socket&& socket) : tcp_socket(std::move(socket)) {}

  [[nodiscard]] byte_layer* layer() const noexcept { return layer_.get(); }
  [[nodiscard]] std::unique_ptr<byte_layer> take_layer() noexcept { return std::move(layer_); }

  /// From now on this is in between. What is read through it here is charged to the next turn of `sockets`, its loop's.
  void set_layer(std::unique_ptr<byte_layer>&& layer, readiness& sockets) noexcept {
    layer_ = std::move(layer);
    charged_ = &sockets;
  }

  /// The connection is closed, and what the layer holds goes now. Operations that are under way fail.
  void drop_layer() noexcept { layer_.reset(); }

  /// Where the client is, as a proxy says; null where none does.
  [[nodiscard]] const tcp_endpoint* told_client() const noexcept { return told_client_.get(); }
  void tell_client(const tcp_endpoint& client) {
    told_client_ = std::make_unique<tcp_endpoint>(client);
  }
  [[nodiscard]] std::unique_ptr<tcp_endpoint> take_told_client() noexcept {
    return std::move(told_client_);
  }

  /// Where the client is, as far as is known; nothing where the connection is gone already.
  [[nodiscard]] std::optional<tcp_endpoint> client();

  /// Says that nothing more will be written: in the layer's words, then with FIN.
  void end_output();

  // an asynchronous stream; only handlers, no other completion tokens

  template <class Buffers, class Handler>
  void async_read_some(const Buffers& into, Handler&& handler) {
    if (!layer_)
      tcp_socket::async_read_some(into, std::forward<Handler>(handler));
    else
      read_layered(first_of(into), erased(std::forward<Handler>(handler)));
  }

  template <class Buffers, class Handler>
  void async_write_some(const Buffers& bytes, Handler&& handler) {
    if (!layer_)
      tcp_socket::async_write_some(bytes, std::forward<Handler>(handler));
    else
      write_layered(pieces_of(bytes), erased(std::forward<Handler>(handler)));
  }

private:
  using io_handler = std::function<void(const boost::system::error_code&, std::size_t)>;

  template <class Handler>
  static io_handler erased(Handler&& handler) {
    using kept = std::decay_t<Handler>;
    return [own = std::make_shared<kept>(std::forward<Handler>(handler))](
             const boost::system::error_code& ec, std::size_t size) { (*own)(ec, size); };
  }

  template <class Buffers>
  static std::span<char> first_of(const Buffers& into) {
    for (auto at = boost::asio::buffer_sequence_begin(into);
         at != boost::asio::buffer_sequence_end(into); ++at) {
      const boost::asio::mutable_buffer buffer{*at};
      if (buffer.size() > 0)
        return {static_cast<char*>(buffer.data()), buffer.size()};
    }
    return {};
  }

  template <class Buffers>
  static std::vector<iovec> pieces_of(const Buffers& bytes) {
    std::vector<iovec> pieces;
    for (auto at = boost::asio::buffer_sequence_begin(bytes);
         at != boost::asio::buffer_sequence_end(bytes); ++at) {
      const boost::asio::const_buffer buffer{*at};
      if (buffer.size() > 0)
        pieces.push_back({const_cast<void*>(buffer.data()), buffer.size()});
    }
    return pieces;
  }

  void wait_and_read(std::span<char> into, io_handler&& handler);
  void read_layered(std::span<char> into, io_handler&& handler);
  void write_layered(std::vector<iovec>&& pieces, io_handler&& handler);
  void finish_write(std::size_t taken, std::vector<iovec>&& pieces, io_handler&& handler);
  void complete(io_handler&& handler, const boost::system::error_code& ec, std::size_t size);

  std::unique_ptr<byte_layer> layer_;
  readiness* charged_ = nullptr; // where there is a layer
  std::unique_ptr<tcp_endpoint> told_client_;
};

/// The other end of a socket; nothing where there is none any more. Of a Unix-domain socket an endpoint that says no
/// more than that, see `is_ip`.
[[nodiscard]] std::optional<tcp_endpoint> peer_of(int descriptor) noexcept;

/// Whether it is an address and a port.
[[nodiscard]] bool is_ip(const tcp_endpoint& endpoint) noexcept;

/// As for logs: a port only where it is known, and `unix` for what has no IP address.
[[nodiscard]] std::string client_text(const tcp_endpoint& client);

} // namespace canang::net
