// What is done in a room of a node that runs alone from outside of it, and settings that are replaced.

#include "actors/node/node_description.hpp"
#include "tests/unit/support/clock.hpp"
#include "tests/unit/support/memory_rooms.hpp"

#include <gtest/gtest.h>

namespace canang::cluster {
namespace {

using namespace std::chrono_literals;
using test::history_of;
using test::publish_in;
using test::room_log;
using test::texts;

struct memory_outside_test : testing::Test {
  test::moving_clock clock;
  room_settings settings;
  room_rules rules;
  room_log room;

  test::memory_rooms make() {
    return {settings, {}, [this] { return clock.now; }, rules, {"n1", actors::describe_member}};
  }

  void replace_settings(test::memory_rooms& broker) {
    broker.settings.set(test::table_of(settings, rules));
    broker.expire(); // once a second
  }

  static history_answer read(broker& from, const history_request& request) {
    history_answer result;
    from.history("a", request, [&](history_answer&& answer) { result = std::move(answer); });
    return result;
  }
};

TEST_F(memory_outside_test, a_publication_reaches_members_and_is_answered_to_who_asked) {
  auto broker = make();
  broker.subscribe("a", room);
  const auto outcome = publish_in(broker, "a", "1");
  EXPECT_EQ(room.calls, "m") << "no answer to the room, which did not publish it";
  EXPECT_EQ(outcome.at.offset, 1U);
  EXPECT_EQ(outcome.at, history_of(broker, "a", 1).top);
  broker.publish("a", test::publication_of("2"), {});
  EXPECT_EQ(room.outcomes.size(), 1U);
  EXPECT_EQ(room.outcomes[0].at.offset, 2U);
  EXPECT_EQ(texts(history_of(broker, "a", 9)), "12");
}

TEST_F(memory_outside_test, a_removed_history_leaves_the_order_as_it_was) {
  auto broker = make();
  broker.subscribe("a", room);
  const auto remove = [&](std::string_view which) {
    auto error = broker_errc::unavailable;
    broker.remove_history(which, [&](removal_answer&& answer) { error = answer.error; });
    return error;
  };
  const auto first = publish_in(broker, "a", "1", "key").at;
  publish_in(broker, "a", "2");
  EXPECT_EQ(remove("a"), broker_errc::none);
  EXPECT_EQ(remove("nobody knows it"), broker_errc::none);
  EXPECT_EQ(broker.room_count(), 1U);
  EXPECT_EQ(broker.history_bytes(), 0U);
  EXPECT_EQ(texts(history_of(broker, "a", 9)), "");
  EXPECT_EQ(history_of(broker, "a", 9).top, (position{first.epoch, 2}));
  EXPECT_EQ(publish_in(broker, "a", "3").at, (position{first.epoch, 3}));
  EXPECT_TRUE(publish_in(broker, "a", "1", "key").duplicate);
  EXPECT_TRUE(read(broker, {.since = first}).is_unrecoverable);
  EXPECT_FALSE(read(broker, {.since = position{first.epoch, 2}}).is_unrecoverable);
  EXPECT_EQ(room.calls, "mmm");
  EXPECT_EQ(room.breaks.size(), 0U);
}

TEST_F(memory_outside_test, tells_which_rooms_have_members) {
  auto broker = make();
  const auto listed = [&](const std::string& pattern, std::size_t limit) {
    std::string text;
    broker.list({pattern, limit}, [&](room_list&& found) {
      std::sort(found.rooms.begin(), found.rooms.end());
      for (const auto& [name, members] : found.rooms)
        text += name + ':' + std::to_string(members) + ' ';
      if (found.is_too_long)
        text += "too long";
    });
    return text;
  };
  room_log other;
  broker.subscribe("a", room);
  broker.subscribe("b", other);
  publish_in(broker, "c", "1");
  EXPECT_EQ(listed("*", 9), "");
  broker.note_member("a", {1, "ann"}, true);
  broker.note_member("a", {2, ""}, true);
  broker.note_member("b", {3, "ann"}, true);
  EXPECT_EQ(listed("*", 9), "a:2 b:1 ");
  EXPECT_EQ(listed("*", 2), "a:2 b:1 ");
  EXPECT_EQ(listed("*", 1), "too long");
  EXPECT_EQ(listed("b*", 1), "b:1 ");
  broker.note_member("a", {1, "ann"}, false);
  broker.note_member("b", {3, "ann"}, false);
  EXPECT_EQ(listed("*", 9), "a:1 ");
}

TEST_F(memory_outside_test, a_key_is_known_to_members_and_from_outside) {
  auto broker = make();
  const auto first = publish_in(broker, "a", "1", "key");
  EXPECT_FALSE(first.duplicate);
  EXPECT_EQ(publish_in(broker, "a", "1", "key").at, first.at);
  EXPECT_TRUE(publish_in(broker, "a", "1", "key").duplicate);
  broker.subscribe("a", room);
  broker.publish("a", test::publication_of("1"), "key");
  EXPECT_EQ(room.calls, "o");
  EXPECT_TRUE(room.outcomes[0].duplicate);
}

TEST_F(memory_outside_test, a_room_without_members_lives_by_its_history) {
  auto broker = make();
  publish_in(broker, "a", "1");
  EXPECT_TRUE(broker.keeps("a"));
  EXPECT_EQ(broker.idle_count(), 1U);
  EXPECT_GT(broker.idle_history_cost(), 0U);
  clock.move(300s);
  broker.expire();
  EXPECT_FALSE(broker.keeps("a"));
  EXPECT_EQ(broker.history_cost(), 0U);
}

TEST_F(memory_outside_test, without_a_wish_for_history_there_is_no_place_in_the_order) {
  auto broker = make();
  broker.subscribe("a", room);
  publish_in(broker, "a", "1");
  const auto outcome = publish_in(broker, "a", "now", {}, true);
  EXPECT_EQ(outcome.error, broker_errc::none);
  EXPECT_EQ(outcome.at, position{});
  publish_in(broker, "a", "2");
  ASSERT_EQ(room.publications.size(), 3U);
  EXPECT_EQ(room.publications[1]->data, "now");
  EXPECT_EQ(room.publications[1]->offset, 0U);
  EXPECT_EQ(room.publications[1]->epoch, "");
  EXPECT_EQ(room.publications[2]->offset, 2U) << "no offset was used up";
  EXPECT_EQ(texts(history_of(broker, "a", 9)), "12");
  EXPECT_EQ(room.breaks.size(), 0U);
}

TEST_F(memory_outside_test, without_a_wish_for_history_nothing_is_left_but_the_key) {
  auto broker = make();
  publish_in(broker, "a", "now", {}, true);
  EXPECT_EQ(broker.room_count(), 0U);
  EXPECT_FALSE(publish_in(broker, "a", "now", "key", true).duplicate);
  broker.subscribe("a", room);
  const auto again = publish_in(broker, "a", "now", "key", true);
  EXPECT_TRUE(again.duplicate);
  EXPECT_EQ(again.at, position{});
  EXPECT_EQ(room.calls, "");
  broker.unsubscribe("a");
  EXPECT_TRUE(publish_in(broker, "a", "x", "key").duplicate);
  clock.move(300s);
  broker.expire();
  EXPECT_EQ(broker.room_count(), 0U);
}

TEST_F(memory_outside_test, the_history_is_read_from_its_beginning_or_end_or_from_some_place) {
  settings.history_size = 5;
  auto broker = make();
  EXPECT_EQ(read(broker, {}).top.epoch, "") << "nothing is known of it";
  EXPECT_TRUE(read(broker, {.since = position{"abcdefghij", 0}}).is_unrecoverable);
  EXPECT_EQ(broker.room_count(), 0U);
  for (const char* text : {"1", "2", "3", "4", "5", "6", "7"})
    publish_in(broker, "a", text);
  const auto top = read(broker, {.limit = 0}).top;
  EXPECT_EQ(top.offset, 7U);
  const auto at = [&](std::uint64_t offset) { return position{top.epoch, offset}; };
  EXPECT_EQ(texts(read(broker, {})), "34567");
  EXPECT_EQ(texts(read(broker, {.limit = 2})), "34");
  EXPECT_EQ(texts(read(broker, {.limit = 2, .is_reverse = true})), "76");
  EXPECT_EQ(texts(read(broker, {.is_reverse = true})), "76543");
  EXPECT_EQ(texts(read(broker, {.since = at(5)})), "67");
  EXPECT_EQ(texts(read(broker, {.limit = 1, .since = at(2)})), "3");
  EXPECT_EQ(texts(read(broker, {.limit = 2, .since = at(6), .is_reverse = true})), "54");
  EXPECT_EQ(texts(read(broker, {.since = at(7)})), "");
  EXPECT_FALSE(read(broker, {.since = at(7)}).is_unrecoverable);
  EXPECT_FALSE(read(broker, {.since = at(2)}).is_unrecoverable);
  EXPECT_TRUE(read(broker, {.since = at(1)}).is_unrecoverable) << "2 is gone";
  EXPECT_TRUE(read(broker, {.since = at(8)}).is_unrecoverable);
  EXPECT_TRUE(read(broker, {.since = position{"abcdefghij", 5}}).is_unrecoverable);
  EXPECT_EQ(texts(read(broker, {.since = at(1)})), "");
  EXPECT_FALSE(read(broker, {.since = at(1), .is_reverse = true}).is_unrecoverable);
}

TEST_F(memory_outside_test, a_channel_whose_place_was_taken_does_nothing_any_more) {
  auto broker = make();
  room_log next;
  auto first = broker.open("a", room);
  auto second = broker.open("a", next);
  first->publish(test::publication_of("x"), {});
  EXPECT_EQ(test::recovered(*first, {}).error, broker_errc::unavailable);
  first.reset();
  second->publish(test::publication_of("y"), {});
  EXPECT_EQ(room.calls, "");
  EXPECT_EQ(next.calls, "mo");
  EXPECT_EQ(broker.idle_count(), 0U);
  second.reset();
  EXPECT_EQ(broker.idle_count(), 1U);
}

TEST_F(memory_outside_test, a_smaller_history_reaches_rooms_that_are_used_and_that_are_not) {
  auto broker = make();
  broker.subscribe("a", room);
  for (const char* text : {"1", "2", "3", "4"}) {
    publish_in(broker, "a", text);
    publish_in(broker, "b", text);
  }
  settings.history_size = 2;
  replace_settings(broker);
  EXPECT_EQ(broker.history_bytes(), 4U) << "both were trimmed";
  EXPECT_EQ(texts(history_of(broker, "a", 9)), "34");
  const auto epoch = history_of(broker, "a", 0).top.epoch;
  EXPECT_TRUE(test::recovered(broker.channel("a"), {position{epoch, 2}, 0}).recovered);
  EXPECT_FALSE(test::recovered(broker.channel("a"), {position{epoch, 1}, 0}).recovered);
  settings.history_size = 3;
  replace_settings(broker);
  publish_in(broker, "a", "5");
  EXPECT_EQ(texts(history_of(broker, "a", 9)), "345");
  settings.history_size = 0;
  replace_settings(broker);
  EXPECT_EQ(broker.history_bytes(), 0U);
  EXPECT_EQ(broker.history_cost(), 0U);
  EXPECT_EQ(publish_in(broker, "a", "6").at, (position{epoch, 6})) << "offsets go on";
  EXPECT_EQ(texts(history_of(broker, "a", 9)), "");
}

TEST_F(memory_outside_test, lifetimes_begin_anew_when_they_change) {
  auto broker = make();
  publish_in(broker, "a", "1");
  clock.move(200s);
  settings.history_ttl = 10s;
  replace_settings(broker);
  EXPECT_TRUE(broker.keeps("a"));
  clock.move(10s);
  broker.expire();
  EXPECT_FALSE(broker.keeps("a"));
  publish_in(broker, "a", "1");
  settings.history_ttl = 1000s;
  replace_settings(broker);
  clock.move(900s);
  broker.expire();
  EXPECT_TRUE(broker.keeps("a"));
}

TEST_F(memory_outside_test, namespaces_have_lifetimes_of_their_own) {
  auto broker = make();
  auto table = std::make_shared<room_settings_table>();
  table->namespaces["short"].history_ttl = 10s;
  broker.settings.set(table);
  broker.expire();
  publish_in(broker, "long", "x");
  publish_in(broker, "short:a", "x");
  clock.move(10s);
  broker.expire();
  EXPECT_TRUE(broker.keeps("long"));
  EXPECT_FALSE(broker.keeps("short:a")) << "though another one was published in longer ago";
}

TEST_F(memory_outside_test, comings_and_goings_are_told_as_soon_as_that_is_wanted) {
  auto broker = make();
  broker.subscribe("a", room);
  broker.note_member("a", {1, "ann"}, true);
  broker.note_member("a", {2, "ann"}, true);
  broker.note_member("a", {3, "bob"}, true);
  rules.join_leave = {"a"};
  replace_settings(broker);
  EXPECT_EQ(room.calls, "") << "who is there did not come now";
  broker.note_member("a", {1, {}}, false);
  broker.note_member("a", {4, "bob"}, true);
  clock.move(3s);
  broker.expire();
  EXPECT_EQ(room.calls, "") << "both are there by another connection";
  broker.note_member("a", {2, {}}, false);
  rules.join_leave = {};
  replace_settings(broker);
  broker.note_member("a", {5, "cid"}, true);
  clock.move(3s);
  broker.expire();
  ASSERT_EQ(room.publications.size(), 1U);
  EXPECT_EQ(room.publications[0]->kind, publication_kind::left) << "which was in its grace";
  broker.note_member("a", {3, {}}, false);
  broker.note_member("a", {4, {}}, false);
  broker.note_member("a", {5, {}}, false);
  clock.move(3s);
  broker.expire();
  EXPECT_EQ(room.publications.size(), 1U);
  broker.unsubscribe("a");
  clock.move(300s);
  broker.expire();
  EXPECT_EQ(broker.rooms_cost(), 0U);
}

TEST_F(memory_outside_test, presence_is_shown_as_soon_as_it_is_kept) {
  rules.presence = {};
  auto broker = make();
  broker.note_member("a", {1, "ann"}, true);
  const auto members = [&] {
    std::size_t count = 0;
    broker.report("a", true, [&](room_report&& report) { count = report.members.size(); });
    return count;
  };
  EXPECT_EQ(members(), 0U);
  rules.presence = {"*"};
  replace_settings(broker);
  EXPECT_EQ(members(), 1U);
}

} // namespace
} // namespace canang::cluster
