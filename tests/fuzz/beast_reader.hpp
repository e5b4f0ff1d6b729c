#pragma once

#include "tests/fuzz/fuzz_input.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::fuzz {

/// What a client's bytes say, joined to whole messages.
struct conversation {
  enum class kind : std::uint8_t { text, binary, ping, pong, close };

  struct event {
    kind what = kind::text;
    std::string payload{};        ///< a close frame's reason
    std::uint16_t close_code = 0; ///< 1005 where none was given

    bool operator==(const event&) const = default;
  };

  std::vector<event> events;
  std::string unfinished;       ///< what has come of a message that has not ended
  std::uint16_t fault_code = 0; ///< the close code that a fault is answered with; 0 without one
};

/// The server's end of a connection: bytes that came before it looked, in pieces.
class memory_stream {
public:
  using executor_type = boost::asio::io_context::executor_type;
  using error_code = boost::system::error_code;

  explicit memory_stream(boost::asio::io_context& io) : io_(io) {}

  executor_type get_executor() noexcept { return io_.get_executor(); }

  /// The pieces are `sizes` by turns.
  void fill(std::string_view bytes, std::array<std::size_t, 2> sizes) {
    input_ = bytes;
    sizes_ = sizes;
  }

  template <class Buffers>
  std::size_t read_some(const Buffers& buffers, error_code& error) {
    error = {};
    if (input_.empty()) {
      error = boost::asio::error::eof;
      return 0;
    }
    const auto piece = input_.substr(0, sizes_[0]);
    std::swap(sizes_[0], sizes_[1]);
    const auto taken =
      boost::asio::buffer_copy(buffers, boost::asio::buffer(piece.data(), piece.size()));
    input_.remove_prefix(taken);
    return taken;
  }

  template <class Buffers>
  std::size_t write_some(const Buffers& buffers, error_code& error) {
    error = {};
    const auto size = boost::asio::buffer_size(buffers);
    const auto old_size = output.size();
    output.resize(old_size + size);
    return boost::asio::buffer_copy(boost::asio::buffer(output.data() + old_size, size), buffers);
  }

  // Beast asks for these as well, and calls them nowhere here.
  template <class Buffers>
  std::size_t read_some(const Buffers& buffers) {
    error_code error;
    return read_some(buffers, error);
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers) {
    error_code error;
    return write_some(buffers, error);
  }

  std::string output;

private:
  boost::asio::io_context& io_;
  std::string_view input_;
  std::array<std::size_t, 2> sizes_{};
};

inline void teardown(boost::beast::role_type, memory_stream&, boost::system::error_code& error) {
  error = {};
}

inline boost::beast::http::request<boost::beast::http::empty_body> upgrade_request() {
  namespace http = boost::beast::http;
  http::request<http::empty_body> request{http::verb::get, "/", 11};
  request.set(http::field::host, "localhost");
  request.set(http::field::connection, "Upgrade");
  request.set(http::field::upgrade, "websocket");
  request.set(http::field::sec_websocket_version, "13");
  request.set(http::field::sec_websocket_key, "dGhlIHNhbXBsZSBub25jZQ==");
  return request;
}

/// What Beast makes of `bytes`, which come in pieces of `sizes` by turns.
inline conversation read_by_beast(std::string_view bytes, std::array<std::size_t, 2> sizes,
                                  std::size_t max_message_bytes) {
  namespace websocket = boost::beast::websocket;
  using kind = conversation::kind;
  static boost::asio::io_context io;
  static const auto request = upgrade_request();
  conversation result;
  boost::system::error_code error;
  websocket::stream<memory_stream, false> stream{io};
  stream.accept(request, error);
  require(!error, "Beast accepts the handshake");
  stream.next_layer().output.clear();
  stream.next_layer().fill(bytes, sizes);
  stream.read_message_max(max_message_bytes);
  stream.control_callback([&](websocket::frame_type type, boost::beast::string_view payload) {
    const std::string text{payload.data(), payload.size()};
    if (type == websocket::frame_type::close) {
      const auto code = stream.reason().code;
      result.events.push_back(
        {kind::close, text,
         code == websocket::close_code::none ? std::uint16_t{1005} : std::uint16_t{code}});
    } else {
      result.events.push_back(
        {type == websocket::frame_type::ping ? kind::ping : kind::pong, text});
    }
  });
  std::array<char, 1024> part{};
  for (;;) {
    const auto size = stream.read_some(boost::asio::buffer(part), error);
    if (error)
      break;
    result.unfinished.append(part.data(), size);
    if (stream.is_message_done())
      result.events.push_back(
        {stream.got_text() ? kind::text : kind::binary, std::exchange(result.unfinished, {})});
  }
  if (error != boost::asio::error::eof && error != websocket::error::closed) {
    const auto& sent = stream.next_layer().output;
    require(sent.size() >= 4 && sent.substr(sent.size() - 4, 2) == "\x88\x02",
            "Beast answers a fault with a close frame");
    result.fault_code =
      static_cast<std::uint16_t>(static_cast<unsigned char>(sent[sent.size() - 2]) * 256U
                                 + static_cast<unsigned char>(sent[sent.size() - 1]));
  }
  return result;
}

} // namespace canang::fuzz
