#include "app/room_tables.hpp"

#include <gtest/gtest.h>

#include <string>

namespace canang::app {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t largest_message = 64 * 1024;

struct room_tables_test : testing::Test {
  cluster::room_settings_table table;

  std::optional<text_fault> read(const std::string& text) {
    const auto document = read_toml(text);
    if (const auto* const fault = std::get_if<text_fault>(&document))
      return *fault;
    return read_room_tables(std::get<toml_value>(document), largest_message, table);
  }

  void take(const std::string& text) {
    const auto fault = read(text);
    ASSERT_FALSE(fault) << fault->at.line << ':' << fault->at.column << ": " << fault->what;
  }

  void expect_refused(const std::string& text, text_place at, const std::string& part) {
    table = {};
    const auto fault = read(text);
    ASSERT_TRUE(fault) << "taken: " << text;
    EXPECT_EQ(fault->at, at) << text << ": " << fault->at.line << ':' << fault->at.column << ": "
                             << fault->what;
    EXPECT_NE(fault->what.find(part), std::string::npos) << fault->what;
  }
};

TEST_F(room_tables_test, say_everything_of_rooms) {
  take("[rooms]\nhistory-size = 7\nhistory-bytes = \"1KiB\"\nhistory-ttl = \"1h\"\n"
       "max-message-bytes = 100\npresence = false\njoin-leave = true\nallow-subscribe = \"users\"\n"
       "allow-publish = \"nobody\"\nallow-presence = \"anyone\"\nallow-history = \"token\"\n"
       "force-positioning = true\nforce-recovery = true\nrecovery-mode = \"cache\"\n"
       "auto-recovery = true\ndelta = \"fossil\"\nslow-consumers = \"latest\"\n"
       "compression = \"deflate\"\ncompression-min-bytes = \"2KiB\"\n"
       "slow-mode = \"5s\"\nmembers-max = 500\n");
  const auto said = table.of("lobby");
  EXPECT_EQ(said.history_size, 7U);
  EXPECT_EQ(said.history_bytes, 1024U);
  EXPECT_EQ(said.history_ttl, 1h);
  EXPECT_EQ(said.max_message_bytes, 100U);
  EXPECT_FALSE(said.presence);
  EXPECT_TRUE(said.join_leave);
  EXPECT_EQ(said.subscribe, who_may::users);
  EXPECT_EQ(said.publish, who_may::nobody);
  EXPECT_EQ(said.see_presence, who_may::anyone);
  EXPECT_EQ(said.see_history, who_may::token);
  EXPECT_TRUE(said.force_positioning);
  EXPECT_TRUE(said.force_recovery);
  EXPECT_EQ(said.recovery, cluster::recovery_mode::cache);
  EXPECT_TRUE(said.auto_recovery);
  EXPECT_EQ(said.delta, cluster::delta_type::fossil);
  EXPECT_EQ(said.slow, cluster::slow_consumers::latest);
  EXPECT_TRUE(said.compresses);
  EXPECT_EQ(said.compression_min_bytes, 2048U);
  EXPECT_EQ(said.slow_mode, 5s);
  EXPECT_EQ(said.members_max, 500U);
}

TEST_F(room_tables_test, say_where_messages_are_compressed) {
  EXPECT_FALSE(table.compresses());
  take("[namespaces.feed]\ncompression = 'deflate'\ncompression-min-bytes = 1\n"
       "[namespaces.chat]\ncompression = 'off'\n");
  EXPECT_TRUE(table.compresses()) << "there is one room";
  EXPECT_FALSE(table.of("lobby").compresses);
  EXPECT_TRUE(table.of("feed:1").compresses);
  EXPECT_EQ(table.of("feed:1").compression_min_bytes, 1U);
  EXPECT_FALSE(table.of("chat:1").compresses);
}

TEST_F(room_tables_test, say_how_fast_and_how_many) {
  take("[rooms]\nslow-mode = '2s'\n[namespaces.fast]\nslow-mode = '0s'\nmembers-max = 0\n");
  EXPECT_EQ(table.of("lobby").slow_mode, 2s);
  EXPECT_EQ(table.of("lobby").members_max, 0U);
  EXPECT_EQ(table.of("fast:1").slow_mode, 0s);
  expect_refused("[rooms]\nslow-mode = '25h'\n", {2, 13}, "is not a duration such as 5s");
  expect_refused("[rooms]\nslow-mode = 'soon'\n", {2, 13}, "is not a duration such as 5s");
  expect_refused("[rooms]\nmembers-max = -1\n", {2, 15}, "is not a number from 0 to 1000000");
}

TEST_F(room_tables_test, say_what_becomes_of_slow_members) {
  EXPECT_EQ(table.of("lobby").slow, cluster::slow_consumers::disconnect);
  take("[rooms]\nslow-consumers = 'drop-oldest'\n[namespaces.feed]\nslow-consumers = 'latest'\n"
       "[namespaces.chat]\nslow-consumers = 'disconnect'\n[namespaces.log]\n");
  EXPECT_EQ(table.of("lobby").slow, cluster::slow_consumers::drop_oldest);
  EXPECT_EQ(table.of("feed:1").slow, cluster::slow_consumers::latest);
  EXPECT_EQ(table.of("chat:1").slow, cluster::slow_consumers::disconnect);
  EXPECT_EQ(table.of("log:1").slow, cluster::slow_consumers::drop_oldest);
}

TEST_F(room_tables_test, send_nobody_unasked_what_it_could_not_recover) {
  const auto* const why = "auto-recovery needs force-recovery = true and recovery-mode = \"cache\"";
  expect_refused("\n[rooms]\nauto-recovery = true\n", {2, 2}, why);
  expect_refused("[rooms]\nauto-recovery = true\nforce-recovery = true\n", {1, 2}, why);
  expect_refused("[rooms]\nauto-recovery = true\nrecovery-mode = 'cache'\n", {1, 2}, why);
  expect_refused("[rooms]\nauto-recovery = true\nrecovery-mode = 'cache'\nforce-recovery = true\n"
                 "[namespaces.n]\nrecovery-mode = 'stream'\n",
                 {5, 13}, why);
  table = {};
  take("[rooms]\nrecovery-mode = 'cache'\nforce-recovery = true\n[namespaces.n]\n"
       "auto-recovery = true\n");
  EXPECT_FALSE(table.of("lobby").auto_recovery);
  EXPECT_TRUE(table.of("n:1").auto_recovery);
}

TEST_F(room_tables_test, leave_what_they_do_not_say_as_the_flags_have_it) {
  table.rooms.history_size = 5;
  take("listen = \"x\"\n");
  EXPECT_EQ(table.rooms.history_size, 5U);
  take("[rooms]\nhistory-ttl = \"1s\"\n");
  EXPECT_EQ(table.rooms.history_size, 5U);
  EXPECT_EQ(table.rooms.history_ttl, 1s);
}

TEST_F(room_tables_test, have_namespaces_that_inherit_from_rooms_wherever_those_stand) {
  table.rooms.history_bytes = 33;
  take(
    "[namespaces.chat]\nhistory-size = 1\n[namespaces.\"wörld news\"]\npresence = true\n"
    "[namespaces.plain]\n[rooms]\nhistory-size = 9\npresence = false\nallow-publish = 'users'\n");
  EXPECT_EQ(table.of("lobby").history_size, 9U);
  EXPECT_EQ(table.of("chat:1").history_size, 1U);
  EXPECT_EQ(table.of("chat:1").history_bytes, 33U);
  EXPECT_EQ(table.of("chat:1").publish, who_may::users);
  EXPECT_FALSE(table.of("chat:1").presence);
  EXPECT_TRUE(table.of("wörld news:1").presence);
  EXPECT_EQ(table.of("plain:1"), table.of("lobby"));
}

TEST_F(room_tables_test, go_before_the_globs_where_they_say_something) {
  table.rules = {{"kept*"}, {"*told*"}};
  take("[rooms]\nhistory-size = 1\n[namespaces.n]\npresence = true\njoin-leave = false\n"
       "[namespaces.m]\nhistory-size = 2\n");
  EXPECT_TRUE(table.of("kept").presence);
  EXPECT_FALSE(table.of("other").presence);
  EXPECT_TRUE(table.of("n:other").presence) << "its table says so";
  EXPECT_FALSE(table.of("m:other").presence) << "its table says nothing";
  EXPECT_FALSE(table.of("n:told").join_leave);
  EXPECT_TRUE(table.of("m:told").join_leave);
}

TEST_F(room_tables_test, refuse_values_of_the_wrong_kind_or_out_of_range) {
  const std::pair<const char*, const char*> wrong[] = {{"history-size", "-1"},
                                                       {"history-size", "1000001"},
                                                       {"history-size", "'many'"},
                                                       {"history-size", "1.5"},
                                                       {"history-size", "true"},
                                                       {"history-size", "[1]"},
                                                       {"history-size", "'1KiB'"},
                                                       {"history-bytes", "'2GiB'"},
                                                       {"history-bytes", "'1KB'"},
                                                       {"history-bytes", "{}"},
                                                       {"history-ttl", "25"},
                                                       {"history-ttl", "'99ms'"},
                                                       {"history-ttl", "'soon'"},
                                                       {"history-ttl", "07:32:00"},
                                                       {"max-message-bytes", "0"},
                                                       {"max-message-bytes", "65537"},
                                                       {"max-message-bytes", "'128KiB'"},
                                                       {"max-message-bytes", "false"},
                                                       {"presence", "'true'"},
                                                       {"presence", "1"},
                                                       {"presence", "'*'"},
                                                       {"join-leave", "'no'"},
                                                       {"join-leave", "['a']"},
                                                       {"force-positioning", "'yes'"},
                                                       {"force-recovery", "1"},
                                                       {"recovery-mode", "'none'"},
                                                       {"recovery-mode", "true"},
                                                       {"auto-recovery", "'true'"},
                                                       {"delta", "true"},
                                                       {"delta", "'vcdiff'"},
                                                       {"slow-consumers", "true"},
                                                       {"slow-consumers", "'drop_oldest'"},
                                                       {"compression", "true"},
                                                       {"compression", "'gzip'"},
                                                       {"compression-min-bytes", "0"},
                                                       {"compression-min-bytes", "'2GiB'"},
                                                       {"compression-min-bytes", "true"},
                                                       {"allow-subscribe", "'everyone'"},
                                                       {"allow-subscribe", "''"},
                                                       {"allow-subscribe", "true"},
                                                       {"allow-subscribe", "['anyone']"},
                                                       {"allow-subscribe", "'members'"},
                                                       {"allow-publish", "'Members'"},
                                                       {"allow-presence", "1"},
                                                       {"allow-history", "'tokens'"}};
  for (const auto& [key, value] : wrong) {
    const auto line = std::string{key} + " = " + value + '\n';
    const text_place at{2, static_cast<std::uint32_t>(std::string{key}.size() + 4)};
    expect_refused("[rooms]\n" + line, at, "rooms." + std::string{key});
    expect_refused("[namespaces.chat]\n" + line, at, "namespaces.chat." + std::string{key});
  }
  take("[rooms]\nmax-message-bytes = \"64KiB\"\nhistory-size = 1000000\n");
}

TEST_F(room_tables_test, say_why_members_cannot_be_who_may_subscribe) {
  expect_refused("[rooms]\nallow-subscribe = \"members\"\n", {2, 19}, "nobody is a member before");
}

TEST_F(room_tables_test, refuse_names_that_are_none_and_settings_that_do_not_exist) {
  expect_refused("[rooms]\nhistory-sizes = 1\n", {2, 1}, "'history-sizes' in [rooms]");
  expect_refused("[rooms]\n\nchat.history-size = 1\n", {3, 1}, "'chat' in [rooms]");
  expect_refused("[namespaces.chat]\nlisten = 'x'\n", {2, 1}, "'listen' in [namespaces.chat]");
  expect_refused("[namespaces]\nhistory-size = 1\n", {2, 1}, "namespaces.history-size is a table");
  expect_refused("rooms = 1\n", {1, 1}, "rooms is a table");
  expect_refused("[[rooms]]\n", {1, 3}, "rooms is a table");
  expect_refused("namespaces = 'chat'\n", {1, 1}, "[namespaces.NAME]");
  expect_refused("[namespaces.'a:b']\n", {1, 13}, "colon");
  expect_refused("[namespaces.'']\n", {1, 13}, "1 to 254 bytes");
  expect_refused("[namespaces.\"a\\nb\"]\n", {1, 13}, "control");
  expect_refused("[namespaces." + std::string(255, 'x') + "]\n", {1, 13}, "254");
  table = {};
  take("[namespaces." + std::string(254, 'x') + "]\n");
}

TEST_F(room_tables_test, name_the_first_mistake_of_the_text) {
  expect_refused("[rooms]\npresence = 2\nallow-publish = 3\n", {2, 12}, "presence");
  expect_refused("[namespaces.b]\nx = 1\n[namespaces.a]\ny = 1\n", {2, 1}, "'x'");
}

} // namespace
} // namespace canang::app
