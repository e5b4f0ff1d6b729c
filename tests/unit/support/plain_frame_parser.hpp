#pragma once

#include "net/frame.hpp"
#include "tests/fuzz/utf8.hpp"
#include "tests/unit/support/client_frames.hpp"

#include <string>
#include <string_view>

namespace canang::test {

/// RFC 6455 read the plain way, over all of a client's bytes at once: the reference for the frame
/// reader. Shares nothing with it but the list of close codes.
class plain_frame_parser {
public:
  plain_frame_parser(std::string_view stream, std::size_t limit, bool allows_compression)
    : rest_(stream), limit_(limit), allows_compression_(allows_compression) {
    while (read_frame()) {
    }
    if (!has_ended_ && !message_.empty())
      lines_.push_back("unfinished " + described(is_text_, is_compressed_, message_));
  }

  [[nodiscard]] const transcript& said() const { return lines_; }

  /// The bytes end inside a header: a reader may or may not know already that it is wrong.
  [[nodiscard]] bool ends_in_header() const { return ends_in_header_; }

private:
  unsigned byte(std::size_t i) const { return static_cast<unsigned char>(rest_[i]); }

  bool end_with(const std::string& line) {
    lines_.push_back(line);
    has_ended_ = true;
    return false;
  }

  bool read_frame() {
    const auto size = header_size();
    ends_in_header_ = size > rest_.size() && !rest_.empty();
    if (size > rest_.size())
      return false;
    const auto first = byte(0);
    const auto opcode = first % 16;
    const bool fin = first >= 128;
    const auto rsv = first / 16 % 8;
    const bool may_be_compressed = allows_compression_ && (opcode == 1 || opcode == 2);
    const auto length = announced();
    const bool is_control = opcode >= 8;
    if (rsv != 0 && !(rsv == 4 && may_be_compressed))
      return end_with("fault 1002");
    if ((opcode > 2 && opcode < 8) || opcode > 10 || byte(1) < 128)
      return end_with("fault 1002");
    if (is_control && (!fin || length > 125))
      return end_with("fault 1002");
    if ((opcode == 0) != is_inside_ && !is_control)
      return end_with("fault 1002");
    if ((size == 8 && length < 126) || (size == 14 && (length < 65536 || length >> 63U != 0)))
      return end_with("fault 1002");
    const auto key = rest_.substr(size - 4, 4);
    const auto payload = unmasked(rest_.substr(size, length), key);
    const bool is_whole = payload.size() == length;
    if (is_control)
      return is_whole && read_control(opcode, payload) && skip(size + payload.size());
    if (opcode != 0) {
      is_text_ = opcode == 1;
      is_compressed_ = rsv == 4;
      is_inside_ = true;
      message_.clear();
    }
    const auto limit = is_compressed_ ? limit_ + limit_ / 16 + 64 : limit_;
    if (length > limit - message_.size())
      return end_with("fault 1009");
    message_ += payload;
    return read_data(fin && is_whole) && is_whole && skip(size + payload.size());
  }

  /// Of the header with its key, or more than there is.
  std::size_t header_size() const {
    if (rest_.size() < 2)
      return SIZE_MAX;
    const auto form = byte(1) % 128;
    return 2U + (form == 126 ? 2U : form == 127 ? 8U : 0U) + (byte(1) < 128 ? 0U : 4U);
  }

  std::uint64_t announced() const {
    const auto form = byte(1) % 128;
    if (form < 126)
      return form;
    std::uint64_t length = 0;
    for (std::size_t i = 2; i < (form == 126 ? 4U : 10U); ++i)
      length = length * 256 + byte(i);
    return length;
  }

  static std::string unmasked(std::string_view payload, std::string_view key) {
    std::string out{payload};
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = static_cast<char>(out[i] ^ key[i % 4]);
    return out;
  }

  bool skip(std::size_t size) {
    rest_.remove_prefix(size);
    return true;
  }

  bool read_data(bool ends_message) {
    const bool is_checked = is_text_ && !is_compressed_;
    if (is_checked && !(ends_message ? is_text(message_) : fuzz::begins_utf8(message_)))
      return end_with("fault 1007");
    if (ends_message) {
      lines_.push_back(described(is_text_, is_compressed_, message_));
      is_inside_ = false;
      message_.clear();
    }
    return true;
  }

  bool read_control(unsigned opcode, const std::string& payload) {
    if (opcode != 8) {
      lines_.push_back((opcode == 9 ? "ping " : "pong ") + payload);
      return true;
    }
    if (payload.empty())
      return end_with("close 1005 ");
    if (payload.size() == 1)
      return end_with("fault 1002");
    const auto code =
      static_cast<unsigned char>(payload[0]) * 256U + static_cast<unsigned char>(payload[1]);
    if (!net::is_close_code(static_cast<std::uint16_t>(code)))
      return end_with("fault 1002");
    if (!is_text(payload.substr(2)))
      return end_with("fault 1007");
    return end_with("close " + std::to_string(code) + ' ' + payload.substr(2));
  }

  static bool is_text(const std::string& bytes) { return fuzz::decode_utf8(bytes).has_value(); }

  std::string_view rest_;
  std::size_t limit_;
  bool allows_compression_;
  std::string message_;
  transcript lines_;
  bool is_inside_ = false;
  bool is_text_ = false;
  bool is_compressed_ = false;
  bool has_ended_ = false;
  bool ends_in_header_ = false;
};

} // namespace canang::test
