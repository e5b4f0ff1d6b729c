#include "cluster/memory/memory_broker.hpp"

#include "tests/unit/support/clock.hpp"
#include "tests/unit/support/memory_rooms.hpp"
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
  room_settings settings;
  memory_broker_options options;
  room_log room;

  memory_broker_test() {
    settings.history_ttl = 300s;
    options.idempotency_ttl = 300s;
  }

  test::memory_rooms make() {
    return {settings, options, [this] { return clock.now; }};
  }

  /// Of so many rooms' histories with so many messages of a few bytes in all.
  static std::size_t cost_of_histories(std::size_t rooms, std::size_t messages) {
    return rooms * recent_publications::list_cost
           + messages * (publication_of("x")->cost() + recent_publications::place_cost);
  }

  static bool is_known(test::memory_rooms& broker, std::string_view name) {
    bool known = false;
    broker.report(name, false, [&](room_report&& report) { known = !report.top.epoch.empty(); });
    return known;
  }

  static void publish(test::memory_rooms& broker, const std::string& to, std::string text,
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
  settings.history_size = 3;
  auto broker = make();
  for (const char* text : {"1", "2", "3", "4", "5"})
    publish(broker, "a", text);
  EXPECT_EQ(texts(history_of(broker, "a", 9)), "345");
  EXPECT_EQ(history_of(broker, "a", 9).top.offset, 5U);
  EXPECT_EQ(broker.history_bytes(), 3U);
}

TEST_F(memory_broker_test, keeps_none_when_told_to) {
  settings.history_size = 0;
  auto broker = make();
  broker.subscribe("a", room);
  publish(broker, "a", "1");
  EXPECT_EQ(room.calls, "mo");
  EXPECT_EQ(texts(history_of(broker, "a", 9)), "");
  EXPECT_EQ(broker.history_bytes(), 0U);
}

TEST_F(memory_broker_test, keeps_so_many_bytes_a_room) {
  settings.history_bytes = 10;
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
  for (int i = 0; i < 1000; ++i) {
    publish(broker, std::to_string(i), "x");
    epochs.insert(history_of(broker, std::to_string(i), 0).top.epoch);
  }
  EXPECT_EQ(epochs.size(), 1000U);
}

TEST_F(memory_broker_test,
       takes_the_history_of_the_room_longest_without_publication_over_its_budget) {
  options.total_bytes = cost_of_histories(2, 4);
  auto broker = make();
  publish(broker, "a", "a");
  publish(broker, "b", "b");
  publish(broker, "a", "A"); // now `b` is the oldest
  EXPECT_EQ(broker.history_cost(), cost_of_histories(2, 3));
  publish(broker, "c", "c");
  EXPECT_EQ(texts(history_of(broker, "b", 9)), "");
  EXPECT_EQ(texts(history_of(broker, "a", 9)), "aA");
  EXPECT_EQ(texts(history_of(broker, "c", 9)), "c");
  EXPECT_EQ(history_of(broker, "b", 9).top.offset, 1U) << "its offsets are not lost";
  publish(broker, "c", "d");
  publish(broker, "c", "e");
  EXPECT_EQ(texts(history_of(broker, "a", 9)), "");
  EXPECT_EQ(texts(history_of(broker, "c", 9)), "cde");
  EXPECT_EQ(broker.forgotten().for_budget, 2U);
  EXPECT_LE(broker.history_cost(), options.total_bytes);
}

TEST_F(memory_broker_test, counts_what_empty_messages_cost) {
  options.total_bytes = 1024 * 1024;
  auto broker = make();
  for (int room = 0; room < 200; ++room)
    for (int i = 0; i < 128; ++i)
      publish(broker, std::to_string(room), "");
  EXPECT_EQ(broker.history_bytes(), 0U);
  EXPECT_LE(broker.history_cost(), options.total_bytes);
  EXPECT_GT(broker.history_cost(), options.total_bytes - cost_of_histories(1, 128));
  EXPECT_EQ(history_of(broker, "199", 999).publications.size(), 128U);
  EXPECT_EQ(history_of(broker, "0", 999).publications.size(), 0U);
}

TEST_F(memory_broker_test, one_room_alone_stays_within_the_budget) {
  options.total_bytes = cost_of_histories(1, 3);
  auto broker = make();
  for (const char* text : {"1", "2", "3", "4", "5"})
    publish(broker, "a", text);
  EXPECT_EQ(texts(history_of(broker, "a", 9)), "345");
  EXPECT_EQ(broker.history_cost(), options.total_bytes);
}

TEST_F(memory_broker_test, takes_histories_of_rooms_that_nobody_is_in_first) {
  options.total_bytes = cost_of_histories(2, 2);
  auto broker = make();
  broker.subscribe("busy", room);
  publish(broker, "busy", "b");
  publish(broker, "left", "l");
  publish(broker, "new",
          "n"); // `busy` is longest without a publication, but there is somebody in it
  EXPECT_EQ(texts(history_of(broker, "busy", 9)), "b");
  EXPECT_EQ(texts(history_of(broker, "left", 9)), "");
  EXPECT_EQ(texts(history_of(broker, "new", 9)), "n");
  broker.unsubscribe("busy"); // from now on it is the one that was left last
  publish(broker, "newer", "N");
  EXPECT_EQ(texts(history_of(broker, "busy", 9)), "b");
  EXPECT_EQ(texts(history_of(broker, "new", 9)), "");
}

TEST_F(memory_broker_test, takes_histories_of_rooms_that_only_linger_before_those_with_members) {
  options.total_bytes = cost_of_histories(2, 2);
  auto broker = make();
  room_log left;
  room_log new_one;
  broker.subscribe("busy", room);
  broker.note_member("busy", {1, {}}, true);
  publish(broker, "busy", "b");
  broker.subscribe("left", left);
  broker.note_member("left", {2, {}}, true);
  publish(broker, "left", "l");
  broker.note_member("left", {2, {}}, false); // its actor waits for somebody to come back
  broker.subscribe("new", new_one);
  broker.note_member("new", {3, {}}, true);
  publish(broker, "new", "n");
  EXPECT_EQ(texts(history_of(broker, "busy", 9)), "b");
  EXPECT_EQ(texts(history_of(broker, "left", 9)), "");
  EXPECT_EQ(texts(history_of(broker, "new", 9)), "n");
}

TEST_F(memory_broker_test, counts_idempotency_keys_and_takes_them_with_the_history) {
  options.total_bytes = 64 * 1024;
  auto broker = make();
  const std::string long_key(200, 'k');
  for (int i = 0; i < 4096; ++i)
    publish(broker, std::to_string(i / 50), {}, long_key + std::to_string(i));
  EXPECT_LE(broker.history_cost(), options.total_bytes);
  EXPECT_GT(broker.history_cost(), options.total_bytes / 2);
  broker.subscribe("81", room);
  publish(broker, "81", {}, long_key + "4095");
  EXPECT_TRUE(room.outcomes.back().duplicate);
  room_log other;
  broker.subscribe("0", other);
  publish(broker, "0", {}, long_key + "0");
  EXPECT_FALSE(other.outcomes.back().duplicate) << "this room's keys had to go";
}

TEST_F(memory_broker_test, keeps_nothing_of_a_room_that_was_only_joined) {
  auto broker = make();
  broker.subscribe("a", room);
  EXPECT_EQ(broker.room_count(), 1U);
  EXPECT_EQ(broker.idle_count(), 0U);
  broker.unsubscribe("a");
  EXPECT_EQ(broker.room_count(), 0U);
  EXPECT_EQ(broker.rooms_cost(), 0U);
}

TEST_F(memory_broker_test, forgets_rooms_without_a_history_first_and_then_the_quietest) {
  settings.history_ttl = 10s;
  auto broker = make();
  broker.subscribe("bare", room); // will have offsets, but no history
  publish(broker, "bare", "x");
  clock.move(10s);
  broker.expire();
  for (const char* name : {"1", "2", "3"})
    publish(broker, name, "x");
  broker.unsubscribe("bare");
  publish(broker, "1", "x"); // now 2 is the quietest
  room_log somebody;
  broker.subscribe("3", somebody);
  EXPECT_EQ(broker.idle_count(), 3U);
  const auto known = [&] {
    std::string names;
    for (const char* name : {"bare", "1", "2", "3"})
      names += is_known(broker, name) ? name : "-";
    return names;
  };
  EXPECT_EQ(broker.forget_rooms(1), 1U);
  EXPECT_EQ(broker.idle_count(), 2U);
  EXPECT_EQ(broker.forget_rooms(1), 1U);
  EXPECT_EQ(known(), "-1-3");
  EXPECT_EQ(broker.forget_rooms(5), 1U) << "there is somebody in the last one";
  EXPECT_EQ(known(), "---3");
  EXPECT_EQ(broker.forgotten().for_rooms, 3U);
  EXPECT_EQ(broker.idle_history_cost(), 0U);
  EXPECT_EQ(broker.history_cost(), cost_of_histories(1, 1));
}

TEST_F(memory_broker_test, a_room_that_somebody_comes_back_to_is_not_forgotten) {
  auto broker = make();
  publish(broker, "1", "x");
  publish(broker, "2", "x");
  EXPECT_TRUE(broker.claim("1"));
  EXPECT_FALSE(broker.claim("3"));
  EXPECT_EQ(broker.idle_count(), 1U);
  EXPECT_EQ(broker.forget_rooms(9), 1U);
  EXPECT_EQ(broker.shed(1), 0U);
  EXPECT_TRUE(is_known(broker, "1"));
  EXPECT_FALSE(is_known(broker, "2"));
  broker.subscribe("1", room);
  EXPECT_FALSE(broker.claim("1"))
    << "whoever subscribes is about to go, or the room would be known";
  EXPECT_EQ(texts(history_of(broker, "1", 9)), "x");
  broker.unsubscribe("1");
  EXPECT_EQ(broker.idle_count(), 1U);
  EXPECT_EQ(broker.idle_history_cost(), cost_of_histories(1, 1));
  EXPECT_TRUE(broker.claim("1"));
  clock.move(300s); // whoever it was, nobody came
  broker.expire();
  EXPECT_EQ(broker.room_count(), 0U);
  EXPECT_EQ(broker.idle_count(), 0U);
  EXPECT_EQ(broker.idle_history_cost(), 0U);
}

TEST_F(memory_broker_test, lets_go_what_nobody_is_there_for_when_memory_is_short) {
  auto broker = make();
  broker.subscribe("here", room);
  publish(broker, "here", "x");
  for (int i = 0; i < 100; ++i)
    publish(broker, std::to_string(i), "x");
  const auto each = cost_of_histories(1, 1);
  EXPECT_EQ(broker.idle_history_cost(), 100 * each);
  const auto freed = broker.shed(10 * each);
  EXPECT_GE(freed, 10 * each);
  EXPECT_LT(freed, 12 * each + 4096) << "the rooms themselves count too";
  EXPECT_EQ(texts(history_of(broker, "99", 9)), "x");
  EXPECT_GT(broker.shed(1'000'000'000), 0U);
  EXPECT_EQ(broker.idle_count(), 0U);
  EXPECT_EQ(texts(history_of(broker, "here", 9)), "x") << "somebody is there";
  EXPECT_EQ(broker.history_cost(), each);
}

TEST_F(memory_broker_test, an_epoch_is_new_after_a_room_was_forgotten) {
  auto broker = make();
  publish(broker, "a", "x");
  const auto before = history_of(broker, "a", 1).top;
  broker.forget_rooms(1);
  EXPECT_EQ(history_of(broker, "a", 1).top.epoch, "");
  publish(broker, "a", "x");
  const auto after = history_of(broker, "a", 1).top;
  EXPECT_NE(after.epoch, before.epoch);
  EXPECT_EQ(after.offset, 1U);
}

TEST_F(memory_broker_test, resumes_a_member_that_has_missed_nothing_that_is_gone) {
  settings.history_size = 3;
  auto broker = make();
  broker.subscribe("a", room);
  for (const char* text : {"1", "2", "3", "4", "5"})
    publish(broker, "a", text);
  const auto epoch = room.outcomes[0].at.epoch;
  const auto resumed = [&](const std::string& of, std::uint64_t offset) {
    const auto result = test::recovered(broker.channel("a"), {position{of, offset}, 0});
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
