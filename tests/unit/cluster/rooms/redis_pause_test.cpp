// A node whose loops are behind reads no channel for a while: what its rooms seem to lack is on its way.

#include "tests/unit/support/presence_fixture.hpp"

#include <gtest/gtest.h>

#include <string>

namespace canang::cluster {
namespace {

struct redis_pause_test : presence_fixture {
  static constexpr std::size_t more_than_is_kept = 2 * room_settings{}.history_size;
  static constexpr std::size_t all = 1 + more_than_is_kept;

  void publish(node_under_test& by, std::size_t count) {
    const auto before = by.rooms["r"].outcomes.size();
    for (std::size_t i = 0; i < count; ++i)
      by.publish("r", std::to_string(before + i));
    ASSERT_TRUE(until([&] { return by.rooms["r"].outcomes.size() == before + count; }));
  }
};

/// The history is too short for what has come meanwhile: whoever looks it up there, loses some.
TEST_F(redis_pause_test, tells_of_no_loss_while_channels_are_not_read) {
  links.probe_timeout = 60s; // probes come by the link that is not read
  auto& paused = start("n1");
  auto& other = start("n2");
  open(paused, "r");
  open(other, "r");
  const auto& heard = paused.rooms["r"];
  const auto reads = paused.metrics.history_reads.value();
  paused.broker->pause_messages(true);
  ASSERT_NO_FATAL_FAILURE(publish(other, 1));
  rest(); // what the read brought that was under way
  ASSERT_NO_FATAL_FAILURE(publish(other, more_than_is_kept));
  ASSERT_LE(heard.publications.size(), 1U);
  paused.ahead = 10s; // the room has been quiet for long
  for (int ticks = 0; ticks < 1000; ++ticks)
    paused.broker->tick(); // each slot of rooms has its turn
  rest();
  EXPECT_EQ(heard.breaks.size(), 0U);

  paused.broker->pause_messages(false);
  for (int ticks = 0; ticks < 100; ++ticks)
    paused.broker->tick(); // before the link has been read
  ASSERT_TRUE(until([&] { return heard.publications.size() == all; })) << heard.publications.size();
  for (std::size_t i = 0; i < all; ++i)
    EXPECT_EQ(heard.publications[i]->data, std::to_string(i));
  EXPECT_EQ(heard.breaks.size(), 0U);
  EXPECT_EQ(paused.metrics.history_reads.value(), reads) << "there was nothing to be looked up";
}

} // namespace
} // namespace canang::cluster
