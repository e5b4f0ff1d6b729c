#include "cluster/room_settings.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace canang::cluster {
namespace {

room_settings keeping(std::size_t messages) {
  room_settings settings;
  settings.history_size = messages;
  return settings;
}

TEST(room_settings_test, a_room_has_those_of_its_namespace_or_those_of_rooms) {
  room_settings_table table;
  table.rooms = keeping(1);
  table.namespaces.emplace("chat", keeping(2));
  EXPECT_EQ(table.of("lobby").history_size, 1U);
  EXPECT_EQ(table.of("chat").history_size, 1U);
  EXPECT_EQ(table.of("chats:1").history_size, 1U);
  EXPECT_EQ(table.of(":chat").history_size, 1U);
  EXPECT_EQ(table.of("other:chat:1").history_size, 1U);
  EXPECT_EQ(table.of("chat:").history_size, 2U);
  EXPECT_EQ(table.of("chat:1").history_size, 2U);
  EXPECT_EQ(table.of("chat:a:b").history_size, 2U);
}

TEST(room_settings_test, rules_say_what_no_table_says_of_presence_and_of_joins_and_leaves) {
  room_settings_table table;
  table.rules = {{"kept*", "n:kept*"}, {"told*", "n:told*"}};
  table.namespaces.emplace("n", room_settings{});
  for (const auto* const prefix : {"", "n:"}) {
    const auto of = [&](const char* room) { return table.of(std::string{prefix} + room); };
    EXPECT_TRUE(of("kept").presence);
    EXPECT_FALSE(of("other").presence);
    EXPECT_TRUE(of("told").join_leave);
    EXPECT_FALSE(of("other").join_leave);
  }
}

TEST(room_settings_test, a_table_that_says_it_itself_goes_before_the_rules) {
  room_settings_table table;
  table.rules = {{"kept*"}, {"told*"}};
  auto& rooms = table.rooms;
  rooms.presence_is_said = rooms.join_leave_is_said = true;
  rooms.presence = true;
  rooms.join_leave = false;
  EXPECT_TRUE(table.of("other").presence);
  EXPECT_FALSE(table.of("told").join_leave);
  rooms.presence = false;
  rooms.join_leave = true;
  EXPECT_FALSE(table.of("kept").presence);
  EXPECT_TRUE(table.of("other").join_leave);
}

TEST(room_settings_test, presence_is_known_where_comings_and_goings_are_told) {
  room_settings_table table;
  table.rules = {{}, {"h*"}};
  EXPECT_TRUE(table.of("hall").join_leave);
  EXPECT_TRUE(table.of("hall").keeps_presence()) << "else nobody would know who has left";
  EXPECT_FALSE(table.of("kitchen").keeps_presence());
}

TEST(room_settings_test, a_source_tells_when_it_has_others) {
  room_settings_source source{std::make_shared<room_settings_table>()};
  const auto before = source.generation();
  const auto old = source.get();
  auto next = std::make_shared<room_settings_table>();
  next->rooms = keeping(7);
  source.set(next);
  EXPECT_GT(source.generation(), before);
  EXPECT_EQ(source.get()->of("lobby").history_size, 7U);
  EXPECT_EQ(old->of("lobby").history_size, 128U) << "who holds the old ones keeps them";
}

} // namespace
} // namespace canang::cluster
