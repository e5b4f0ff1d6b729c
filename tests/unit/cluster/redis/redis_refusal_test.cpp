#include "cluster/redis/refusal.hpp"
#include "cluster/rooms/room_scripts.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace canang::cluster {
namespace {

constexpr std::string_view script = "-- first\nlocal a = 1\n  redis.call('HGET', KEYS[1], 'a')\n";

TEST(redis_refusal, is_told_from_other_errors) {
  EXPECT_TRUE(is_acl_refusal("NOPERM this user has no permissions to run the 'zadd' command"));
  EXPECT_TRUE(is_acl_refusal("ERR The user executing the script can't run this command or "
                             "subcommand script: 799223, on @user_script:2."));
  EXPECT_TRUE(is_acl_refusal("ERR ACL failure in script: User canang has no permissions to run "
                             "the 'hexists' command script: 799223, on @user_script:2."));
  EXPECT_FALSE(is_acl_refusal("OOM command not allowed when used memory > 'maxmemory'."));
  EXPECT_FALSE(is_acl_refusal("NOAUTH Authentication required."));
  EXPECT_FALSE(is_acl_refusal(""));
}

TEST(redis_refusal, names_the_command_that_was_refused) {
  const struct {
    const char* error;
    const char* named;
  } table[] = {
    {"NOPERM this user has no permissions to run the 'zadd' command", "zadd"},
    {"NOPERM this user has no permissions to access one of the keys used as arguments", "evalsha"},
    {"ERR The user executing the script can't run this command or subcommand script: 7, on "
     "@user_script:3.",
     "hget"},
    {"ERR The user executing the script can't access at least one of the keys mentioned in the "
     "command arguments script: 7, on @user_script:3.",
     "hget"},
    {"ERR The user executing the script can't run this command: 7, on @user_script:2.", "evalsha"},
    {"ERR The user executing the script can't run this command: 7, on @user_script:99.", "evalsha"},
    {"ERR The user executing the script can't run this command: 7, on @user_script:", "evalsha"},
  };
  for (const auto& row : table)
    EXPECT_EQ(refused_command(row.error, "EVALSHA", script), row.named) << row.error;
}

TEST(redis_refusal, names_what_a_script_has_called_itself_and_returned) {
  const auto* const error =
    "ERR The user executing the script can't run this command or subcommand";
  EXPECT_EQ(refused_command(error, "EVALSHA", script), "evalsha");
  EXPECT_EQ(refused_command(error, "EVALSHA", room_scripts().publish.text()), "xadd");
}

/// So that a line that an error names can be looked up.
TEST(redis_refusal, finds_a_command_in_each_line_of_our_scripts_that_calls_one) {
  const auto& all = room_scripts();
  for (const auto* const each : {&all.publish, &all.read, &all.positions, &all.presence, &all.leave,
                                 &all.reap, &all.lease, &all.sweep, &all.bury, &all.release}) {
    const auto text = each->text();
    std::size_t line = 1;
    std::size_t found = 0;
    for (std::size_t at = 0; at < text.size(); ++line) {
      const auto end = std::min(text.find('\n', at), text.size());
      const auto source = text.substr(at, end - at);
      at = end + 1;
      if (source.find("call('") == std::string_view::npos)
        continue;
      ++found;
      EXPECT_NE(
        refused_command("ERR The user executing the script can't run this: 7, on @user_script:"
                          + std::to_string(line) + '.',
                        "none", text),
        "none")
        << each->name() << ':' << line;
    }
    EXPECT_GT(found, 0U) << each->name();
    EXPECT_FALSE(each->name().empty());
  }
}

} // namespace
} // namespace canang::cluster
