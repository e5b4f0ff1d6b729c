// Bytes cut anywhere say the same, and what a plain parser of RFC 6455 makes of them.

#include "tests/unit/support/client_frames.hpp"
#include "tests/unit/support/plain_frame_parser.hpp"
#include "tests/unit/support/random_conversation.hpp"
#include "tests/unit/support/seed.hpp"

#include <algorithm>

namespace canang::net {
namespace {

using namespace std::string_literals;
using namespace canang::test;

/// What `stream` says when it is cut at each of `cuts`, which ascend.
frame_listener heard_in_pieces(std::string_view stream, const std::vector<std::size_t>& cuts,
                               std::size_t limit, bool allows_compression = false) {
  frame_listener listener{limit, allows_compression};
  std::size_t from = 0;
  for (const auto cut : cuts) {
    listener.feed(stream.substr(from, cut - from));
    from = cut;
  }
  listener.feed(stream.substr(from));
  return listener;
}

/// Cut nowhere, everywhere, at each position and, where it is short, at each pair of positions.
void expect_the_same_however_it_is_cut(std::string_view stream, std::size_t limit,
                                       bool allows_compression = false) {
  const auto whole = heard_in_pieces(stream, {}, limit, allows_compression);
  const auto same = [&](const std::vector<std::size_t>& cuts) {
    const auto cut = heard_in_pieces(stream, cuts, limit, allows_compression);
    ASSERT_EQ(cut.said(), whole.said()) << "cut at " << testing::PrintToString(cuts);
    ASSERT_EQ(cut.wrong(), whole.wrong()) << "cut at " << testing::PrintToString(cuts);
  };
  std::vector<std::size_t> everywhere;
  for (std::size_t first = 0; first <= stream.size(); ++first) {
    everywhere.push_back(first);
    same({first});
    for (auto second = first; stream.size() <= 64 && second <= stream.size(); ++second)
      same({first, second});
  }
  same(everywhere);
}

struct conversation {
  const char* name;
  std::string bytes;
  transcript said;
};

std::vector<conversation> valid_conversations() {
  const auto euro = "\u20ac"s;
  const std::string longest(125, 'p');
  return {
    {"one message", frame_of("hello"), {"text hello"}},
    {"nothing in it", frame_of("") + frame_of("", binary), {"text ", "binary "}},
    {"characters of several bytes",
     frame_of(euro + "\U0001f514\u00e9"),
     {"text \u20ac\U0001f514\u00e9"}},
    {"a character over fragments and a ping",
     fragment_of("\xe2", text) + frame_of("1", ping) + fragment_of("\x82")
       + frame_of("\xac!", continuation),
     {"ping 1", "text \u20ac!"}},
    {"empty fragments",
     fragment_of("", text) + fragment_of("") + frame_of("", continuation),
     {"text "}},
    {"a close with its reason",
     frame_of("bye", binary) + close_frame_of(1001, "tab " + euro),
     {"binary bye", "close 1001 tab \u20ac"}},
    {"a close without a code", frame_of("", close), {"close 1005 "}},
    {"a close inside a message", fragment_of("x", text) + close_frame_of(4000), {"close 4000 "}},
    {"an unfinished message",
     fragment_of("abc", binary) + fragment_of("def"),
     {"unfinished binary abcdef"}},
    {"an unfinished frame", frame_of("abcdef").substr(0, 9), {"unfinished text abc"}},
    {"an unfinished ping", frame_of("abcdef", ping).substr(0, 9), {}},
    {"long control frames",
     frame_of(longest, ping) + frame_of(longest, pong),
     {"ping " + longest, "pong " + longest}},
    {"16 bits of length",
     frame_of(std::string(126, 'x')) + frame_of("y"),
     {"text " + std::string(126, 'x'), "text y"}},
    {"up to the limit",
     fragment_of(std::string(300, 'x'), text) + frame_of(std::string(200, 'y'), continuation),
     {"text " + std::string(300, 'x') + std::string(200, 'y')}},
  };
}

std::vector<conversation> invalid_conversations() {
  const auto before = frame_of("a") + frame_of("", ping);
  const transcript is_1002{"text a", "ping ", "fault 1002"};
  const transcript is_1007{"text a", "ping ", "fault 1007"};
  const transcript is_1009{"text a", "ping ", "fault 1009"};
  const auto oddly = [&](const client_frame& frame) { return before + bytes_of(frame); };
  return {
    {"not masked", oddly({.payload = "xyz", .masked = false}), is_1002},
    {"a reserved bit", oddly({.payload = "xyz", .rsv = 2}), is_1002},
    {"RSV1", oddly({.payload = "xyz", .rsv = 4}), is_1002},
    {"an opcode", oddly({.opcode = 11, .payload = "xyz"}), is_1002},
    {"everything at once",
     oddly({.opcode = 15,
            .payload = "xyz",
            .fin = false,
            .rsv = 7,
            .masked = false,
            .form = length_form::in_64_bits}),
     is_1002},
    {"a fragmented ping that is too long and not masked",
     oddly({.opcode = ping, .fin = false, .masked = false, .announced = 126}), is_1002},
    {"a continuation too long for all", oddly({.opcode = continuation, .announced = 70'000}),
     is_1002},
    {"16 bits for a short one", oddly({.payload = "xyz", .form = length_form::in_16_bits}),
     is_1002},
    {"64 bits for a short one", oddly({.payload = "xyz", .form = length_form::in_64_bits}),
     is_1002},
    {"the highest bit", oddly({.announced = (1ULL << 63U) + 1}), is_1002},
    {"a long ping", oddly({.opcode = ping, .payload = std::string(126, 'p')}), is_1002},
    {"a fragmented ping", oddly({.opcode = ping, .payload = "p", .fin = false}), is_1002},
    {"nothing to continue", before + frame_of("x", continuation), is_1002},
    {"not continued", before + fragment_of("x", text) + frame_of("y"), is_1002},
    {"a close of one byte", before + frame_of("\x03", close), is_1002},
    {"a bad close code", before + close_frame_of(1005, "why"), is_1002},
    {"a bad reason", before + close_frame_of(1000, "\xff"), is_1007},
    {"a bad code and a bad reason", before + close_frame_of(999, "\xff"), is_1002},
    {"no UTF-8", before + frame_of("ab\xed\xa0\x80yz"), is_1007},
    {"no UTF-8 over fragments",
     before + fragment_of("ab\xf0", text) + fragment_of("\x9f") + frame_of("z", continuation),
     is_1007},
    {"half a character", before + frame_of("ab\xe2\x82"), is_1007},
    {"half a character, then nothing",
     before + fragment_of("ab\xe2\x82", text) + frame_of("", continuation), is_1007},
    {"too big", before + frame_of(std::string(501, 'x')), is_1009},
    {"too big over fragments", before + fragment_of(std::string(500, 'x'), text) + fragment_of("y"),
     is_1009},
  };
}

TEST(frame_reader_model, valid_conversations_say_the_same_however_they_are_cut) {
  for (const auto& [name, bytes, said] : valid_conversations()) {
    SCOPED_TRACE(name);
    EXPECT_EQ(said_by(bytes, 500), said);
    EXPECT_EQ(plain_frame_parser(bytes, 500, false).said(), said);
    expect_the_same_however_it_is_cut(bytes, 500);
  }
}

TEST(frame_reader_model, invalid_conversations_say_the_same_however_they_are_cut) {
  for (const auto& [name, bytes, said] : invalid_conversations()) {
    SCOPED_TRACE(name);
    EXPECT_EQ(said_by(bytes, 500), said);
    EXPECT_EQ(plain_frame_parser(bytes, 500, false).said(), said);
    expect_the_same_however_it_is_cut(bytes, 500);
  }
}

TEST(frame_reader_model, compressed_conversations_say_the_same_however_they_are_cut) {
  const auto stream = bytes_of({.payload = "\xff\xc3", .fin = false, .rsv = 4}) + frame_of("", ping)
                      + frame_of("\x01", continuation) + frame_of("a\u00e9")
                      + bytes_of({.opcode = binary, .payload = "b", .rsv = 4});
  const transcript expected{"ping ", "compressed text \xff\xc3\x01", "text a\u00e9",
                            "compressed binary b"};
  EXPECT_EQ(said_by(stream, 500, true), expected);
  expect_the_same_however_it_is_cut(stream, 500, true);
  expect_the_same_however_it_is_cut(stream + bytes_of({.opcode = ping, .payload = "p", .rsv = 4}),
                                    500, true);
}

TEST(frame_reader_model, a_message_with_64_bits_of_length_says_the_same_however_it_is_cut) {
  const std::size_t size = 65536;
  const auto stream = frame_of(std::string(size, 'x')) + frame_of("y", ping);
  const auto whole = said_by(stream);
  EXPECT_EQ(whole, (transcript{"text " + std::string(size, 'x'), "ping y"}));
  std::vector<std::size_t> cuts{4096, 4097, 30'001, 65535, 65536};
  for (std::size_t i = 0; i < 20; ++i)
    cuts.insert(cuts.end(), {i, stream.size() - i});
  for (const auto cut : cuts)
    EXPECT_TRUE(heard_in_pieces(stream, {cut}, frame_listener::default_limit).said() == whole)
      << "cut at " << cut;
}

TEST(frame_reader_model, any_conversation_in_any_pieces_says_what_a_plain_parser_says) {
  const auto seed = random_seed();
  dice random{seed};
  for (int round = 0; round < 20'000 && !testing::Test::HasFailure(); ++round) {
    SCOPED_TRACE(testing::Message() << "seed " << seed << ", round " << round);
    const bool has_compression = random.one_in(4);
    const auto stream = random_conversation(random, has_compression).bytes();
    const auto limit = random.one_in(4) ? random.roll<std::size_t>(1, 400) : 10'000;
    std::vector<std::size_t> cuts(random.roll<std::size_t>(0, 8));
    for (auto& cut : cuts)
      cut = random.roll<std::size_t>(0, stream.size());
    std::sort(cuts.begin(), cuts.end());
    const auto heard = heard_in_pieces(stream, cuts, limit, has_compression);
    const plain_frame_parser expected{stream, limit, has_compression};
    if (expected.ends_in_header() && heard.has_ended())
      continue; // it knows already; the plain parser does not
    EXPECT_EQ(heard.said(), expected.said());
  }
}

TEST(frame_reader_model, random_conversations_say_the_same_however_they_are_cut) {
  const auto seed = random_seed();
  dice random{seed};
  for (int round = 0; round < 200 && !testing::Test::HasFailure(); ++round) {
    SCOPED_TRACE(testing::Message() << "seed " << seed << ", round " << round);
    const bool has_compression = random.one_in(4);
    expect_the_same_however_it_is_cut(random_conversation(random, has_compression).bytes(), 200,
                                      has_compression);
  }
}

} // namespace
} // namespace canang::net
