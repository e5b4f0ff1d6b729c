#include "cluster/rooms/housekeeping_faults.hpp"

#include "cluster/rooms/broker_metrics.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace canang::cluster {
namespace {

using namespace std::chrono_literals;

struct housekeeping_faults_test : testing::Test {
  broker_metrics metrics;
  housekeeping_faults faults{metrics};
  housekeeping_faults::clock::time_point now{1h};

  std::uint64_t counted(housekeeping what, refusal why) {
    return metrics.refused[static_cast<std::size_t>(what)][static_cast<std::size_t>(why)].value();
  }
};

TEST_F(housekeeping_faults_test, are_counted_by_script_and_reason) {
  faults.note(housekeeping::lease, "OOM command not allowed when used memory > 'maxmemory'.");
  faults.note(housekeeping::lease, "OOM command not allowed when used memory > 'maxmemory'.");
  faults.note(housekeeping::reap,
              "NOPERM User canang has no permissions to run the 'sscan' command");
  EXPECT_EQ(counted(housekeeping::lease, refusal::memory), 2U);
  EXPECT_EQ(counted(housekeeping::reap, refusal::acl), 1U);
  EXPECT_EQ(counted(housekeeping::lease, refusal::acl), 0U);
}

TEST_F(housekeeping_faults_test, are_said_at_once_and_then_once_a_minute) {
  EXPECT_EQ(faults.line(now), "");
  faults.note(housekeeping::lease, "OOM x");
  EXPECT_EQ(faults.line(now), "housekeeping is refused: lease 1 times (memory); the last: OOM x");
  for (int i = 0; i < 3; ++i)
    faults.note(housekeeping::presence, "NOREPLICAS y");
  faults.note(housekeeping::lease, "OOM z");
  EXPECT_EQ(faults.line(now + 59s), "");
  EXPECT_EQ(faults.line(now + 60s), "housekeeping is refused: lease 1 times (memory), presence 3 "
                                    "times (replicas); the last: OOM z");
  EXPECT_EQ(faults.line(now + 10min), "") << "there was nothing since";
}

TEST_F(housekeeping_faults_test, are_told_apart_by_what_redis_says) {
  const std::pair<const char*, refusal> table[]{
    {"MISCONF Errors writing to the AOF file", refusal::disk},
    {"BUSY Redis is busy running a script.", refusal::busy},
    {"READONLY You can't write against a read only replica.", refusal::not_master},
    {"LOADING Redis is loading the dataset in memory", refusal::not_master},
    {"NOPERM this user has no permissions", refusal::acl},
    {"ERR The user executing the script can't run this command or subcommand script: 1f",
     refusal::acl},
    {"WRONGTYPE Operation against a key", refusal::wrong_type},
    {"ERR Error running script (call to f_1): @user_script:9: WRONGTYPE Operation",
     refusal::wrong_type},
    {"ERR something new", refusal::other},
  };
  for (const auto& [error, reason] : table)
    EXPECT_EQ(refusal_of(error), reason) << error;
}

} // namespace
} // namespace canang::cluster
