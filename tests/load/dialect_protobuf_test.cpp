#include "tests/load/found.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

// What goes over the wire is written out here byte by byte, from definitions/client.proto of
// https://github.com/centrifugal/protocol: a field begins with its number times 8, plus 2 for one
// with a length.

namespace canang::load {
namespace {

using namespace std::string_literals;

/// A number as a varint.
std::string number(std::size_t n) {
  std::string out;
  for (; n > 0x7F; n >>= 7)
    out += static_cast<char>(0x80 | (n & 0x7F));
  out += static_cast<char>(n);
  return out;
}

/// Bytes behind their length, as the value of a field or as a message of the connection.
std::string sized(const std::string& bytes) { return number(bytes.size()) + bytes; }

/// A publication of a room, as the server pushes it: Reply{push{channel, pub{data, ...}}}.
std::string push(const std::string& room, const std::string& data, const std::string& more = {}) {
  const auto publication = "\x22"s + sized(data) + more;
  return sized("\x22"s + sized("\x12"s + sized(room) + "\x22"s + sized(publication)));
}

class centrifuge_protobuf_dialect : public testing::Test {
protected:
  bool decode(const std::string& message, std::string_view room = "load-7") {
    return language->decode(message, room, got);
  }
  std::unique_ptr<dialect> language = make_dialect("centrifuge-protobuf");
  found got;
};

TEST_F(centrifuge_protobuf_dialect, asks_for_its_format_and_connects_and_subscribes_at_once) {
  EXPECT_EQ(language->handshake_target("/", "", "r"), "/connection/websocket");
  EXPECT_EQ(language->handshake_target("/c", "a=1", "r"), "/c?a=1");
  EXPECT_EQ(language->subprotocol(), "centrifuge-protobuf");
  EXPECT_TRUE(language->is_binary());
  EXPECT_FALSE(language->is_transparent());
  EXPECT_EQ(language->opening("load-7"), "\x04\x08\x01\x22\x00"s
                                         "\x0c\x08\x02\x2a\x08\x0a\x06load-7"s);
}

TEST_F(centrifuge_protobuf_dialect, joins_when_subscribed_not_when_connected) {
  EXPECT_TRUE(decode(sized("\x08\x01\x2a\x05\x0a\x01"
                           "c\x38\x19"s)));
  EXPECT_EQ(got.joined, 0);
  EXPECT_TRUE(decode(sized("\x08\x02\x32\x00"s)));
  EXPECT_EQ(got.joined, 1);
  EXPECT_EQ(got.refused, "");
}

TEST_F(centrifuge_protobuf_dialect, connects_without_a_room_when_there_is_none) {
  EXPECT_TRUE(language->may_join_none());
  EXPECT_EQ(language->opening(""), "\x04\x08\x01\x22\x00"s);
  EXPECT_TRUE(decode(sized("\x08\x01\x2a\x00"s), ""));
  EXPECT_EQ(got.joined, 1);
}

TEST_F(centrifuge_protobuf_dialect, publishes_the_bytes_as_they_are) {
  std::string message = "what was there";
  language->encode_publish("load-7", sample(64), message);
  const auto request = "\x0a"s + sized("load-7") + "\x12"s + sized(sample(64));
  EXPECT_EQ(message, sized("\x08\x03\x3a"s + sized(request)));
}

TEST_F(centrifuge_protobuf_dialect, finds_all_publications_of_a_message) {
  const auto stored = sized("\x08\x03\x42\x00"s);
  EXPECT_TRUE(decode(push("load-7", "one") + stored + push("load-7", "two", "\x30\x05"s)));
  EXPECT_EQ(got.publications, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(got.joined, 0);
}

TEST_F(centrifuge_protobuf_dialect, passes_a_payload_of_every_length_on_unchanged) {
  const auto info = "\x2a\x05\x12\x03\x61\x62\x63"s; // who published
  for (const std::size_t size : {24U, 64U, 100U, 128U, 4096U, 40000U}) {
    EXPECT_TRUE(decode(push("load-7", sample(size), info + "\x30\xac\x02"s)));
    EXPECT_EQ(got.publications.back(), sample(size));
  }
}

TEST_F(centrifuge_protobuf_dialect, answers_each_ping) {
  EXPECT_TRUE(decode("\0"s));
  EXPECT_TRUE(decode(push("load-7", "one") + "\0"s));
  EXPECT_EQ(got.replies, (std::vector<std::string>{"\0"s, "\0"s}));
  EXPECT_EQ(got.publications.size(), 1U);
}

TEST_F(centrifuge_protobuf_dialect, reports_a_refusal) {
  EXPECT_TRUE(decode(sized("\x08\x02\x12"s + sized("\x08\x67\x12\x02no"s))));
  EXPECT_EQ(got.refused, "error 103: no");
  EXPECT_EQ(got.joined, 0);
  EXPECT_TRUE(decode(sized("\x22"s + sized("\x5a"s + sized("\x08\xb8\x17\x12\x03"s + "bye")))));
  EXPECT_EQ(got.refused, "disconnect 3000: bye");
}

TEST_F(centrifuge_protobuf_dialect, reports_that_the_server_took_it_out_of_its_room) {
  const auto room = "\x12"s + sized("load-7");
  EXPECT_TRUE(
    decode(sized("\x22"s + sized(room + "\x3a"s + sized("\x10\xc4\x13\x1a\x04"s + "lost")))));
  EXPECT_EQ(got.refused, "unsubscribed 2500: lost");
}

TEST_F(centrifuge_protobuf_dialect, ignores_who_comes_and_goes) {
  const auto room = "\x12"s + sized("load-7");
  EXPECT_TRUE(decode(sized("\x22"s + sized(room + "\x2a\x00"s)))); // a join
  EXPECT_TRUE(decode(sized("\x22"s + sized(room + "\x32\x00"s)))); // a leave
  EXPECT_TRUE(got.publications.empty());
  EXPECT_EQ(got.refused, "");
}

TEST_F(centrifuge_protobuf_dialect, does_not_take_publications_of_another_room) {
  EXPECT_FALSE(decode(push("load-77", "x")));
  EXPECT_FALSE(decode(push("load-8", "x")));
  EXPECT_FALSE(decode(push("", "x")));
  EXPECT_TRUE(got.publications.empty());
}

TEST_F(centrifuge_protobuf_dialect, takes_no_half_messages_and_no_json) {
  const auto whole = push("load-7", sample(64));
  for (std::size_t size = 1; size < whole.size(); ++size)
    EXPECT_FALSE(decode(whole.substr(0, size))) << size;
  EXPECT_FALSE(decode(R"({"push":{"channel":"load-7","pub":{"data":"x"}}})"));
  EXPECT_FALSE(decode("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"s)); // an endless length
  EXPECT_FALSE(decode(sized("\x22\x05"s))); // a push of five bytes, not there
  EXPECT_FALSE(decode(sized("\x20\x05"s))); // a push that is a number
  EXPECT_TRUE(got.publications.empty());
}

} // namespace
} // namespace canang::load
