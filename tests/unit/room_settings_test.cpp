#include "cluster/room_settings.hpp"

#include <gtest/gtest.h>

namespace canang::cluster {
namespace {

TEST(room_settings, are_those_of_the_namespace_or_of_all_rooms) {
  room_settings_table table;
  table.rooms.history_size = 7;
  table.namespaces["chat"].history_size = 3;
  EXPECT_EQ(table.of("a").history_size, 7U);
  EXPECT_EQ(table.of("chat").history_size, 7U);
  EXPECT_EQ(table.of("chat:a").history_size, 3U);
  EXPECT_EQ(table.of("chat:a:b").history_size, 3U);
  EXPECT_EQ(table.of("other:a").history_size, 7U);
}

TEST(room_settings, keep_presence_where_the_rules_keep_it_too) {
  room_settings_table table;
  table.namespaces["quiet"].presence = false;
  table.rules.presence = {"k*", "quiet:*"};
  EXPECT_TRUE(table.of("kitchen").presence);
  EXPECT_FALSE(table.of("hall").presence);
  EXPECT_FALSE(table.of("quiet:a").presence);
}

TEST(room_settings, tell_comings_and_goings_where_anything_says_so) {
  room_settings_table table;
  table.namespaces["loud"].join_leave = true;
  table.rules.join_leave = {"h*"};
  table.rules.presence = {};
  EXPECT_TRUE(table.of("hall").join_leave);
  EXPECT_TRUE(table.of("loud:a").join_leave);
  EXPECT_FALSE(table.of("kitchen").join_leave);
  EXPECT_TRUE(table.of("hall").keeps_presence()) << "else nobody would know who has left";
  EXPECT_FALSE(table.of("kitchen").keeps_presence());
}

} // namespace
} // namespace canang::cluster
