#include "net/socket/proxy_protocol.hpp"

#include "net/limits.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace canang::net {
namespace {

using namespace std::string_literals;
using state = proxy_header_reader::state;

const std::string signature = "\r\n\r\n\0\r\nQUIT\n"s;
const std::string ipv4_addresses = "\xCB\x00\x71\x09\x0A\x00\x00\x01\x12\x34\x1F\x40"s;
const std::string ipv6_addresses = "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x01"s
                                   + "\xFD\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02"s + "\x12\x34\x1F\x40"s;

std::string binary(int version_and_command, int family, const std::string& rest) {
  return signature + static_cast<char>(version_and_command) + static_cast<char>(family)
         + static_cast<char>(rest.size() >> 8U) + static_cast<char>(rest.size() & 0xFFU) + rest;
}

struct outcome {
  state at;
  std::size_t used;
  std::string client{};

  bool operator==(const outcome&) const = default;
};

std::ostream& operator<<(std::ostream& out, const outcome& what) {
  return out << static_cast<int>(what.at) << ' ' << what.used << ' ' << what.client;
}

std::string text_of(const proxy_header_reader& reader) {
  if (!reader.client())
    return {};
  return reader.client()->address().to_string() + ' ' + std::to_string(reader.client()->port());
}

outcome read(std::string_view bytes) {
  proxy_header_reader reader;
  const auto used = reader.take(bytes);
  return {reader.at(), used, text_of(reader)};
}

/// The same in two pieces, cut at `cut`.
outcome read_cut(std::string_view bytes, std::size_t cut) {
  proxy_header_reader reader;
  auto used = reader.take(bytes.substr(0, cut));
  if (reader.at() == state::more)
    used += reader.take(bytes.substr(cut));
  return {reader.at(), used, text_of(reader)};
}

outcome read_bytewise(std::string_view bytes) {
  proxy_header_reader reader;
  std::size_t used = 0;
  for (std::size_t i = 0; i < bytes.size() && reader.at() == state::more; ++i)
    used += reader.take(bytes.substr(i, 1));
  return {reader.at(), used, text_of(reader)};
}

/// Headers with who they name.
const std::vector<std::pair<std::string, std::string>> good{
  {"PROXY TCP4 203.0.113.9 10.0.0.1 4660 8000\r\n", "203.0.113.9 4660"},
  {"PROXY TCP6 2001:db8::1 fd00::2 65535 0\r\n", "2001:db8::1 65535"},
  {"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
   "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
   "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535"},
  {"PROXY UNKNOWN\r\n", ""},
  {"PROXY UNKNOWN whatever 1 2 3\r\n", ""},
  {binary(0x21, 0x11, ipv4_addresses), "203.0.113.9 4660"},
  {binary(0x21, 0x11, ipv4_addresses + std::string(300, 'T')), "203.0.113.9 4660"},
  {binary(0x21, 0x21, ipv6_addresses), "2001:db8::1 4660"},
  {binary(0x21, 0x21, ipv6_addresses + "\x03\0\x04"s + "abcd"), "2001:db8::1 4660"},
  {binary(0x21, 0x31, std::string(216, '\0')), ""},
  {binary(0x20, 0x00, ""), ""},
  {binary(0x20, 0x11, ipv4_addresses), ""}, // LOCAL: the proxy's own
  {binary(0x20, 0x12, ipv4_addresses), ""},
  {binary(0x21, 0x00, ""), ""},
  {binary(0x21, 0x00, std::string(40, 'x')), ""},
  {binary(0x21, 0x11, ipv4_addresses + std::string(max_proxy_header_bytes - 16 - 12, '\0')),
   "203.0.113.9 4660"},
};

TEST(proxy_header_reader, reads_each_header_and_leaves_what_is_behind_it) {
  for (const auto& [header, client] : good) {
    EXPECT_EQ(read(header), (outcome{state::whole, header.size(), client})) << header;
    EXPECT_EQ(read(header + "GET / HTTP/1.1\r\n"), (outcome{state::whole, header.size(), client}));
    EXPECT_EQ(read(header + header), (outcome{state::whole, header.size(), client}));
  }
}

TEST(proxy_header_reader, reads_the_same_wherever_it_is_cut) {
  for (const auto& [header, client] : good) {
    const auto stream = header + "\x16\x03\x01";
    const outcome whole{state::whole, header.size(), client};
    for (std::size_t cut = 0; cut < stream.size(); ++cut)
      ASSERT_EQ(read_cut(stream, cut), whole) << header << " cut at " << cut;
    EXPECT_EQ(read_bytewise(stream), whole) << header;
  }
}

TEST(proxy_header_reader, awaits_more_at_every_place_before_the_end) {
  for (const auto& [header, client] : good)
    for (std::size_t size = 0; size < header.size(); ++size)
      ASSERT_EQ(read(header.substr(0, size)), (outcome{state::more, size})) << header << size;
}

TEST(proxy_header_reader, refuses_a_line_that_is_not_exactly_one) {
  for (const std::string line :
       {"TCP4 203.0.113.9 10.0.0.1 4660 8000\n", "TCP4 203.0.113.9 10.0.0.1 4660\r\n",
        "TCP4 203.0.113.9 10.0.0.1 4660 8000 \r\n", "TCP4 203.0.113.9 10.0.0.1 4660 8000 9\r\n",
        "TCP4  203.0.113.9 10.0.0.1 4660 8000\r\n", "TCP4 203.0.113.9\t10.0.0.1 4660 8000\r\n",
        "TCP4 203.0.113.9 10.0.0.1 04660 8000\r\n", "TCP4 203.0.113.9 10.0.0.1 65536 8000\r\n",
        "TCP4 203.0.113.9 10.0.0.1 -1 8000\r\n", "TCP4 203.0.113.256 10.0.0.1 1 2\r\n",
        "TCP4 203.0.113 10.0.0.1 1 2\r\n", "TCP4 2001:db8::1 fd00::2 1 2\r\n",
        "TCP6 203.0.113.9 10.0.0.1 1 2\r\n", "TCP6 fe80::1%lo fd00::2 1 2\r\n",
        "TCP5 203.0.113.9 10.0.0.1 1 2\r\n", "tcp4 203.0.113.9 10.0.0.1 1 2\r\n", "\r\n",
        "UNKNOWNS\r\n", "TCP4\r\n"}) {
    const auto header = "PROXY " + line;
    EXPECT_EQ(read(header), (outcome{state::bad, header.size()})) << line;
    EXPECT_EQ(read_bytewise(header), (outcome{state::bad, header.size()})) << line;
  }
}

TEST(proxy_header_reader, refuses_a_line_without_an_end_at_its_longest) {
  EXPECT_EQ(read("PROXY UNKNOWN " + std::string(200, 'x')), (outcome{state::bad, 107}));
  const auto longest = "PROXY UNKNOWN " + std::string(91, 'x') + "\r\n";
  EXPECT_EQ(longest.size(), 107U);
  EXPECT_EQ(read(longest), (outcome{state::whole, 107}));
}

TEST(proxy_header_reader, refuses_a_binary_header_that_is_not_exactly_one) {
  for (const int version : {0x00, 0x11, 0x22, 0x2F, 0x31})
    EXPECT_EQ(read(binary(version, 0x11, ipv4_addresses)).at, state::bad) << version;
  for (const int family : {0x41, 0xF1, 0x13, 0x1F, 0x12, 0x22, 0x32, 0x10, 0x01})
    EXPECT_EQ(read(binary(0x21, family, ipv6_addresses)).at, state::bad) << family;
  EXPECT_EQ(read(binary(0x21, 0x11, ipv4_addresses.substr(1))).at, state::bad);
  EXPECT_EQ(read(binary(0x21, 0x21, ipv6_addresses.substr(1))).at, state::bad);
  EXPECT_EQ(read(binary(0x21, 0x31, std::string(215, '\0'))).at, state::bad);
}

TEST(proxy_header_reader, refuses_one_over_the_limit_before_it_has_come) {
  const auto too_long = binary(0x21, 0x11, std::string(max_proxy_header_bytes - 15, '\0'));
  EXPECT_EQ(read(too_long), (outcome{state::bad, 16}));
}

TEST(proxy_header_reader, says_of_anything_else_that_it_is_none_and_what_it_took) {
  for (const auto& bytes :
       {"GET / HTTP/1.1\r\n"s, "PROPFIND / HTTP/1.1\r\n"s, "PROXY\tTCP4"s, "proxy TCP4 "s,
        "\x16\x03\x01\x02"s, "\r\nGET / HTTP/1.1\r\n"s, "\r\n\r\n\0\r\nQUIT\r"s, "\0"s}) {
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
      proxy_header_reader reader;
      auto used = reader.take(std::string_view{bytes}.substr(0, cut));
      if (reader.at() == state::more)
        used += reader.take(std::string_view{bytes}.substr(cut));
      EXPECT_EQ(reader.at(), state::none) << bytes;
      EXPECT_EQ(reader.taken(), bytes.substr(0, used)) << bytes;
      EXPECT_LT(used, bytes.size());
      EXPECT_FALSE(reader.client());
    }
  }
}

} // namespace
} // namespace canang::net
