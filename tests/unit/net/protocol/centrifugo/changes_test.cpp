#include "net/protocol/centrifugo.hpp"
#include "net/protocol/protocol.hpp"
#include "tests/support/fossil_apply.hpp"

#include <gtest/gtest.h>

#include <simdjson.h>

#include <string>

// How publications are told as what they change, in both formats.

namespace canang::net {
namespace {

using telling = outgoing_publication::telling;

/// Takes a subscription, and nothing else.
struct join_sink final : command_sink {
  explicit join_sink(conversation& with) : talk(with) {}

  conversation& talk;
  join_command join;

  void open() override {}
  void on_command(identify_command&&) override { talk.on_admitted(*this); }
  void on_command(join_command&& command) override { join = std::move(command); }
  void on_command(const leave_command&) override {}
  void on_command(const publish_command&) override {}
  void on_command(const query_command&) override {}
  void reply(frame_type, std::string_view) override {}
  void close(std::uint16_t, std::string_view) override { ADD_FAILURE(); }
};

/// What a client becomes that asks for it, in a room that has it or not.
join_command joined(const std::string& asked, bool room_has_changes) {
  const auto talk = centrifugo_json_format().language.converse();
  join_sink sink{*talk};
  talk->on_open({}, sink);
  for (const auto& message : {std::string{R"({"id":1,"connect":{}})"},
                              R"({"id":2,"subscribe":{"channel":"r",)" + asked + "}}"})
    talk->decode(frame_type::text, {message.data(), message.size()}, sink);
  talk->heed({.tells_changes = room_has_changes}, sink.join);
  return sink.join;
}

const wire_format& json_changes() {
  static const auto& format = *joined(R"("delta":"fossil")", true).format;
  return format;
}

std::string answer_of(const join_command& join,
                      std::span<const outgoing_publication> recovered = {}) {
  std::string out;
  join.format->encode_join(
    {.request = 2, .note = join.note, .at = {"r", "e", 4, false}, .recovered = recovered}, out);
  return out.substr(out.find('{'));
}

/// `data` of a publication as a JSON client has it, without the quotes around.
std::string data_of(const outgoing_publication& one) {
  std::string turn;
  json_changes().encode_of_turn(one, turn);
  simdjson::dom::parser parser;
  simdjson::dom::element read;
  EXPECT_EQ(parser.parse(turn).get(read), simdjson::SUCCESS) << turn;
  bool is_change = false;
  const auto fault = read["push"]["pub"]["delta"].get(is_change);
  EXPECT_TRUE(fault == simdjson::SUCCESS || fault == simdjson::NO_SUCH_FIELD);
  EXPECT_EQ(is_change, one.told == telling::change);
  std::string_view data;
  EXPECT_EQ(read["push"]["pub"]["data"].get(data), simdjson::SUCCESS) << turn;
  return std::string{data};
}

TEST(centrifugo_changes, are_for_those_who_ask_where_the_room_has_them) {
  EXPECT_TRUE(joined(R"("delta":"fossil")", true).format->language.tells_changes());
  EXPECT_TRUE(
    joined(R"("delta":"fossil","join_leave":true)", true).format->language.tells_changes());
  EXPECT_EQ(answer_of(joined(R"("delta":"fossil")", true)),
            R"({"id":2,"subscribe":{"epoch":"e","offset":4,"delta":true}})");
  for (const auto& join : {joined(R"("delta":"fossil")", false), joined(R"("delta":"other")", true),
                           joined(R"("delta":"")", true), joined(R"("recoverable":false)", true)}) {
    EXPECT_FALSE(join.format->language.tells_changes());
    EXPECT_EQ(answer_of(join), R"({"id":2,"subscribe":{"epoch":"e","offset":4}})");
  }
}

TEST(centrifugo_changes, are_strings_in_json) {
  const outgoing_publication first{
    .data = "{\"text\":\"\xc3\xa9 and more than a few letters\",\n\"n\":1}",
    .offset = 5,
    .room = "r",
    .told = telling::whole};
  auto next = first;
  next.data = "{\"text\":\"\xc3\xa8 and more than a few letters\",\n\"n\":1}";
  const auto was = data_of(first);
  EXPECT_EQ(was, "{\"text\":\"\xc3\xa9 and more than a few letters\",\"n\":1}") << "in one line";
  std::string change;
  json_changes().language.encode_change(first, next, change);
  ASSERT_NE(change, "");
  next.told = telling::change;
  next.change = change;
  const auto delta = data_of(next);
  EXPECT_EQ(test::apply_fossil_delta(was, delta),
            "{\"text\":\"\xc3\xa8 and more than a few letters\",\"n\":1}");
}

TEST(centrifugo_changes, are_of_what_a_json_client_sees_of_other_payloads) {
  const outgoing_publication text{.data = "no JSON, but long enough \"text\" of some kind",
                                  .told = telling::whole};
  const outgoing_publication bytes{.type = frame_type::binary,
                                   .data = "no JSON, but long enough \"text\" of some kind",
                                   .told = telling::whole};
  EXPECT_EQ(data_of(text), R"("no JSON, but long enough \"text\" of some kind")");
  EXPECT_EQ(data_of(bytes), "\"bm8gSlNPTiwgYnV0IGxvbmcgZW5vdWdoICJ0ZXh0IiBvZiBzb21lIGtpbmQ=\"");
  auto next = text;
  next.data = "no JSON, but long enough \"text\" of any kind";
  std::string change;
  json_changes().language.encode_change(text, next, change);
  EXPECT_EQ(test::apply_fossil_delta(data_of(text), change), data_of(next));
  change.clear();
  json_changes().language.encode_change(bytes, next, change);
  EXPECT_EQ(change, "") << "nothing is left of it";
}

TEST(centrifugo_changes, are_inside_of_the_answer_to_one_that_recovers) {
  const std::string one = R"({"n":1,"rest":"a text that stays the same"})";
  const std::string two = R"({"n":2,"rest":"a text that stays the same"})";
  std::string change;
  json_changes().language.encode_change({.data = one}, {.data = two}, change);
  const outgoing_publication missed[] = {
    {.data = one, .offset = 5, .told = telling::whole},
    {.data = two, .offset = 6, .told = telling::change, .change = change},
  };
  const auto text = answer_of(joined(R"("delta":"fossil")", true), missed);
  simdjson::dom::parser parser;
  simdjson::dom::element read;
  ASSERT_EQ(parser.parse(text).get(read), simdjson::SUCCESS) << text;
  const auto all = read["subscribe"]["publications"];
  std::string_view first;
  std::string_view second;
  ASSERT_EQ(all.at(0)["data"].get(first), simdjson::SUCCESS);
  ASSERT_EQ(all.at(1)["data"].get(second), simdjson::SUCCESS);
  bool is_change = false;
  EXPECT_NE(all.at(0)["delta"].get(is_change), simdjson::SUCCESS);
  ASSERT_EQ(all.at(1)["delta"].get(is_change), simdjson::SUCCESS);
  EXPECT_TRUE(is_change);
  EXPECT_EQ(first, one);
  EXPECT_EQ(test::apply_fossil_delta(first, second), two);
}

} // namespace
} // namespace canang::net
