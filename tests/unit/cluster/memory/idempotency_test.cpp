#include "cluster/memory/memory_broker.hpp"
#include "tests/unit/support/clock.hpp"
#include "tests/unit/support/memory_rooms.hpp"
#include "tests/unit/support/room_log.hpp"

#include <gtest/gtest.h>

namespace canang::cluster {
namespace {

using namespace std::chrono_literals;

struct idempotency_test : testing::Test {
  test::moving_clock clock;
  room_settings settings;
  memory_broker_options options;
  test::room_log room;

  test::memory_rooms make() {
    return {settings, options, [this] { return clock.now; }};
  }

  publish_outcome publish(test::memory_rooms& broker, std::string_view key) {
    broker.publish("a", test::publication_of("x"), key);
    return room.outcomes.back();
  }
};

TEST_F(idempotency_test, stores_a_key_once_and_tells_where) {
  auto broker = make();
  broker.subscribe("a", room);
  const auto first = publish(broker, "key");
  publish(broker, "");
  const auto again = publish(broker, "key");
  EXPECT_FALSE(first.duplicate);
  EXPECT_TRUE(again.duplicate);
  EXPECT_EQ(again.at, first.at);
  EXPECT_EQ(room.calls, "momoo") << "the duplicate is answered but not delivered";
  EXPECT_EQ(test::history_of(broker, "a", 9).publications.size(), 2U);
  EXPECT_EQ(publish(broker, "").at.offset, 3U) << "no offset was used up";
}

TEST_F(idempotency_test, takes_no_key_for_no_key) {
  auto broker = make();
  broker.subscribe("a", room);
  publish(broker, "");
  EXPECT_FALSE(publish(broker, "").duplicate);
}

TEST_F(idempotency_test, knows_a_key_for_its_lifetime) {
  options.idempotency_ttl = 300s;
  auto broker = make();
  broker.subscribe("a", room);
  publish(broker, "key");
  clock.move(299s);
  EXPECT_TRUE(publish(broker, "key").duplicate);
  clock.move(1s); // the duplicate did not prolong it
  const auto later = publish(broker, "key");
  EXPECT_FALSE(later.duplicate);
  EXPECT_EQ(later.at.offset, 2U);
  clock.move(299s);
  EXPECT_TRUE(publish(broker, "key").duplicate);
}

TEST_F(idempotency_test, knows_a_key_of_a_room_whose_history_is_gone) {
  settings.history_ttl = 10s;
  options.idempotency_ttl = 300s;
  auto broker = make();
  broker.subscribe("a", room);
  publish(broker, "key");
  broker.unsubscribe("a");
  for (int i = 0; i < 29; ++i) {
    clock.move(10s);
    broker.expire();
  }
  broker.subscribe("a", room);
  EXPECT_TRUE(publish(broker, "key").duplicate);
  broker.unsubscribe("a");
  for (int i = 0; i < 3; ++i) {
    clock.move(10s);
    broker.expire();
  }
  EXPECT_EQ(broker.room_count(), 0U);
}

TEST_F(idempotency_test, knows_so_many_keys_a_room) {
  options.idempotency_keys = 3;
  auto broker = make();
  broker.subscribe("a", room);
  for (const char* key : {"1", "2", "3", "4"})
    EXPECT_FALSE(publish(broker, key).duplicate);
  EXPECT_TRUE(publish(broker, "2").duplicate);
  EXPECT_TRUE(publish(broker, "4").duplicate);
  EXPECT_FALSE(publish(broker, "1").duplicate) << "the oldest was forgotten";
  EXPECT_FALSE(publish(broker, "2").duplicate) << "and now the next";
}

TEST_F(idempotency_test, keys_cost_memory_until_they_are_forgotten) {
  settings.history_size = 0;
  settings.history_ttl = 10s;
  options.idempotency_ttl = 10s;
  options.idempotency_keys = 100;
  auto broker = make();
  broker.subscribe("a", room);
  publish(broker, {});
  EXPECT_EQ(broker.history_cost(), 0U);
  for (int i = 0; i < 200; ++i)
    publish(broker, std::to_string(i));
  const auto small = broker.history_cost();
  EXPECT_GT(small, 100 * 80U);
  for (int i = 0; i < 200; ++i)
    publish(broker, std::string(100, 'k') + std::to_string(i));
  EXPECT_GE(broker.history_cost(), small + 100 * 100U);
  clock.move(10s);
  publish(broker, {});
  EXPECT_EQ(broker.history_cost(), 0U);
}

TEST_F(idempotency_test, knows_keys_a_room) {
  auto broker = make();
  test::room_log other;
  broker.subscribe("a", room);
  broker.subscribe("b", other);
  publish(broker, "key");
  broker.publish("b", test::publication_of("x"), "key");
  EXPECT_FALSE(other.outcomes[0].duplicate);
  EXPECT_EQ(other.publications.size(), 1U);
}

} // namespace
} // namespace canang::cluster
