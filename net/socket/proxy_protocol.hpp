#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace canang::net {

/// Reads the header that a proxy puts in front of a connection's bytes to say for whom it is: HAProxy's PROXY
/// protocol, versions 1 (a line) and 2 (binary), see its doc/proxy-protocol.txt. Strict: what is not exactly a header
/// is bad. What version 2 has behind the addresses (TLVs) is skipped, within `max_proxy_header_bytes`. No I/O; a value
/// that takes bytes in whatever pieces they come.
class proxy_header_reader {
public:
  enum class state : std::uint8_t {
    more,  ///< of it is to come
    whole, ///< what comes now is the client's
    none,  ///< this is no header from its first bytes on: what was `taken` is the client's too
    bad,   ///< it began as one
  };

  [[nodiscard]] state at() const noexcept { return at_; }

  /// Takes what belongs to the header off the front of `bytes`.
  /// @returns how many those are: all, unless it ends or fails within them.
  std::size_t take(std::string_view bytes) noexcept;

  /// The first bytes that were taken: all of what turned out to be no header.
  [[nodiscard]] std::string_view taken() const noexcept { return {head_.data(), size_}; }

  /// The client's address and port. Nothing where the proxy speaks for itself (a health check), does not know, or
  /// has it from a socket without an IP address: then that of the connection counts.
  [[nodiscard]] const std::optional<boost::asio::ip::tcp::endpoint>& client() const noexcept {
    return client_;
  }

private:
  enum class form : std::uint8_t { unknown, line, binary };

  void take_byte(char c) noexcept;
  void take_of_line(char c) noexcept;
  void take_of_binary() noexcept;
  [[nodiscard]] state read_line() noexcept;
  [[nodiscard]] bool begin_binary() noexcept;
  [[nodiscard]] bool read_addresses() noexcept;

  state at_ = state::more;
  form form_ = form::unknown;
  std::array<char, 107> head_{}; // the longest line; of version 2 all but TLVs, and some of these
  std::size_t size_ = 0;
  std::size_t left_ = 0; // of version 2 behind the first 16 bytes
  std::optional<boost::asio::ip::tcp::endpoint> client_;
};

} // namespace canang::net
