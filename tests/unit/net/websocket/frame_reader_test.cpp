// The rules of RFC 6455 for what a client sends, each with its section's number (RFC 7692's where
// it says so). Messages, their limits and their UTF-8 are in frame_reader_message_test.cpp; bytes
// cut anywhere in frame_reader_model_test.cpp.

#include "net/websocket/frame_reader.hpp"

#include "net/frame.hpp"
#include "net/limits.hpp"
#include "tests/unit/support/client_frames.hpp"

#include <set>

namespace canang::net {
namespace {

using namespace std::string_literals;
using namespace canang::test;
using fault = frame_reader::fault;

constexpr unsigned known_opcodes[] = {continuation, text, binary, close, ping, pong};

/// A message that has begun, for what may only follow one.
const std::string opening = fragment_of("a", binary);

TEST(frame_reader, is_small) { EXPECT_LE(sizeof(frame_reader), 16U); }

TEST(frame_reader, asks_for_more_when_there_is_nothing) {
  EXPECT_EQ(said_by(""), transcript{});
  frame_reader reader;
  std::span<char> nothing;
  EXPECT_EQ(reader.next(nothing, 100).what, frame_reader::kind::need_more);
  EXPECT_EQ(reader.awaited(), 0U);
}

TEST(frame_reader, section_5_1_refuses_what_is_not_masked) {
  for (const auto code : known_opcodes) {
    const auto before = code == continuation ? opening : ""s;
    const client_frame bare{.opcode = code, .payload = "\x03\xe8", .masked = false};
    EXPECT_EQ(fault_of(before + bytes_of(bare)), fault::not_masked) << code;
    const client_frame empty{.opcode = code, .masked = false};
    EXPECT_EQ(fault_of(before + bytes_of(empty)), fault::not_masked)
      << code << ": two bytes are all there will be";
  }
}

TEST(frame_reader, section_5_7_reads_the_examples_of_the_rfc) {
  EXPECT_EQ(said_by("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), transcript{"text Hello"});
  EXPECT_EQ(said_by("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), transcript{"pong Hello"});
}

TEST(frame_reader, section_5_3_unmasks_payloads_of_any_length_at_any_address) {
  for (std::size_t size = 0; size < 70; ++size) {
    std::string payload;
    for (std::size_t i = 0; i < size; ++i)
      payload += static_cast<char>(i * 37 + 11);
    const auto frame =
      bytes_of({.opcode = binary, .payload = payload, .key = {0x01, 0x80, 0xfe, 0x5a}});
    for (std::size_t offset = 0; offset < 16; ++offset) {
      std::vector<char> memory(offset + frame.size() + 8, 'u');
      std::copy(frame.begin(), frame.end(), memory.begin() + static_cast<std::ptrdiff_t>(offset));
      std::span<char> input{memory.data() + offset, frame.size()};
      frame_reader reader;
      const auto item = reader.next(input, 100);
      ASSERT_EQ(item.what, frame_reader::kind::data);
      ASSERT_EQ((std::string{item.payload.begin(), item.payload.end()}), payload)
        << size << " bytes at " << offset;
      ASSERT_TRUE(item.ends_message);
      ASSERT_TRUE(input.empty());
      for (std::size_t i = 0; i < 8; ++i)
        ASSERT_EQ(memory[offset + frame.size() + i], 'u') << "what lies behind is not touched";
      for (std::size_t i = 0; i < offset; ++i)
        ASSERT_EQ(memory[i], 'u') << "what lies before is not touched";
    }
  }
}

TEST(frame_reader, section_5_3_takes_any_key_for_each_frame) {
  const std::array<unsigned char, 4> keys[] = {
    {0, 0, 0, 0}, {0, 0, 0, 1}, {0xff, 0xff, 0xff, 0xff}, {0xff, 0, 0, 0x80}};
  std::string stream;
  transcript expected;
  for (const auto& key : keys) {
    stream += bytes_of({.payload = "h\u00e9llo, caf\u00e9s", .key = key});
    stream += bytes_of({.opcode = ping, .payload = "are you there?", .key = key});
    expected.insert(expected.end(), {"text h\u00e9llo, caf\u00e9s", "ping are you there?"});
  }
  EXPECT_EQ(said_by(stream), expected);
}

TEST(frame_reader, section_5_2_refuses_reserved_bits) {
  for (const auto code : known_opcodes)
    for (unsigned rsv = 1; rsv < 8; ++rsv) {
      const auto before = code == continuation ? opening : ""s;
      const client_frame frame{.opcode = code, .payload = "\x03\xe8", .rsv = rsv};
      EXPECT_EQ(fault_of(before + bytes_of(frame)), fault::reserved_bits) << code << ' ' << rsv;
    }
}

TEST(frame_reader, rfc_7692_section_6_allows_rsv1_on_the_first_frame_of_a_message_only) {
  for (const auto code : known_opcodes)
    for (unsigned rsv = 1; rsv < 8; ++rsv) {
      const auto before = code == continuation ? opening : ""s;
      const client_frame frame{.opcode = code, .payload = "\x03\xe8", .rsv = rsv};
      const bool is_allowed = rsv == 4 && (code == text || code == binary);
      EXPECT_EQ(fault_of(before + bytes_of(frame), 100, true),
                is_allowed ? fault::none : fault::reserved_bits)
        << code << ' ' << rsv;
    }
  const auto compressed = bytes_of({.payload = "x", .fin = false, .rsv = 4});
  EXPECT_EQ(fault_of(compressed + bytes_of({.opcode = continuation, .rsv = 4}), 100, true),
            fault::reserved_bits)
    << "not inside a compressed message either";
}

TEST(frame_reader, a_compressed_message_is_limited_where_larger_ones_are_allowed) {
  constexpr std::size_t large = 1U << 30U;
  constexpr auto most = frame_reader::max_compressed_bytes(max_inflated_bytes);
  const auto announced = [](std::size_t size, unsigned rsv) {
    auto head = bytes_of({.payload = std::string(70'000, 'a'), .rsv = rsv}).substr(0, 14);
    for (std::size_t i = 0; i < 8; ++i)
      head[2 + i] = static_cast<char>(size >> (56 - 8 * i) & 0xFFU);
    return head;
  };
  EXPECT_EQ(fault_of(announced(most, 4), large, true), fault::none);
  EXPECT_EQ(fault_of(announced(most + 1, 4), large, true), fault::too_big);
  EXPECT_EQ(fault_of(announced(most + 1, 0), large, true), fault::none);
}

TEST(frame_reader, rfc_7692_section_6_tells_which_messages_are_compressed) {
  const auto stream = bytes_of({.opcode = text, .payload = "a\xff", .fin = false, .rsv = 4})
                      + frame_of("p", ping) + fragment_of("\xff\xff") + frame_of("", continuation)
                      + frame_of("plain") + bytes_of({.opcode = binary, .payload = "b", .rsv = 4})
                      + frame_of("", binary) + bytes_of({.payload = "", .rsv = 4});
  const transcript expected{"ping p",     "compressed text a\xff\xff\xff",
                            "text plain", "compressed binary b",
                            "binary ",    "compressed text "};
  EXPECT_EQ(said_by(stream, 100, true), expected);
}

TEST(frame_reader, section_8_1_is_the_callers_only_for_compressed_messages) {
  const auto compressed = bytes_of({.payload = "\xe2\x82", .rsv = 4});
  EXPECT_EQ(fault_of(compressed + frame_of("\xff"), 100, true), fault::not_utf8);
  EXPECT_EQ(said_by(compressed + frame_of("\xe2\x82\xac"), 100, true),
            (transcript{"compressed text \xe2\x82", "text \xe2\x82\xac"}))
    << "half a character in it is no part of the next message";
}

TEST(frame_reader, section_5_2_knows_six_opcodes) {
  for (unsigned code = 0; code < 16; ++code)
    for (const bool fin : {false, true})
      for (const bool is_inside : {false, true}) {
        const auto got =
          fault_of((is_inside ? opening : ""s) + bytes_of({.opcode = code, .fin = fin}));
        const bool is_reserved = (code > 2 && code < 8) || code > 10;
        EXPECT_EQ(got == fault::opcode, is_reserved) << code;
      }
}

TEST(frame_reader, section_5_2_takes_each_length_in_its_shortest_form) {
  for (const std::size_t size : {0U, 1U, 124U, 125U, 126U, 127U, 128U, 255U, 256U, 65534U, 65535U,
                                 65536U, 65537U, 70'000U, 0x12345U})
    for (const auto code : {text, binary}) {
      const std::string payload(size, 'x');
      EXPECT_EQ(said_by(frame_of(payload, code) + frame_of("next")),
                (transcript{described(code == text, false, payload), "text next"}))
        << size;
    }
}

TEST(frame_reader, section_5_2_refuses_a_longer_form) {
  for (const std::size_t size : {0U, 1U, 124U, 125U})
    EXPECT_EQ(
      fault_of(header_of({.form = length_form::in_16_bits, .announced = std::uint64_t{size}})),
      fault::length_form)
      << size;
  for (const std::size_t size : {0U, 1U, 125U, 126U, 127U, 65534U, 65535U})
    EXPECT_EQ(
      fault_of(header_of({.form = length_form::in_64_bits, .announced = std::uint64_t{size}})),
      fault::length_form)
      << size;
}

TEST(frame_reader, section_5_2_refuses_a_64_bit_length_with_its_highest_bit_set) {
  for (const std::uint64_t low : {0ULL, 1ULL, 70'000ULL, 0x7fffffffffffffffULL})
    for (const std::size_t limit : {std::size_t{100}, SIZE_MAX}) {
      const client_frame frame{.opcode = binary, .announced = (1ULL << 63U) | low};
      EXPECT_EQ(fault_of(header_of(frame), limit), fault::length_form) << low;
    }
}

TEST(frame_reader, section_5_5_refuses_control_frames_over_125_bytes) {
  for (const auto code : {close, ping, pong}) {
    for (const std::size_t size : {0U, 124U, 125U}) {
      const auto payload = code == close && size > 0 ? "\x03\xe8" + std::string(size - 2, 'x')
                                                     : std::string(size, 'x');
      EXPECT_EQ(fault_of(frame_of(payload, code)), fault::none) << size;
    }
    for (const std::size_t size : {126U, 65535U, 65536U})
      EXPECT_EQ(fault_of(header_of({.opcode = code, .announced = std::uint64_t{size}})),
                fault::control_too_long)
        << size;
  }
}

TEST(frame_reader, section_5_5_refuses_fragmented_control_frames) {
  for (const auto code : {close, ping, pong})
    for (const auto& before : {""s, opening})
      EXPECT_EQ(fault_of(before + fragment_of("\x03\xe8", code)), fault::control_fragmented);
}

TEST(frame_reader, section_5_5_2_and_5_5_3_hands_on_any_bytes_of_pings_and_pongs) {
  const auto odd = "\xff\x00\x80\xc3"s;
  EXPECT_EQ(
    said_by(frame_of("", ping) + frame_of(odd, ping) + frame_of("", pong) + frame_of(odd, pong)),
    (transcript{"ping ", "ping " + odd, "pong ", "pong " + odd}));
}

TEST(frame_reader, section_5_5_1_reads_close_frames) {
  EXPECT_EQ(said_by(frame_of("", close)), transcript{"close 1005 "}) << "7.1.5: none was given";
  EXPECT_EQ(said_by(close_frame_of(1000)), transcript{"close 1000 "});
  EXPECT_EQ(said_by(close_frame_of(4999, "so long, \u20ac")),
            transcript{"close 4999 so long, \u20ac"});
  const std::string longest(123, 'r');
  EXPECT_EQ(said_by(close_frame_of(3000, longest)), transcript{"close 3000 " + longest});
  EXPECT_EQ(fault_of(frame_of("\x03", close)), fault::close_size);
}

TEST(frame_reader, section_5_5_1_nothing_is_read_behind_a_close_frame) {
  EXPECT_EQ(said_by(close_frame_of(1001, "bye") + "\x81"), transcript{"close 1001 bye"});
  EXPECT_EQ(said_by(opening + close_frame_of(1001)), transcript{"close 1001 "})
    << "it may come inside a message";
}

TEST(frame_reader, section_7_4_takes_the_close_codes_that_a_client_may_send) {
  for (unsigned code = 0; code <= 0xFFFF; ++code) {
    const bool is_valid = is_close_code(static_cast<std::uint16_t>(code));
    for (const std::string_view reason : {"", "why"}) {
      ASSERT_EQ(said_by(close_frame_of(code, reason)),
                transcript{is_valid ? "close " + std::to_string(code) + ' ' + std::string{reason}
                                    : "fault 1002"});
      ASSERT_EQ(fault_of(close_frame_of(code, reason)), is_valid ? fault::none : fault::close_code)
        << code;
    }
  }
}

TEST(frame_reader, section_8_1_refuses_a_reason_that_is_no_utf8) {
  const std::string_view bad[] = {"\xff",     "ok until \x80", "cut \xe2\x82",
                                  "\xc0\xaf", "\xed\xa0\x80",  "\xf4\x90\x80\x80"};
  for (const auto reason : bad)
    EXPECT_EQ(fault_of(close_frame_of(1000, reason)), fault::close_reason_not_utf8) << reason;
}

TEST(frame_reader, section_7_4_1_has_a_close_code_and_a_text_for_each_fault) {
  std::set<std::string> texts;
  for (auto i = static_cast<int>(fault::none) + 1;
       i <= static_cast<int>(fault::close_reason_not_utf8); ++i) {
    const auto wrong = static_cast<fault>(i);
    const bool is_about_content = wrong == fault::not_utf8 || wrong == fault::not_deflate
                                  || wrong == fault::close_reason_not_utf8;
    EXPECT_EQ(close_code_of(wrong), wrong == fault::too_big ? 1009
                                    : is_about_content      ? 1007
                                                            : 1002)
      << i;
    const std::string text = text_of(wrong);
    EXPECT_GE(text.size(), 5U) << i;
    EXPECT_LE(text.size(), 123U) << "5.5: it goes into a control frame";
    EXPECT_TRUE(texts.insert(text).second) << text << " is said of two faults";
  }
}

} // namespace
} // namespace canang::net
