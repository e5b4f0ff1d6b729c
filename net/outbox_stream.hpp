#pragma once

#include "net/loop_context.hpp"
#include "net/outbox.hpp"

#include <boost/asio/associator.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/system/system_error.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace canang::net {

/// The side of a session that its stream talks to.
class stream_owner {
public:
  /// Looks at bytes that arrived, before Beast does.
  /// @returns false when the stream must fail.
  virtual bool on_bytes(const boost::asio::mutable_buffer& bytes) = 0;

  /// An empty buffer for frames.
  virtual frame_buffer_ptr make_buffer() = 0;

  /// Takes frames that Beast made (handshake, pong, close) onto the outbox.
  /// @returns false when they were not taken.
  virtual bool on_stream_write(const frame_buffer_ptr& frames) = 0;

protected:
  ~stream_owner() = default;
};

class outbox_stream;

namespace detail {

/// Wraps Beast's read handler: shows the bytes to the session first.
template <class Handler>
struct outbox_read_op {
  outbox_stream& stream;
  void* bytes; // where the read goes
  Handler handler;

  void operator()(boost::system::error_code ec, std::size_t size);
};

} // namespace detail

/// The stream under Beast's `websocket::stream`: reads from the socket, writes onto the outbox, so
/// that Beast's frames and the hub's shared ones never interleave. Writes complete at once, in the
/// sense that the bytes are in order and counted against the outbox's limit.
class outbox_stream {
public:
  using executor_type = net::executor_type;

  outbox_stream(tcp_socket&& socket, stream_owner& owner, std::string&& already_read)
    : socket_(std::move(socket)), owner_(owner) {
    if (!already_read.empty())
      already_read_ = std::make_unique<std::string>(std::move(already_read));
  }

  [[nodiscard]] executor_type get_executor() noexcept { return socket_.get_executor(); }
  [[nodiscard]] tcp_socket& socket() noexcept { return socket_; }
  [[nodiscard]] const tcp_socket& socket() const noexcept { return socket_; }

  /// Reads into the first of `buffers` that is not empty. Beast hands over the two parts of a ring, of
  /// which the second is nearly always empty; a read of one buffer is `recv` instead of `recvmsg`, and
  /// its pending operation, one a connection, is 32 bytes smaller.
  template <class Buffers, class Handler>
  void async_read_some(const Buffers& buffers, Handler&& handler) {
    const auto buffer = first_of(buffers);
    detail::outbox_read_op<std::decay_t<Handler>> op{*this, buffer.data(),
                                                     std::forward<Handler>(handler)};
    if (!already_read_) {
      socket_.async_read_some(buffer, std::move(op));
      return;
    }
    const auto size = take_already_read(buffer);
    boost::asio::post(get_executor(), [op = std::move(op), size]() mutable {
      op(boost::system::error_code{}, size);
    });
  }

  template <class Buffers, class Handler>
  void async_write_some(const Buffers& buffers, Handler&& handler) {
    boost::system::error_code ec;
    const auto size = write_some(buffers, ec);
    boost::asio::post(get_executor(),
                      boost::beast::bind_front_handler(std::forward<Handler>(handler), ec, size));
  }

  /// Never blocks: the bytes go to the outbox.
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers, boost::system::error_code& ec) {
    auto frames = owner_.make_buffer();
    for (auto at = boost::asio::buffer_sequence_begin(buffers);
         at != boost::asio::buffer_sequence_end(buffers); ++at) {
      const boost::asio::const_buffer piece{*at};
      frames->bytes().append(static_cast<const char*>(piece.data()), piece.size());
    }
    if (!owner_.on_stream_write(frames)) {
      ec = boost::asio::error::no_buffer_space;
      return 0;
    }
    ec = {};
    return frames->size();
  }

  template <class Buffers>
  std::size_t write_some(const Buffers& buffers) {
    boost::system::error_code ec;
    const auto size = write_some(buffers, ec);
    if (ec)
      throw boost::system::system_error{ec};
    return size;
  }

  /// Beast asks for these by concept; nothing reads synchronously.
  template <class Buffers>
  std::size_t read_some(const Buffers&) {
    throw boost::system::system_error{boost::asio::error::operation_not_supported};
  }
  template <class Buffers>
  std::size_t read_some(const Buffers&, boost::system::error_code& ec) {
    ec = boost::asio::error::operation_not_supported;
    return 0;
  }

private:
  template <class Buffers>
  static boost::asio::mutable_buffer first_of(const Buffers& buffers) {
    for (auto at = boost::asio::buffer_sequence_begin(buffers);
         at != boost::asio::buffer_sequence_end(buffers); ++at) {
      const boost::asio::mutable_buffer piece{*at};
      if (piece.size() > 0)
        return piece;
    }
    return {};
  }

  std::size_t take_already_read(const boost::asio::mutable_buffer& buffer) {
    const auto size = boost::asio::buffer_copy(buffer, boost::asio::buffer(*already_read_));
    already_read_->erase(0, size);
    if (already_read_->empty())
      already_read_.reset();
    return size;
  }

  template <class Handler>
  friend struct detail::outbox_read_op;

  tcp_socket socket_;
  stream_owner& owner_;
  std::unique_ptr<std::string> already_read_; // sent by the client right behind its handshake
};

template <class Handler>
void detail::outbox_read_op<Handler>::operator()(boost::system::error_code ec, std::size_t size) {
  if (!ec && size > 0 && !stream.owner_.on_bytes({bytes, size})) {
    ec = boost::asio::error::invalid_argument;
    size = 0;
  }
  handler(ec, size);
}

/// Beast ends a connection through these (found by ADL). The session lingers and closes by itself,
/// since only it knows what is still on the outbox; so there is nothing left to do here.
inline void teardown(boost::beast::role_type, outbox_stream&, boost::system::error_code& ec) {
  ec = {};
}

template <class Handler>
void async_teardown(boost::beast::role_type, outbox_stream& stream, Handler&& handler) {
  boost::asio::post(
    stream.get_executor(),
    boost::beast::bind_front_handler(std::forward<Handler>(handler), boost::system::error_code{}));
}

inline void beast_close_socket(outbox_stream& stream) {
  boost::system::error_code ignored;
  stream.socket().close(ignored);
}

} // namespace canang::net

/// The wrapped handler's allocator, executor and cancellation slot are Beast's.
template <template <class, class> class Associator, class Handler, class Default>
struct boost::asio::associator<Associator, canang::net::detail::outbox_read_op<Handler>, Default>
  : Associator<Handler, Default> {
  static auto get(const canang::net::detail::outbox_read_op<Handler>& op) noexcept {
    return Associator<Handler, Default>::get(op.handler);
  }
  static auto get(const canang::net::detail::outbox_read_op<Handler>& op,
                  const Default& fallback) noexcept {
    return Associator<Handler, Default>::get(op.handler, fallback);
  }
};
