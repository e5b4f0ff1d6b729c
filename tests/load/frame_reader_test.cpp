#include "bench/load/frame_reader.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace canang::load {
namespace {

using namespace std::string_literals;
using status = frame_reader::status;

/// A frame of a server, with the first byte as given.
std::string frame(unsigned first_byte, const std::string& payload) {
  std::string out(1, static_cast<char>(first_byte));
  const auto n = payload.size();
  if (n < 126) {
    out += static_cast<char>(n);
  } else if (n <= 0xFFFF) {
    out += '\x7E';
    out += static_cast<char>(n >> 8);
    out += static_cast<char>(n & 0xFF);
  } else {
    out += '\x7F';
    for (unsigned i = 8; i-- > 0;)
      out += static_cast<char>(n >> (8 * i) & 0xFF);
  }
  return out + payload;
}

/// Feeds as a worker does: what was kept, then new bytes, in one buffer.
class frame_reader_test : public testing::Test {
public:
  bool on_message(opcode op, std::string_view payload) {
    seen.emplace_back((op == opcode::text ? "text " : "binary ") + std::string{payload});
    return !stop;
  }
  bool on_control(opcode op, std::string_view payload) {
    seen.emplace_back(std::to_string(static_cast<int>(op)) + " " + std::string{payload});
    return !stop;
  }

protected:
  status feed(std::string_view bytes) {
    std::string buffer(reader.kept() + bytes.size(), '\0');
    const auto kept = reader.restore(buffer.data());
    bytes.copy(buffer.data() + kept, bytes.size());
    return reader.feed(buffer, *this);
  }

  frame_reader reader;
  std::vector<std::string> seen;
  bool stop = false;
};

using lines = std::vector<std::string>;

TEST_F(frame_reader_test, cuts_many_frames_out_of_one_segment) {
  EXPECT_EQ(feed(frame(0x81, "a") + frame(0x82, "b") + frame(0x81, "")), status::open);
  EXPECT_EQ(seen, (lines{"text a", "binary b", "text "}));
  EXPECT_EQ(reader.kept(), 0U);
}

TEST_F(frame_reader_test, understands_every_length_cut_at_every_byte) {
  for (std::size_t n : {0U, 1U, 125U, 126U, 127U, 300U}) {
    const std::string payload(n, 'x');
    const auto bytes = frame(0x81, payload) + frame(0x81, "next");
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
      reader = {};
      seen.clear();
      ASSERT_EQ(feed(bytes.substr(0, cut)), status::open);
      ASSERT_EQ(feed(bytes.substr(cut)), status::open);
      ASSERT_EQ(seen, (lines{"text " + payload, "text next"})) << n << " cut at " << cut;
    }
  }
}

TEST_F(frame_reader_test, takes_single_bytes) {
  for (char c : frame(0x82, std::string(200, 'y')) + frame(0x89, "p"))
    ASSERT_EQ(feed({&c, 1}), status::open);
  EXPECT_EQ(seen, (lines{"binary " + std::string(200, 'y'), "9 p"}));
}

TEST_F(frame_reader_test, says_how_large_a_buffer_a_large_frame_wants) {
  const auto bytes = frame(0x82, std::string(70'000, 'z'));
  EXPECT_EQ(feed(bytes.substr(0, 5'000)), status::open);
  EXPECT_EQ(reader.wanted(), bytes.size());
  EXPECT_EQ(feed(bytes.substr(5'000)), status::open);
  EXPECT_EQ(reader.wanted(), 0U);
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].size(), 7 + 70'000U);
}

TEST_F(frame_reader_test, joins_fragments_around_control_frames) {
  EXPECT_EQ(feed(frame(0x01, "he") + frame(0x89, "ping") + frame(0x00, "l") + frame(0x80, "lo")
                 + frame(0x81, "next")),
            status::open);
  EXPECT_EQ(seen, (lines{"9 ping", "text hello", "text next"}));
}

TEST_F(frame_reader_test, refuses_what_a_server_must_not_send) {
  const auto masked = "\x81\x81"s + "maskx";
  const auto huge = "\x82\x7F\xFF\0\0\0\0\0\0\0"s;
  const auto too_large = "\x82\x7F\0\0\0\x01\0\0\0\0"s;
  for (const auto& bytes :
       {masked, huge, too_large, frame(0xC1, "reserved bit"), frame(0x83, "opcode"),
        frame(0x80, "nothing to continue"), frame(0x09, "ping in fragments"),
        frame(0x89, std::string(126, 'p')), frame(0x01, "a") + frame(0x81, "b")}) {
    reader = {};
    EXPECT_EQ(feed(bytes), status::malformed) << bytes;
  }
}

TEST_F(frame_reader_test, stops_when_told) {
  stop = true;
  EXPECT_EQ(feed(frame(0x88, "\x03\xE8"s) + frame(0x81, "after")), status::stopped);
  EXPECT_EQ(seen.size(), 1U);
}

TEST(frame, is_masked_when_a_client_sends_it) {
  for (std::size_t n : {0U, 5U, 125U, 126U, 65'535U, 65'536U}) {
    const std::string payload(n, 'q');
    std::string out;
    append_frame(out, opcode::text, payload, 0x01020304);
    const std::size_t header = n < 126 ? 2 : n <= 0xFFFF ? 4 : 10;
    ASSERT_EQ(out.size(), header + 4 + n);
    EXPECT_EQ(static_cast<unsigned char>(out[0]), 0x81);
    EXPECT_NE(static_cast<unsigned char>(out[1]) & 0x80, 0);
    EXPECT_EQ(out.substr(header, 4), "\x01\x02\x03\x04"s);
    for (std::size_t i = 0; i < n; ++i)
      ASSERT_EQ(out[header + 4 + i] ^ static_cast<char>(i % 4 + 1), 'q');
  }
}

TEST(frame, may_not_have_the_high_bit_in_its_length) {
  frame_header h;
  const auto parse = [&h](const std::string& bytes) {
    return parse_header(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), h);
  };
  EXPECT_EQ(parse("\x82\x7F\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s), parse_result::complete);
  EXPECT_EQ(parse("\x82\x7F\x80\0\0\0\0\0\0\0"s), parse_result::malformed);
}

TEST(frame, tells_the_close_code) {
  EXPECT_EQ(close_code(""), 1005);
  EXPECT_EQ(close_code("\x03\xF0 too slow"s), 1008);
}

} // namespace
} // namespace canang::load
