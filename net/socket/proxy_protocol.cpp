#include "net/socket/proxy_protocol.hpp"

#include "base/parse_number.hpp"
#include "net/limits.hpp"

#include <algorithm>
#include <string>

namespace canang::net {

namespace {

namespace ip = boost::asio::ip;

constexpr std::string_view line_start = "PROXY ";
constexpr std::string_view binary_start{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::size_t binary_fixed = 16; // bytes up to what `length` counts
constexpr std::size_t ipv4_block = 12;   // two addresses and two ports
constexpr std::size_t ipv6_block = 36;
constexpr std::size_t unix_block = 216;

std::uint8_t byte_at(const char* bytes, std::size_t index) noexcept {
  return static_cast<std::uint8_t>(bytes[index]);
}

std::uint16_t word_at(const char* bytes, std::size_t index) noexcept {
  return static_cast<std::uint16_t>(byte_at(bytes, index) << 8U | byte_at(bytes, index + 1));
}

template <class Address>
Address address_at(const char* bytes) noexcept {
  typename Address::bytes_type raw;
  std::transform(bytes, bytes + raw.size(), raw.begin(),
                 [](char c) { return static_cast<std::uint8_t>(c); });
  return Address{raw};
}

/// The text up to a space, which is taken off with it; all of it where there is none.
std::string_view next_word(std::string_view& rest) noexcept {
  const auto space = rest.find(' ');
  const auto word = rest.substr(0, space);
  rest.remove_prefix(space == std::string_view::npos ? rest.size() : space + 1);
  return word;
}

/// As proxies write them: decimal without zeros in front.
std::optional<std::uint16_t> port_of(std::string_view text) noexcept {
  if (text.size() > 1 && text.front() == '0')
    return std::nullopt;
  return parse_number<std::uint16_t>(text);
}

std::optional<ip::address> address_of(std::string_view text, bool is_ipv6) noexcept {
  if (text.find('%') != std::string_view::npos)
    return std::nullopt;
  boost::system::error_code ec;
  const auto address = ip::make_address(text, ec);
  if (ec || address.is_v6() != is_ipv6)
    return std::nullopt;
  return address;
}

} // namespace

std::size_t proxy_header_reader::take(std::string_view bytes) noexcept {
  std::size_t used = 0;
  while (used < bytes.size() && at_ == state::more) {
    const auto before = size_;
    if (form_ == form::binary && left_ > 0 && size_ == head_.size()) { // TLVs that nobody reads
      const auto skipped = std::min(left_, bytes.size() - used);
      used += skipped;
      left_ -= skipped;
      take_of_binary();
      continue;
    }
    take_byte(bytes[used]);
    used += at_ == state::none && size_ == before ? 0 : 1;
  }
  return used;
}

/// One that shows that there is no header is not taken.
void proxy_header_reader::take_byte(char c) noexcept {
  if (form_ == form::unknown) {
    const auto& start = size_ == 0 ? (c == line_start[0] ? line_start : binary_start)
                                   : (head_[0] == line_start[0] ? line_start : binary_start);
    if (c != start[size_]) {
      at_ = state::none;
      return;
    }
    head_[size_++] = c;
    if (size_ == start.size())
      form_ = start == line_start ? form::line : form::binary;
    return;
  }
  if (form_ == form::line) {
    take_of_line(c);
    return;
  }
  head_[size_++] = c;
  left_ -= left_ > 0 ? 1 : 0;
  take_of_binary();
}

void proxy_header_reader::take_of_line(char c) noexcept {
  head_[size_++] = c;
  if (c == '\n')
    at_ = read_line();
  else if (size_ == head_.size())
    at_ = state::bad;
}

/// A line as in section 2.1: `PROXY TCP4 SOURCE DESTINATION PORT PORT`.
proxy_header_reader::state proxy_header_reader::read_line() noexcept {
  std::string_view rest = taken();
  if (!rest.ends_with("\r\n"))
    return state::bad;
  rest.remove_suffix(2);
  rest.remove_prefix(line_start.size());
  if (rest == "UNKNOWN" || rest.starts_with("UNKNOWN "))
    return state::whole; // whatever follows is to be ignored
  const auto family = next_word(rest);
  if (family != "TCP4" && family != "TCP6")
    return state::bad;
  const bool is_ipv6 = family == "TCP6";
  const auto source = address_of(next_word(rest), is_ipv6);
  const auto destination = address_of(next_word(rest), is_ipv6);
  const auto source_port = port_of(next_word(rest));
  const auto destination_port = port_of(rest);
  if (!source || !destination || !source_port || !destination_port)
    return state::bad;
  client_.emplace(*source, *source_port);
  return state::whole;
}

/// Something was taken of version 2.
void proxy_header_reader::take_of_binary() noexcept {
  if (size_ < binary_fixed)
    return;
  if (size_ == binary_fixed && !begin_binary())
    at_ = state::bad;
  else if (left_ == 0)
    at_ = read_addresses() ? state::whole : state::bad;
}

/// The fixed part is there (section 2.2): version and command, family and protocol, length.
bool proxy_header_reader::begin_binary() noexcept {
  const auto version = byte_at(head_.data(), 12);
  const auto family = byte_at(head_.data(), 13);
  left_ = word_at(head_.data(), 14);
  const bool is_known = version == 0x20 || version == 0x21; // LOCAL, PROXY
  return is_known && family >> 4U <= 3 && (family & 0x0FU) <= 2
         && left_ <= max_proxy_header_bytes - binary_fixed;
}

/// All of it is there.
bool proxy_header_reader::read_addresses() noexcept {
  constexpr std::uint8_t tcp4 = 0x11;
  constexpr std::uint8_t tcp6 = 0x21;
  constexpr std::uint8_t stream_of_unix = 0x31;
  const bool is_local = byte_at(head_.data(), 12) == 0x20;
  const std::size_t length = word_at(head_.data(), 14);
  const auto* const block = head_.data() + binary_fixed;
  switch (byte_at(head_.data(), 13)) {
  case tcp4:
    if (!is_local && length >= ipv4_block)
      client_.emplace(address_at<ip::address_v4>(block), word_at(block, 8));
    return is_local || length >= ipv4_block;
  case tcp6:
    if (!is_local && length >= ipv6_block)
      client_.emplace(address_at<ip::address_v6>(block), word_at(block, 32));
    return is_local || length >= ipv6_block;
  case stream_of_unix: return is_local || length >= unix_block;
  case 0: return true;      // the proxy does not know
  default: return is_local; // datagrams do not come over TCP
  }
}

} // namespace canang::net
