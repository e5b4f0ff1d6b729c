#pragma once

#include "net/http/request_checks.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace canang::net {

/// Takes a request's body out of the bytes behind its headers (RFC 9112, 6 and 7). Strict where readers could
/// disagree about its end: a line ends with CR LF, and a chunk's size is hexadecimal digits and nothing
/// else. Extensions of chunks and trailers are skipped, within their limits. No I/O; a value.
class body_reader {
public:
  enum class state : std::uint8_t {
    more,      ///< of it is to come
    whole,     ///< what comes now belongs to another request
    too_large, ///< it is over its limit, or says that it will be
    bad,       ///< not a chunked body
  };

  body_reader(const body_framing& framing, std::size_t limit);

  [[nodiscard]] state at() const noexcept { return at_; }

  /// Takes what belongs to the body off the front of `bytes`, of whatever pieces they are.
  /// @returns how many those are: all, unless the body ends or fails within them.
  std::size_t take(std::string_view bytes);

  /// What has come of it.
  [[nodiscard]] std::string_view body() const noexcept { return {body_.data(), body_.size()}; }

  /// The memory of that, in bytes. Grows with what has come, not with what was announced, and not over the limit.
  [[nodiscard]] std::size_t memory() const noexcept { return body_.capacity(); }

private:
  /// Which part of a chunked body comes next; without chunks it is `data` all the time.
  enum class part : std::uint8_t {
    size,         // digits
    extension,    // behind them, until CR
    size_end,     // the line feed
    data,         //
    data_end,     // CR behind it
    data_end_lf,  //
    trailer,      // the begin of a line
    trailer_text, // within one
    trailer_lf,   // at the end of one
    end_lf,       // at the end of all
  };

  void take_line_byte(char c);
  void take_digit(char c);
  void begin_data();
  void end_data() noexcept;
  void expect(char c, char wanted, part next) noexcept;
  std::size_t take_data(std::string_view bytes);

  const std::size_t limit_;
  const bool is_chunked_;
  state at_ = state::more;
  part next_ = part::data;
  std::uint64_t left_ = 0;     // of the data that comes next; or what is known of a chunk's size
  unsigned digits_ = 0;        // of that size
  std::size_t line_bytes_ = 0; // of this chunk's line, or of all trailers
  std::vector<char> body_;     // a string would take more than it is asked to reserve
};

} // namespace canang::net
