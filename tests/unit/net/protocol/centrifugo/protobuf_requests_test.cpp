#include "tests/support/described_request.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace canang::net::centrifugo {
namespace {

using namespace std::string_literals;
using test::described;

using examples = std::vector<std::pair<std::string, std::string>>;

constexpr std::uint64_t largest = 18446744073709551615U;

/// Of a copy that ends where its memory ends, so that AddressSanitizer sees a byte read too much.
std::string read(std::string_view message) {
  const std::vector<char> exact{message.begin(), message.end()};
  return described(protobuf_requests(), {exact.data(), exact.size()});
}

std::string varint(std::uint64_t number) {
  std::string bytes;
  for (; number >= 0x80; number >>= 7U)
    bytes += static_cast<char>(number | 0x80U);
  return bytes += static_cast<char>(number);
}

std::string number(std::uint64_t tag, std::uint64_t value) {
  return varint(tag << 3U) + varint(value);
}

std::string bytes(std::uint64_t tag, const std::string& value) {
  return varint(tag << 3U | 2U) + varint(value.size()) + value;
}

/// A field of a wire type, with what is behind the tag.
std::string raw(std::uint64_t tag, unsigned wire_type, const std::string& rest) {
  return varint(tag << 3U | wire_type) + rest;
}

std::string command(const std::string& body) { return varint(body.size()) + body; }

/// A command with an id and a method.
std::string asking(std::uint64_t tag, const std::string& body) {
  return command(number(1, 7) + bytes(tag, body));
}

const examples good{
  {"", ""},
  {"\0"s, "0 none;"},
  {command("") + command(number(1, 0)) + command(""), "0 none;0 none;0 none;"},
  {command(number(1, 4294967295)), "4294967295 unknown;"},
  {asking(4, bytes(1, "t") + bytes(2, "d") + bytes(4, "js") + bytes(5, "1.2") + number(7, 1)),
   "7 connect token=t data=d name=js version=1.2;"},
  {asking(4, bytes(3, bytes(1, "a"))), "7 connect sub=a?:0;"},
  {asking(4, bytes(3, bytes(1, "a") + bytes(2, number(3, 1) + bytes(6, "e") + number(7, 9)))
               + bytes(3, bytes(2, bytes(1, "x") + number(3, 0)) + bytes(1, "b") + number(9, 1))),
   "7 connect sub=a!e:9 sub=b?:0;"},
  {asking(5, bytes(1, "c") + bytes(2, "t") + number(3, 1) + bytes(6, "e") + number(7, largest)
               + bytes(8, "d") + number(9, 1) + number(10, 1) + number(11, 1)
               + bytes(12, "fossil")),
   "7 subscribe channel=c token=t data=d recover positioned recoverable join_leave epoch=e "
   "offset=18446744073709551615 delta=fossil;"},
  {asking(5, number(3, 0) + number(9, 256)), "7 subscribe positioned;"},
  {asking(5, raw(3, 0, "\x80\x02"s) + raw(9, 0, "\x80\x00"s)), "7 subscribe recover;"},
  {asking(6, bytes(1, "c")), "7 unsubscribe channel=c;"},
  {asking(7, bytes(1, "c") + bytes(2, "\xff\0\n"s)), "7 publish channel=c data=\xff\0\n;"s},
  {asking(8, bytes(1, "c")), "7 presence channel=c;"},
  {asking(9, bytes(1, "c")), "7 presence_stats channel=c;"},
  {asking(10, bytes(1, "c") + number(7, largest) + number(9, 1)
                + bytes(8, number(1, 3) + bytes(2, "e") + number(3, 1))),
   "7 history channel=c limit=-1 since=e:3 reverse;"},
  {asking(10, number(7, 0xFFFFFFFF) + bytes(8, "")), "7 history limit=-1 since=:0;"},
  {asking(11, ""), "7 ping;"},
  {command(bytes(12, bytes(1, "x"))), "0 send data=x;"},
  {asking(13, bytes(1, "x") + bytes(2, "m")), "7 rpc data=x method=m;"},
  {asking(14, bytes(1, "t")), "7 refresh token=t;"},
  {asking(15, bytes(1, "c") + bytes(2, "t")), "7 sub_refresh channel=c token=t;"},
  {asking(8, bytes(1, "\xc3\xa9\0"s)), "7 presence channel=\xc3\xa9\0;"s},
  // what is not known
  {command(bytes(16, "x") + number(2, 5) + number(1, 7)), "7 unknown;"},
  {command(bytes(16, "x")), "0 none;"},
  {asking(8, raw(3, 1, "12345678") + raw(4, 5, "1234") + number(536870911, 1) + bytes(1, "c")),
   "7 presence channel=c;"},
  // of equal fields the last counts, of methods the first
  {command(number(1, 1) + bytes(8, bytes(1, "a")) + number(1, 2) + bytes(8, "")), "2 presence;"},
  {asking(8, bytes(1, "a") + bytes(1, "b")), "7 presence channel=b;"},
  {asking(10, bytes(8, number(1, 3)) + bytes(8, bytes(2, "e"))), "7 history since=e:0;"},
  {command(bytes(13, bytes(1, "x")) + number(1, 7) + bytes(4, bytes(1, "t")) + bytes(7, "")),
   "7 connect token=t;"},
};

const examples bad{
  {"\x01", "a command that is not there"},
  {"\x80", "half a length"},
  {std::string(10, '\x80') + "\x01", "a length that is too long"},
  {varint(largest), "a length beyond all memory"},
  {varint(1ULL << 32U), "a length of 33 bits, of nothing"},
  {command("") + "\x05", "one behind another"},
  {command("\x80"), "half a tag"},
  {command(raw(0, 0, "\x01")), "tag 0"},
  {command(raw(1, 3, "")), "the begin of a group"},
  {command(raw(1, 4, "")), "the end of a group"},
  {command(raw(20, 6, "")), "no wire type"},
  {command(raw(20, 7, "")), "no wire type"},
  {command(raw(1, 0, "")), "an id that is not there"},
  {command(raw(1, 0, "\x80")), "half an id"},
  {command(number(1, 4294967296)), "an id too large"},
  {command(raw(1, 0, std::string(10, '\xff') + "\x01")), "an id that is too long"},
  {command(bytes(1, "7")), "an id that is a string"},
  {command(raw(1, 5, "1234")), "an id of fixed size"},
  {command(number(11, 1)), "a method that is a number"},
  {command(raw(11, 0, "\x08\x07")), "a method that is a number, before what could be an id"},
  {command(number(11, 1) + bytes(4, "")), "a method that does not count, and is a number"},
  {command(raw(11, 1, "12345678")), "a method of fixed size"},
  {command(varint(11U << 3U | 2U) + "\x02x"), "a method longer than its command"},
  {asking(11, "\x08"), "a ping with half a field"},
  {asking(20, "") + command(varint(20U << 3U | 2U) + "\x02x"), "what is not known, cut"},
  {asking(20, "") + command(raw(20, 1, "1234567")), "what is not known, cut"},
  {asking(20, "") + command(raw(20, 5, "123")), "what is not known, cut"},
  {asking(20, "") + command(raw(20, 0, "\xff")), "what is not known, cut"},
  {asking(8, number(1, 1)), "a channel that is a number"},
  {asking(7, number(2, 1)), "data that is a number"},
  {asking(4, number(3, 1)), "subs that are a number"},
  {asking(5, bytes(3, "\x01")), "a flag that is a string"},
  {asking(5, bytes(7, "\x01")), "an offset that is a string"},
  {asking(5, raw(7, 1, "12345678")), "an offset of fixed size"},
  {asking(10, bytes(7, "\x01")), "a limit that is a string"},
  {asking(10, number(8, 1)), "a place that is a number"},
  {asking(10, bytes(8, bytes(1, ""))), "a place with an offset that is a string"},
  {asking(10, bytes(8, number(2, 1))), "a place with an epoch that is a number"},
  {asking(10, bytes(8, "\x08")), "a place with half an offset"},
  {asking(10, bytes(8, bytes(2, "\xff"))), "a place with an epoch that is no UTF-8"},
};

TEST(protobuf_requests_test, reads_what_the_protocol_has) {
  for (const auto& [message, said] : good)
    EXPECT_EQ(read(message), said) << testing::PrintToString(message);
}

TEST(protobuf_requests_test, refuses_what_is_no_command) {
  for (const auto& [message, why] : bad)
    EXPECT_TRUE(read(message).ends_with("bad")) << why << ": " << read(message);
}

TEST(protobuf_requests_test, every_string_has_to_be_utf8) {
  for (const auto& one : request_fields)
    if (std::holds_alternative<text_field>(one.kind)) {
      const auto method_tag = static_cast<std::uint64_t>(one.of) + 3;
      EXPECT_FALSE(read(asking(method_tag, bytes(one.number, "\xc3\xa9"))).ends_with("bad"))
        << one.name;
      EXPECT_EQ(read(asking(method_tag, bytes(one.number, "\xc3"))), "bad") << one.name;
    }
}

TEST(protobuf_requests_test, a_message_that_is_cut_anywhere_says_nothing_else) {
  for (const auto& [message, said] : good)
    for (std::size_t size = 0; size < message.size(); ++size) {
      const auto cut = read(message.substr(0, size));
      const auto whole = cut.ends_with("bad") ? cut.substr(0, cut.size() - 3) : cut;
      EXPECT_TRUE(said.starts_with(whole))
        << testing::PrintToString(message) << ", cut at " << size;
    }
}

TEST(protobuf_requests_test, a_command_that_is_cut_anywhere_is_cut_where_a_field_ends_or_bad) {
  // Like the test before, with a length that is right: the end comes within fields.
  const auto whole = bytes(10, bytes(1, "c") + number(7, largest) + bytes(8, number(1, 300)));
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(read(command(whole.substr(0, size))), size == 0 ? "0 none;" : "bad") << size;
  const auto body = bytes(1, "c") + number(7, 300) + bytes(8, number(1, 300) + bytes(2, "e"));
  std::size_t read_well = 0;
  for (std::size_t size = 0; size <= body.size(); ++size)
    read_well += read(asking(10, body.substr(0, size))).ends_with("bad") ? 0 : 1;
  EXPECT_EQ(read_well, 4U); // of nothing, of one, of two and of three fields
}

TEST(protobuf_requests_test, nothing_is_read_after_a_fault) {
  auto& reader = protobuf_requests();
  request said;
  const auto message = "\0"s + command(bytes(1, "")) + "\0"s;
  reader.begin(message);
  EXPECT_EQ(reader.next(said), read_result::command);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(reader.next(said), read_result::bad);
  reader.begin("\0"s.substr(0, 0));
  EXPECT_EQ(reader.next(said), read_result::end);
  EXPECT_EQ(reader.next(said), read_result::end);
}

TEST(protobuf_requests_test, one_command_says_nothing_of_another) {
  EXPECT_EQ(
    read(asking(5, bytes(1, "a") + number(3, 1)) + asking(10, bytes(8, "")) + asking(11, "")),
    "7 subscribe channel=a recover;7 history since=:0;7 ping;");
}

TEST(protobuf_requests_test, a_message_has_so_many_commands_and_not_one_more) {
  EXPECT_FALSE(read(std::string(max_commands_in_message, '\0')).ends_with("bad"));
  EXPECT_TRUE(read(std::string(max_commands_in_message + 1, '\0')).ends_with("0 none;bad"));
}

} // namespace
} // namespace canang::net::centrifugo
