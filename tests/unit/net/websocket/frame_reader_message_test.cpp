// Messages of the frame reader: their order of fragments (RFC 6455, 5.4), their limit (7.4.1),
// their UTF-8 (8.1).

#include "net/websocket/frame_reader.hpp"
#include "tests/unit/support/client_frames.hpp"

namespace canang::net {
namespace {

using namespace std::string_literals;
using namespace canang::test;
using fault = frame_reader::fault;

TEST(frame_reader_message, section_5_4_is_joined_from_its_fragments) {
  EXPECT_EQ(said_by(fragment_of("he", text) + fragment_of("ll") + frame_of("o", continuation)),
            transcript{"text hello"});
  EXPECT_EQ(said_by(fragment_of("\xff", binary) + frame_of("\xfe", continuation)),
            transcript{"binary \xff\xfe"});
}

TEST(frame_reader_message, section_5_4_may_have_empty_fragments) {
  const auto nothing = fragment_of("");
  EXPECT_EQ(said_by(fragment_of("", text) + frame_of("", continuation) + frame_of("", binary)
                    + frame_of("")),
            (transcript{"text ", "binary ", "text "}));
  EXPECT_EQ(said_by(fragment_of("", text) + nothing + fragment_of("a") + nothing + fragment_of("b")
                    + nothing + frame_of("", continuation) + frame_of("next")),
            (transcript{"text ab", "text next"}));
}

TEST(frame_reader_message, section_5_4_may_have_a_thousand_fragments) {
  auto stream = fragment_of("", text);
  for (int i = 0; i < 1000; ++i)
    stream += fragment_of("x");
  EXPECT_EQ(said_by(stream + frame_of("", continuation)),
            transcript{"text " + std::string(1000, 'x')});
}

TEST(frame_reader_message, section_5_4_lets_control_frames_between_its_fragments) {
  EXPECT_EQ(said_by(fragment_of("a", text) + frame_of("1", ping) + frame_of("", pong)
                    + fragment_of("b") + frame_of("2", ping) + frame_of("c", continuation)),
            (transcript{"ping 1", "pong ", "ping 2", "text abc"}));
}

TEST(frame_reader_message, section_5_4_is_not_continued_without_a_beginning) {
  for (const auto& before : {""s, frame_of("a"), frame_of("a", ping), frame_of("", binary),
                             fragment_of("a", text) + frame_of("b", continuation)}) {
    EXPECT_EQ(fault_of(before + frame_of("x", continuation)), fault::nothing_to_continue);
    EXPECT_EQ(fault_of(before + fragment_of("x")), fault::nothing_to_continue);
  }
}

TEST(frame_reader_message, section_5_4_has_no_other_inside) {
  for (const auto& before :
       {fragment_of("a", text), fragment_of("", binary), fragment_of("a", text) + fragment_of("b"),
        fragment_of("a", text) + frame_of("p", ping)})
    for (const auto code : {text, binary}) {
      EXPECT_EQ(fault_of(before + frame_of("x", code)), fault::message_not_continued);
      EXPECT_EQ(fault_of(before + fragment_of("x", code)), fault::message_not_continued);
    }
}

TEST(frame_reader_message, section_5_6_is_text_or_binary_as_its_first_frame_says) {
  const auto stream = fragment_of("a", binary) + frame_of("b", continuation) + frame_of("c")
                      + frame_of("d", binary) + fragment_of("e", text) + frame_of("", ping)
                      + frame_of("f", continuation) + fragment_of("g", binary);
  EXPECT_EQ(said_by(stream), (transcript{"binary ab", "text c", "binary d", "ping ", "text ef",
                                         "unfinished binary g"}));
}

TEST(frame_reader_message, is_handed_on_in_one_where_it_lies_in_one_piece) {
  for (const std::size_t size : {0U, 5U, 126U, 70'000U}) {
    auto stream = frame_of(std::string(size, 'x')) + frame_of("y", binary);
    std::span<char> input{stream};
    frame_reader reader;
    const auto first = reader.next(input, frame_listener::default_limit);
    EXPECT_EQ(first.what, frame_reader::kind::data);
    EXPECT_EQ(first.payload.size(), size);
    EXPECT_TRUE(first.ends_message);
    EXPECT_TRUE(reader.is_text());
    const auto second = reader.next(input, frame_listener::default_limit);
    EXPECT_EQ(second.payload.size(), 1U);
    EXPECT_TRUE(second.ends_message);
    EXPECT_FALSE(reader.is_text());
    EXPECT_EQ(reader.next(input, 1).what, frame_reader::kind::need_more);
  }
}

TEST(frame_reader_message, says_how_much_of_its_frame_is_still_to_come) {
  const auto frame = frame_of(std::string(1000, 'x'));
  const auto header_size = frame.size() - 1000;
  frame_listener listener;
  EXPECT_EQ(listener.feed(frame.substr(0, header_size - 1)).reader().awaited(), 0U);
  EXPECT_EQ(listener.feed(frame.substr(header_size - 1, 1)).reader().awaited(), 1000U);
  EXPECT_EQ(listener.feed(frame.substr(header_size, 1)).reader().awaited(), 999U);
  EXPECT_EQ(listener.feed(frame.substr(header_size + 1, 998)).reader().awaited(), 1U);
  EXPECT_EQ(listener.feed(frame.substr(frame.size() - 1)).reader().awaited(), 0U);
  EXPECT_EQ(listener.said(), transcript{"text " + std::string(1000, 'x')});
}

TEST(frame_reader_message, section_7_4_1_has_a_limit_that_it_may_reach) {
  for (const std::size_t limit : {1U, 125U, 126U, 1000U, 65535U, 65536U, 100'000U}) {
    const std::string most(limit, 'x');
    EXPECT_EQ(said_by(frame_of(most) + frame_of(most), limit),
              (transcript{"text " + most, "text " + most}))
      << limit;
    EXPECT_EQ(fault_of(header_of({.announced = limit + 1}), limit), fault::too_big)
      << limit << ": the header is enough";
  }
}

TEST(frame_reader_message, section_7_4_1_has_its_limit_over_all_fragments) {
  const auto begun = fragment_of("1234", binary) + frame_of(std::string(125, 'p'), ping)
                     + fragment_of("") + fragment_of("567");
  const auto ping_line = "ping " + std::string(125, 'p');
  EXPECT_EQ(said_by(begun + frame_of("890", continuation), 10),
            (transcript{ping_line, "binary 1234567890"}));
  EXPECT_EQ(said_by(begun + fragment_of("890") + frame_of("", continuation), 10),
            (transcript{ping_line, "binary 1234567890"}));
  EXPECT_EQ(fault_of(begun + header_of({.opcode = continuation, .announced = 4}), 10),
            fault::too_big);
  EXPECT_EQ(
    fault_of(begun + fragment_of("890") + header_of({.opcode = continuation, .announced = 1}), 10),
    fault::too_big);
}

TEST(frame_reader_message, section_7_4_1_is_refused_whatever_size_it_announces) {
  for (const std::uint64_t size :
       {std::uint64_t{1} << 31U, (std::uint64_t{1} << 32U) - 1, std::uint64_t{1} << 32U,
        (std::uint64_t{1} << 32U) + 5, (std::uint64_t{1} << 40U) + 5, UINT64_MAX >> 1U}) {
    EXPECT_EQ(fault_of(header_of({.announced = size}), 100), fault::too_big) << size;
    EXPECT_EQ(fault_of(header_of({.announced = size}), 1 << 30), fault::too_big) << size;
    EXPECT_EQ(
      fault_of(fragment_of("abc", text) + header_of({.opcode = continuation, .announced = size}),
               1 << 30),
      fault::too_big)
      << size << ": the sum does not run over";
  }
}

TEST(frame_reader_message, section_7_4_1_counts_each_message_anew) {
  const auto message = fragment_of("12345", binary) + frame_of("67890", continuation);
  EXPECT_EQ(said_by(message + message + frame_of("1234567890", binary) + message, 10),
            transcript(4, "binary 1234567890"));
}

TEST(frame_reader_message, section_7_4_1_is_refused_over_32_bits_without_a_limit_too) {
  for (const std::uint64_t size : {std::uint64_t{1} << 32U, (std::uint64_t{1} << 40U) + 5}) {
    EXPECT_EQ(fault_of(header_of({.announced = size}), SIZE_MAX), fault::too_big) << size;
    EXPECT_EQ(fault_of(fragment_of("abc", text)
                         + header_of({.opcode = continuation, .announced = size - 3}),
                       SIZE_MAX),
              fault::too_big)
      << size;
  }
  const std::uint64_t most = (std::uint64_t{1} << 32U) - 1;
  EXPECT_EQ(frame_listener{SIZE_MAX}.feed(header_of({.announced = most})).reader().awaited(), most);
}

TEST(frame_reader_message, section_7_4_1_has_a_limit_that_control_frames_do_not_have) {
  const std::string longest(125, 'p');
  EXPECT_EQ(said_by(frame_of(longest, ping) + frame_of("x"), 1),
            (transcript{"ping " + longest, "text x"}));
}

TEST(frame_reader_message, section_8_1_may_have_any_valid_text) {
  for (const std::string_view valid :
       {"", "a", "\u00e9", "\u20ac", "\U0001f514", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf",
        "\xee\x80\x80", "\xef\xbf\xbe", "k\u00f6s\u03bc\u03b5 \u20ac \U0001f514 end"}) {
    const std::string whole{valid};
    const auto expected = transcript{"text " + whole};
    EXPECT_EQ(said_by(frame_of(whole)), expected);
    for (std::size_t cut = 0; cut <= whole.size(); ++cut)
      EXPECT_EQ(said_by(fragment_of(whole.substr(0, cut), text) + frame_of("", ping)
                        + frame_of(whole.substr(cut), continuation)),
                (transcript{"ping ", expected.front()}))
        << whole << " in fragments at " << cut;
  }
}

TEST(frame_reader_message, section_8_1_is_refused_when_it_ends_within_a_character) {
  for (const std::string whole : {"\u00e9", "\u20ac", "\U0001f514"})
    for (std::size_t cut = 1; cut < whole.size(); ++cut) {
      const auto part = "so " + whole.substr(0, cut);
      EXPECT_EQ(fault_of(frame_of(part)), fault::not_utf8);
      EXPECT_EQ(fault_of(fragment_of(part, text) + frame_of("", continuation)), fault::not_utf8)
        << "an empty fragment ends it too";
      EXPECT_EQ(fault_of(fragment_of(part, text) + fragment_of("") + frame_of("", ping)
                         + frame_of("", continuation)),
                fault::not_utf8);
      EXPECT_EQ(said_by(fragment_of(part, text)), transcript{"unfinished text " + part})
        << "it may still come";
      EXPECT_EQ(said_by(frame_of(part, binary)), transcript{"binary " + part});
    }
}

/// Each with the index of the first byte that no valid text has there.
const std::pair<std::string, std::size_t> bad_texts[] = {
  {"\xff", 0},         {"\x80", 0},         {"ok\xc0\xaf", 2},        {"\xc1\xbf", 0},
  {"\xe0\x80\xaf", 1}, {"\xed\xa0\x80", 1}, {"\xf0\x80\x80\x80", 1},  {"\xf0\x8f\xbf\xbf", 1},
  {"\xe2\x82z", 2},    {"\xc3z", 1},        {"\xf4\x90\x80\x80", 1},  {"\xf5\x80\x80\x80", 0},
  {"\xe2z", 1},        {"\xf0\x9dz", 2},    {"\xf0\x9d\x84\xf0", 3},  {"\xc3\xc3\xa9", 1},
  {"\u20ac\x80", 3},   {"a\xf8\x88", 1},    {"0123456789ab\xfe", 12},
};

TEST(frame_reader_message, section_8_1_is_refused_at_its_first_bad_byte) {
  for (const auto& [bad, at] : bad_texts)
    for (const std::size_t before : {0U, 1U, 7U, 8U, 100U}) {
      const auto payload = std::string(before, 'x') + bad + std::string(50, 'y');
      const auto frame = frame_of(payload);
      const auto header_size = frame.size() - payload.size();
      frame_listener listener;
      listener.feed(frame.substr(0, header_size + before + at));
      EXPECT_FALSE(listener.has_ended()) << bad << ": all that came is valid";
      listener.feed(frame.substr(header_size + before + at, 1));
      EXPECT_EQ(listener.wrong(), fault::not_utf8) << bad << ": not a byte later";
    }
}

TEST(frame_reader_message, section_8_1_is_refused_at_its_first_bad_byte_over_fragments) {
  for (const auto& [bad, at] : bad_texts) {
    frame_listener listener;
    listener.feed(fragment_of("", text));
    for (std::size_t i = 0; i < at; ++i)
      listener.feed(fragment_of(bad.substr(i, 1)) + fragment_of("") + frame_of("", pong));
    EXPECT_FALSE(listener.has_ended()) << bad;
    EXPECT_EQ(listener.feed(fragment_of(bad.substr(at, 1))).wrong(), fault::not_utf8) << bad;
    EXPECT_EQ(said_by(fragment_of(bad, binary) + frame_of("", continuation)),
              transcript{"binary " + bad})
      << "binary may be anything";
  }
}

TEST(frame_reader_message, section_8_1_begins_anew_with_each_message) {
  const std::string euro = "\u20ac";
  EXPECT_EQ(fault_of(frame_of("\xe2\x82", binary) + frame_of("\xac")), fault::not_utf8)
    << "bytes of a binary message do not count";
  EXPECT_EQ(said_by(frame_of("\xe2\x82", binary) + frame_of(euro) + frame_of("\xff", binary)
                    + frame_of(euro)),
            (transcript{"binary \xe2\x82", "text " + euro, "binary \xff", "text " + euro}));
  EXPECT_EQ(said_by(fragment_of("\xe2", text) + frame_of("\xff", ping)
                    + frame_of("\x82\xac", continuation)),
            (transcript{"ping \xff", "text " + euro}))
    << "nor do those of a ping";
}

} // namespace
} // namespace canang::net
