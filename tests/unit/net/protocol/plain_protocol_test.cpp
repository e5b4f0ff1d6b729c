#include "net/http/target.hpp"
#include "net/protocol/plain.hpp"

#include <gtest/gtest.h>

namespace canang::net {
namespace {

using namespace std::string_literals;

/// Notes the commands that it is given.
struct noting_sink final : command_sink {
  std::vector<credentials> identities;
  std::vector<join_command> joins;
  std::vector<std::pair<frame_type, std::string>> publishes;

  void open() override { ADD_FAILURE() << "the room does that"; }
  void on_command(identify_command&& command) override {
    identities.push_back(std::move(command.shown));
  }
  void on_command(const leave_command&) override { ADD_FAILURE(); }
  void on_command(const query_command&) override { ADD_FAILURE(); }
  void reply(frame_type, std::string_view) override { ADD_FAILURE(); }
  void close(std::uint16_t, std::string_view) override { ADD_FAILURE(); }
  void on_command(join_command&& command) override { joins.push_back(std::move(command)); }
  void on_command(const publish_command& command) override {
    EXPECT_FALSE(command.room) << "the only one";
    EXPECT_EQ(command.request, 0U) << "it wants no answer";
    publishes.emplace_back(command.type, std::string{command.data.begin(), command.data.end()});
  }
};

connection_parameters good(std::string_view target) {
  const auto parts = split_target(target);
  auto parsed = parse_plain_target(parts.path, parts.query);
  const auto* const parameters = std::get_if<connection_parameters>(&parsed);
  EXPECT_TRUE(parameters != nullptr) << target << ": " << std::get<std::string>(parsed);
  return parameters != nullptr ? *parameters : connection_parameters{};
}

std::string refusal(std::string_view target) {
  const auto parts = split_target(target);
  auto parsed = parse_plain_target(parts.path, parts.query);
  const auto* const text = std::get_if<std::string>(&parsed);
  EXPECT_TRUE(text != nullptr) << target;
  return text != nullptr ? *text : ""s;
}

TEST(plain_target, names_the_lobby_when_it_names_no_room) {
  const auto parameters = good("/ws");
  EXPECT_EQ(parameters.room, "lobby");
  EXPECT_TRUE(parameters.echo);
  EXPECT_EQ(parameters.history, 0U);
}

TEST(plain_target, names_a_room_in_its_path) {
  EXPECT_EQ(good("/ws/games").room, "games");
  EXPECT_EQ(good("/ws/a/b").room, "a/b");
  EXPECT_EQ(good("/ws/a%2Fb%20c").room, "a/b c");
  EXPECT_EQ(good("/ws/%E2%82%AC").room, "\u20ac");
  EXPECT_EQ(good("/ws/" + std::string(255, 'a')).room.size(), 255U);
}

TEST(plain_target, refuses_a_room_that_is_none) {
  for (const auto& target : {"/ws/"s, "/ws/%"s, "/ws/%4"s, "/ws/%ff"s, "/ws/%0A"s, "/ws/%7f"s,
                             "/ws/%C2%80"s, "/ws/" + std::string(256, 'a')})
    EXPECT_EQ(refusal(target), room_name_rule);
}

TEST(plain_target, says_whether_the_sender_gets_its_own) {
  EXPECT_TRUE(good("/ws/a?echo=true").echo);
  EXPECT_FALSE(good("/ws/a?echo=false").echo);
  EXPECT_FALSE(good("/ws?echo=false&history=3").echo);
  for (const char* target :
       {"/ws?echo=", "/ws?echo", "/ws?echo=1", "/ws?echo=False", "/ws?echo=no", "/ws?echo=%zz"})
    EXPECT_EQ(refusal(target), "echo is true or false") << target;
}

TEST(plain_target, says_how_much_history_is_wanted) {
  EXPECT_EQ(good("/ws/a?history=0").history, 0U);
  EXPECT_EQ(good("/ws/a?history=128").history, 128U);
  EXPECT_EQ(good("/ws/a?x=y&history=007").history, 7U);
  EXPECT_EQ(good("/ws/a?history=4294967295").history, 4294967295U);
  for (const char* target :
       {"/ws?history=", "/ws?history", "/ws?history=-1", "/ws?history=+1", "/ws?history=1x",
        "/ws?history=%201", "/ws?history=4294967296", "/ws?history=1.5", "/ws?history=0x10"})
    EXPECT_EQ(refusal(target), "history is a number of publications") << target;
}

TEST(plain_target, may_have_parameters_that_it_does_not_know) {
  EXPECT_EQ(good("/ws/a?token=x&&=&%zz").room, "a");
}

TEST(plain_protocol, joins_the_room_of_the_url_when_opened) {
  noting_sink sink;
  plain_format().language.converse()->on_open({"games", false, 7, {}, false, "anna"}, sink);
  ASSERT_EQ(sink.joins.size(), 1U);
  EXPECT_EQ(sink.joins[0].room, "games");
  EXPECT_FALSE(sink.joins[0].echo);
  EXPECT_EQ(sink.joins[0].history, 7U);
  EXPECT_TRUE(sink.publishes.empty());
  ASSERT_EQ(sink.identities.size(), 1U);
  EXPECT_EQ(sink.identities[0].user, "anna");
  EXPECT_EQ(sink.identities[0].token, "");
}

TEST(plain_protocol, takes_every_message_for_a_publication) {
  noting_sink sink;
  for (const auto& [type, text] : {std::pair{frame_type::text, ""s},
                                   {frame_type::binary, "\0\xff"s},
                                   {frame_type::text, "{\"type\":\"join\"}"s}})
    plain_format().language.converse()->decode(type, text, sink);
  ASSERT_EQ(sink.publishes.size(), 3U);
  EXPECT_EQ(sink.publishes[0], std::pair(frame_type::text, ""s));
  EXPECT_EQ(sink.publishes[1], std::pair(frame_type::binary, "\0\xff"s));
  EXPECT_EQ(sink.publishes[2].second, "{\"type\":\"join\"}");
  EXPECT_TRUE(sink.joins.empty());
}

TEST(plain_protocol, frames_what_it_decoded_byte_for_byte) {
  for (const auto type : {frame_type::text, frame_type::binary}) {
    for (const std::size_t size : {0UL, 1UL, 125UL, 126UL, 65535UL, 65536UL}) {
      noting_sink sink;
      plain_format().language.converse()->decode(type, std::string(size, 'z'), sink);
      std::string frames = "before";
      plain_format().encode({sink.publishes[0].first, sink.publishes[0].second}, frames);
      std::string expected = "before";
      append_frame(expected, type, std::string(size, 'z'));
      EXPECT_EQ(frames, expected) << size;
    }
  }
}

} // namespace
} // namespace canang::net
