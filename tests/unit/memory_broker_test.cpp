#include "cluster/memory_broker.hpp"

#include "tests/unit/support/clock.hpp"
#include "tests/unit/support/room_log.hpp"

#include <gtest/gtest.h>

#include <set>

namespace canang::cluster {
namespace {

using namespace std::chrono_literals;
using test::history_of;
using test::publication_of;
using test::room_log;
using test::texts;

struct memory_broker_test : testing::Test {
  test::moving_clock clock;
  memory_broker_options options;
  room_log room;

  memory_broker_test() {
    options.history_ttl = 300s;
    options.idempotency_ttl = 300s;
  }

  memory_broker make() {
    return {options, [this] { return clock.now; }};
  }

  static void publish(memory_broker& broker, std::string_view to, std::string text,
                      std::string_view key = {}) {
    broker.publish(to, publication_of(std::move(text)), key);
  }
};

TEST_F(memory_broker_test, gives_consecutive_offsets_from_1_in_one_epoch) {
  auto broker = make();
  broker.subscribe("a", room);
  for (int i = 0; i < 300; ++i)
    publish(broker, "a", "x");
  for (std::size_t i = 0; i < 300; ++i) {
    EXPECT_EQ(room.publications[i]->offset, i + 1);
    EXPECT_EQ(room.outcomes[i].at, (position{room.outcomes[0].at.epoch, i + 1}));
    EXPECT_FALSE(room.outcomes[i].duplicate);
    EXPECT_EQ(room.outcomes[i].error, broker_errc::none);
  }
  EXPECT_FALSE(room.outcomes[0].at.epoch.empty());
}

TEST_F(memory_broker_test, tells_the_publication_before_its_outcome) {
  auto broker = make();
  broker.subscribe("a", room);
  publish(broker, "a", "x");
  publish(broker, "a", "y");
  EXPECT_EQ(room.calls, "momo");
}

TEST_F(memory_broker_test, hands_on_the_very_publication_that_it_was_given) {
  auto broker = make();
  broker.subscribe("a", room);
  auto message = publication_of("payload");
  const auto* const address = message.get();
  broker.publish("a", std::move(message), {});
  EXPECT_EQ(room.publications[0].get(), address);
  EXPECT_EQ(history_of(broker, "a", 1).publications[0].get(), address);
}

TEST_F(memory_broker_test, keeps_rooms_apart) {
  auto broker = make();
  room_log other;
  broker.subscribe("a", room);
  broker.subscribe("b", other);
  publish(broker, "a", "1");
  publish(broker, "b", "2");
  publish(broker, "a", "3");
  EXPECT_EQ(room.publications.size(), 2U);
  EXPECT_EQ(other.publications.size(), 1U);
  EXPECT_EQ(other.publications[0]->offset, 1U);
  EXPECT_NE(room.outcomes[0].at.epoch, other.outcomes[0].at.epoch);
  EXPECT_EQ(texts(history_of(broker, "a", 9)), "13");
  EXPECT_EQ(texts(history_of(broker, "b", 9)), "2");
}

TEST_F(memory_broker_test, stores_what_is_published_while_nobody_listens) {
  auto broker = make();
  publish(broker, "a", "1");
  broker.subscribe("a", room);
  EXPECT_EQ(room.calls, "");
  publish(broker, "a", "2");
  EXPECT_EQ(room.publications[0]->offset, 2U);
  EXPECT_EQ(texts(history_of(broker, "a", 9)), "12");
}

TEST_F(memory_broker_test, tells_nothing_after_an_unsubscribe) {
  auto broker = make();
  broker.subscribe("a", room);
  publish(broker, "a", "1");
  broker.unsubscribe("a");
  publish(broker, "a", "2");
  EXPECT_EQ(room.calls, "mo");
  broker.unsubscribe("unknown");
  room_log next;
  broker.subscribe("a", next);
  publish(broker, "a", "3");
  EXPECT_EQ(next.publications[0]->offset, 3U) << "the room's life goes on";
  EXPECT_EQ(next.outcomes[0].at.epoch, room.outcomes[0].at.epoch);
}

TEST_F(memory_broker_test,
       delivers_no_answer_to_one_who_unsubscribes_when_told_of_its_publication) {
  auto broker = make();
  room.on_each_publication = [&] { broker.unsubscribe("a"); };
  broker.subscribe("a", room);
  publish(broker, "a", "1");
  EXPECT_EQ(room.calls, "m");
}

TEST_F(memory_broker_test, gives_the_last_publications_oldest_first) {
  auto broker = make();
  EXPECT_EQ(history_of(broker, "a", 9).top.offset, 0U);
  for (const char* text : {"1", "2", "3", "4"})
    publish(broker, "a", text);
  EXPECT_EQ(texts(history_of(broker, "a", 0)), "");
  EXPECT_EQ(texts(history_of(broker, "a", 1)), "4");
  EXPECT_EQ(texts(history_of(broker, "a", 3)), "234");
  EXPECT_EQ(texts(history_of(broker, "a", 4)), "1234");
  const auto page = history_of(broker, "a", 1'000'000);
  EXPECT_EQ(texts(page), "1234");
  EXPECT_EQ(page.top.offset, 4U);
  EXPECT_EQ(page.error, broker_errc::none);
}

TEST_F(memory_broker_test, names_the_same_epoch_in_history_and_outcomes) {
  auto broker = make();
  broker.subscribe("a", room);
  publish(broker, "a", "1");
  EXPECT_EQ(history_of(broker, "a", 1).top, room.outcomes[0].at);
}

TEST_F(memory_broker_test, keeps_so_many_publications_a_room) {
  options.history_size = 3;
  auto broker = make();
  for (const char* text : {"1", "2", "3", "4", "5"})
    publish(broker, "a", text);
  EXPECT_EQ(texts(history_of(broker, "a", 9)), "345");
  EXPECT_EQ(history_of(broker, "a", 9).top.offset, 5U);
  EXPECT_EQ(broker.history_bytes(), 3U);
}

TEST_F(memory_broker_test, keeps_none_when_told_to) {
  options.history_size = 0;
  auto broker = make();
  broker.subscribe("a", room);
  publish(broker, "a", "1");
  EXPECT_EQ(room.calls, "mo");
  EXPECT_EQ(texts(history_of(broker, "a", 9)), "");
  EXPECT_EQ(broker.history_bytes(), 0U);
}

TEST_F(memory_broker_test, keeps_so_many_bytes_a_room) {
  options.history_bytes = 10;
  auto broker = make();
  for (const char* text : {"aaaa", "bbb", "ccc"})
    publish(broker, "a", text);
  EXPECT_EQ(texts(history_of(broker, "a", 9)), "aaaabbbccc");
  publish(broker, "a", "d");
  EXPECT_EQ(texts(history_of(broker, "a", 9)), "bbbcccd");
  publish(broker, "a", "0123456789");
  EXPECT_EQ(texts(history_of(broker, "a", 9)), "0123456789");
  publish(broker, "a", "0123456789x");
  EXPECT_EQ(texts(history_of(broker, "a", 9)), "") << "one that is too large leaves nothing";
  EXPECT_EQ(broker.history_bytes(), 0U);
}

TEST_F(memory_broker_test, forgets_history_its_lifetime_after_the_last_publication) {
  auto broker = make();
  broker.subscribe("a", room);
  publish(broker, "a", "1");
  clock.move(200s);
  publish(broker, "a", "2");
  clock.move(299s);
  EXPECT_EQ(texts(history_of(broker, "a", 9)), "12");
  clock.move(1s);
  EXPECT_EQ(texts(history_of(broker, "a", 9)), "");
  EXPECT_EQ(history_of(broker, "a", 9).top.offset, 2U) << "with a subscriber offsets go on";
  publish(broker, "a", "3");
  EXPECT_EQ(room.outcomes.back().at, (position{room.outcomes[0].at.epoch, 3}));
  EXPECT_EQ(texts(history_of(broker, "a", 9)), "3");
}

TEST_F(memory_broker_test, begins_a_new_epoch_when_a_room_without_subscriber_was_forgotten) {
  auto broker = make();
  broker.subscribe("a", room);
  publish(broker, "a", "1");
  broker.unsubscribe("a");
  clock.move(299s);
  broker.expire();
  EXPECT_EQ(broker.room_count(), 1U);
  clock.move(1s);
  broker.expire();
  EXPECT_EQ(broker.room_count(), 0U);
  EXPECT_EQ(broker.history_bytes(), 0U);
  room_log next;
  broker.subscribe("a", next);
  publish(broker, "a", "2");
  EXPECT_EQ(next.outcomes[0].at.offset, 1U);
  EXPECT_NE(next.outcomes[0].at.epoch, room.outcomes[0].at.epoch);
}

TEST_F(memory_broker_test, keeps_the_epoch_of_a_silent_room_with_a_subscriber) {
  auto broker = make();
  broker.subscribe("a", room);
  publish(broker, "a", "1");
  for (int i = 0; i < 100; ++i) {
    clock.move(100s);
    broker.expire();
  }
  EXPECT_EQ(broker.history_bytes(), 0U);
  publish(broker, "a", "2");
  EXPECT_EQ(room.outcomes[1].at, (position{room.outcomes[0].at.epoch, 2}));
}

TEST_F(memory_broker_test, gives_every_life_of_a_room_its_own_epoch) {
  auto broker = make();
  std::set<std::string> epochs;
  for (int i = 0; i < 1000; ++i)
    epochs.insert(history_of(broker, std::to_string(i), 0).top.epoch);
  EXPECT_EQ(epochs.size(), 1000U);
}

TEST_F(memory_broker_test,
       takes_the_history_of_the_room_longest_without_publication_over_its_budget) {
  options.total_bytes = 10;
  auto broker = make();
  publish(broker, "a", "aaaa");
  publish(broker, "b", "bbb");
  publish(broker, "a", "AA"); // now `b` is the oldest
  EXPECT_EQ(broker.history_bytes(), 9U);
  publish(broker, "c", "cc");
  EXPECT_EQ(texts(history_of(broker, "b", 9)), "");
  EXPECT_EQ(texts(history_of(broker, "a", 9)), "aaaaAA");
  EXPECT_EQ(texts(history_of(broker, "c", 9)), "cc");
  EXPECT_EQ(history_of(broker, "b", 9).top.offset, 1U) << "its offsets are not lost";
  publish(broker, "c", "cccccccc");
  EXPECT_EQ(texts(history_of(broker, "a", 9)), "");
  EXPECT_EQ(texts(history_of(broker, "c", 9)), "cccccccccc");
  EXPECT_LE(broker.history_bytes(), options.total_bytes);
}

TEST_F(memory_broker_test, resumes_a_member_that_has_missed_nothing_that_is_gone) {
  options.history_size = 3;
  auto broker = make();
  broker.subscribe("a", room);
  for (const char* text : {"1", "2", "3", "4", "5"})
    publish(broker, "a", text);
  const auto epoch = room.outcomes[0].at.epoch;
  const auto resumed = [&](const std::string& of, std::uint64_t offset) {
    history_page result;
    broker.recover("a", {position{of, offset}, 0},
                   [&](history_page&& page) { result = std::move(page); });
    EXPECT_EQ(result.top, (position{epoch, 5}));
    return std::pair{result.recovered, texts(result)};
  };
  EXPECT_EQ(resumed(epoch, 5), (std::pair{true, std::string{}}));
  EXPECT_EQ(resumed(epoch, 3), (std::pair{true, std::string{"45"}}));
  EXPECT_EQ(resumed(epoch, 2), (std::pair{true, std::string{"345"}}));
  EXPECT_EQ(resumed(epoch, 1), (std::pair{false, std::string{}})) << "2 is gone";
  EXPECT_EQ(resumed(epoch, 6), (std::pair{false, std::string{}})) << "it never was";
  EXPECT_EQ(resumed("another", 3), (std::pair{false, std::string{}}));
}

} // namespace
} // namespace canang::cluster
