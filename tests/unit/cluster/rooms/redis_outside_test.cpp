// What is done from outside of a room, on a real redis-server: by nodes with members in it and without.

#include "cluster/rooms/room_scripts.hpp"
#include "tests/unit/support/presence_fixture.hpp"
#include "tests/unit/support/relay.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace canang::cluster {
namespace {

using test::texts;

struct redis_outside : presence_fixture {
  /// What a room's members on a node heard, one after the other.
  static std::string heard(node_under_test& by, const std::string& room = "r") {
    std::string all;
    for (const auto& message : by.rooms[room].publications)
      all += message->data;
    return all;
  }
};

TEST_F(redis_outside, a_publication_reaches_members_on_other_nodes_and_its_room_is_let_go) {
  auto& a = start("n1");
  auto& b = start("n2");
  open(b, "r");
  b.publish("r", "1");
  const auto outcome = publish_outside(a, "r", "2");
  EXPECT_EQ(outcome.error, broker_errc::none);
  EXPECT_EQ(outcome.at.offset, 2U);
  b.publish("r", "3");
  ASSERT_TRUE(until([&] { return b.rooms["r"].publications.size() == 3; }));
  EXPECT_EQ(heard(b), "123");
  EXPECT_EQ(b.rooms["r"].publications[1]->epoch, outcome.at.epoch);
  EXPECT_TRUE(b.rooms["r"].breaks.empty());
  EXPECT_TRUE(until([&] { return a.broker->room_count() == 0; }));
  EXPECT_EQ(a.metrics.buffered_bytes.value(), 0U);
  EXPECT_EQ(publish_outside(a, "nobody", "x").at.offset, 1U);
  EXPECT_EQ(raw(a, {"PUBSUB", "CHANNELS", "*:nobody"}), "") << "no need to hear of it";
  EXPECT_EQ(raw(a, {"HGET", key("m", "nobody", "nobody"), "o"}), "1");
  EXPECT_GT(std::stoll(raw(a, {"PTTL", key("s", "nobody", "nobody")})), 200'000);
}

TEST_F(redis_outside, a_publication_in_a_room_with_members_here_keeps_the_order) {
  auto& a = start("n1");
  open(a, "r");
  std::vector<std::uint64_t> offsets;
  for (int i = 0; i < 10; ++i) {
    a.publish("r", std::to_string(i));
    a.broker->publish("r", test::publication_of("x"), {},
                      [&](publish_outcome&& outcome) { offsets.push_back(outcome.at.offset); });
  }
  ASSERT_TRUE(until([&] { return a.rooms["r"].publications.size() == 20; }));
  ASSERT_TRUE(until([&] { return offsets.size() == 10; }));
  EXPECT_EQ(heard(a), "0x1x2x3x4x5x6x7x8x9x");
  EXPECT_EQ(a.rooms["r"].outcomes.size(), 10U) << "the room is told of its own alone";
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(a.rooms["r"].outcomes[i].at.offset, 2 * i + 1);
    EXPECT_EQ(offsets[i], 2 * i + 2);
  }
}

TEST_F(redis_outside, a_room_that_somebody_comes_to_meanwhile_is_heard_of) {
  auto& a = start("n1");
  process->signal(SIGSTOP);
  bool is_answered = false;
  a.broker->publish("r", test::publication_of("1"), {},
                    [&](publish_outcome&&) { is_answered = true; });
  a.open("r");
  a.publish("r", "2");
  process->signal(SIGCONT);
  ASSERT_TRUE(until([&] { return is_answered && a.rooms["r"].outcomes.size() == 1; }));
  bool is_joined = false;
  a.channel("r").recover({}, [&](history_page&&) { is_joined = true; });
  ASSERT_TRUE(until([&] { return is_joined; }));
  a.publish("r", "3");
  ASSERT_TRUE(until([&] { return a.rooms["r"].outcomes.size() == 2; }));
  EXPECT_EQ(a.rooms["r"].outcomes[1].at.offset, 3U);
  EXPECT_TRUE(until([&] { return heard(a).ends_with("3"); }));
  a.close("r");
  a.ahead += 6s;
  EXPECT_TRUE(until([&] { return a.broker->room_count() == 0; }));
  for (int i = 0; i < 10; ++i) // once a second
    a.broker->tick();
  EXPECT_EQ(a.metrics.rooms_memory_bytes.value(), 0U);
  EXPECT_EQ(a.metrics.buffered_bytes.value(), 0U);
}

TEST_F(redis_outside, a_key_is_known_on_all_nodes) {
  auto& a = start("n1");
  auto& b = start("n2");
  const auto first = publish_outside(a, "r", "1", "key");
  EXPECT_FALSE(first.duplicate);
  const auto again = publish_outside(b, "r", "1", "key");
  EXPECT_TRUE(again.duplicate);
  EXPECT_EQ(again.at, first.at);
  EXPECT_FALSE(publish_outside(b, "other", "1", "key").duplicate);
  open(a, "r");
  a.publish("r", "1", "key");
  ASSERT_TRUE(until([&] { return a.rooms["r"].outcomes.size() == 1; }));
  EXPECT_TRUE(a.rooms["r"].outcomes[0].duplicate);
  EXPECT_EQ(heard(a), "");
}

TEST_F(redis_outside, without_a_wish_for_history_there_is_no_place_in_the_order) {
  auto& a = start("n1");
  auto& b = start("n2");
  open(b, "r");
  publish_outside(a, "r", "1");
  const auto outcome = publish_outside(a, "r", "now", {}, true);
  EXPECT_EQ(outcome.error, broker_errc::none);
  EXPECT_EQ(outcome.at, position{});
  EXPECT_FALSE(publish_outside(b, "r", "key", "k", true).duplicate);
  const auto again = publish_outside(a, "r", "key", "k", true);
  EXPECT_TRUE(again.duplicate);
  EXPECT_EQ(again.at, position{});
  EXPECT_TRUE(publish_outside(a, "r", "key", "k").duplicate);
  EXPECT_EQ(publish_outside(a, "r", "2", "l").at.offset, 2U);
  const auto before = publish_outside(a, "r", "2", "l", true);
  EXPECT_TRUE(before.duplicate);
  EXPECT_EQ(before.at.offset, 2U) << "where it is";
  ASSERT_TRUE(until([&] { return heard(b) == "1nowkey2"; }));
  EXPECT_EQ(b.rooms["r"].publications[1]->offset, 0U);
  EXPECT_EQ(b.rooms["r"].publications[1]->epoch, "");
  EXPECT_TRUE(b.rooms["r"].breaks.empty());
  EXPECT_EQ(texts(read_history(a, "r")), "12");
  EXPECT_TRUE(until([&] { return a.broker->room_count() == 0; }));
  EXPECT_EQ(publish_outside(a, "empty", "x", {}, true).error, broker_errc::none);
  EXPECT_EQ(raw(a, {"KEYS", "*:empty*"}), "") << "nothing remains";
}

TEST_F(redis_outside, notes_are_left_out_as_long_as_not_all_nodes_read_them) {
  auto& a = start("n1");
  auto& b = start("n2");
  open(b, "r");
  const auto publish = [&](bool skips_history) {
    auto message = test::publication_of("x");
    message->notes =
      std::make_unique<const publication_notes>(publication_notes{.tags = {{"k", "v"}}});
    bool is_answered = false;
    a.broker->publish("r", std::move(message), {.skip_history = skips_history},
                      [&](publish_outcome&&) { is_answered = true; });
    EXPECT_TRUE(until([&] { return is_answered; }));
  };
  for (const bool writes : {false, true}) {
    a.broker->write_notes(writes);
    publish(false);
    publish(true);
  }
  const auto now = raw(a, {"TIME"});
  raw(a, {"ZADD", "test:nodes", now.substr(0, now.find('\n')) + "000", "older"});
  a.ahead += 31s; // when it looks for these again
  ASSERT_TRUE(until([&] {
    publish(false);
    return !b.rooms["r"].publications.empty() && !b.rooms["r"].publications.back()->notes;
  }))
    << "of nodes that have their leases elsewhere";
  const auto& got = b.rooms["r"].publications;
  ASSERT_GE(got.size(), 5U);
  EXPECT_FALSE(got[0]->notes || got[1]->notes);
  EXPECT_TRUE(got[2]->notes && got[3]->notes);
  const auto kept = read_history(a, "r").publications;
  ASSERT_GE(kept.size(), 3U);
  EXPECT_FALSE(kept[0]->notes);
  EXPECT_TRUE(kept[1]->notes);
}

TEST_F(redis_outside, the_history_is_read_from_its_beginning_or_end_or_from_some_place) {
  settings.rooms.history_size = 5;
  auto& a = start("n1");
  EXPECT_EQ(read_history(a, "r").top.epoch, "") << "nothing is known of it";
  EXPECT_TRUE(read_history(a, "r", {.since = position{"abcdefghij", 0}}).is_unrecoverable);
  EXPECT_EQ(raw(a, {"EXISTS", key("m", "r", "r")}), "0") << "and nobody holds it";
  for (const char* text : {"1", "2"})
    publish_outside(a, "r", text);
  open(a, "r");
  for (const char* text : {"3", "4", "5"}) // one batch
    a.publish("r", text);
  ASSERT_TRUE(until([&] { return a.rooms["r"].outcomes.size() == 3; }));
  for (const char* text : {"6", "7"})
    publish_outside(a, "r", text);
  const auto top = read_history(a, "r", {.limit = 0}).top;
  EXPECT_EQ(top.offset, 7U);
  const auto at = [&](std::uint64_t offset) { return position{top.epoch, offset}; };
  const auto read = [&](const history_request& request) {
    const auto answer = read_history(a, "r", request);
    EXPECT_EQ(answer.top, top);
    return answer.is_unrecoverable ? "gone" : texts(answer);
  };
  EXPECT_EQ(read({}), "34567");
  EXPECT_EQ(read({.limit = 0, .since = at(3)}), "");
  EXPECT_EQ(read({.limit = 1}), "3");
  EXPECT_EQ(read({.limit = 2}), "34") << "a part of the batch";
  EXPECT_EQ(read({.limit = 4}), "3456");
  EXPECT_EQ(read({.limit = 2, .is_reverse = true}), "76");
  EXPECT_EQ(read({.limit = 3, .is_reverse = true}), "765");
  EXPECT_EQ(read({.is_reverse = true}), "76543");
  EXPECT_EQ(read({.since = at(4)}), "567");
  EXPECT_EQ(read({.limit = 1, .since = at(3)}), "4");
  EXPECT_EQ(read({.limit = 2, .since = at(5), .is_reverse = true}), "43");
  EXPECT_EQ(read({.limit = 2, .since = at(4), .is_reverse = true}), "3");
  EXPECT_EQ(read({.since = at(1), .is_reverse = true}), "");
  EXPECT_EQ(read({.since = at(9), .is_reverse = true}), "gone");
  EXPECT_EQ(read({.since = at(7)}), "");
  EXPECT_EQ(read({.since = at(2)}), "34567");
  EXPECT_EQ(read({.since = at(1)}), "gone");
  EXPECT_EQ(read({.since = at(8)}), "gone");
  EXPECT_EQ(read({.since = position{"abcdefghij", 5}}), "gone");
  EXPECT_EQ(a.metrics.bad_truncated.value() + a.metrics.bad_foreign.value(), 0U);
}

TEST_F(redis_outside, a_removed_history_is_gone_everywhere_and_the_order_goes_on) {
  auto& a = start("n1");
  auto& b = start("n2");
  const auto remove = [&](node_under_test& by, const std::string& room) {
    std::optional<broker_errc> error;
    by.broker->remove_history(room, [&](removal_answer&& answer) { error = answer.error; });
    EXPECT_TRUE(until([&] { return error.has_value(); }));
    return error;
  };
  const auto resume = [&](const position& since) {
    std::string text;
    bool is_answered = false;
    b.channel("r").recover({.since = since}, [&](history_page&& page) {
      text = page.recovered ? "" : "lost";
      for (const auto& message : page.publications)
        text += message->data;
      is_answered = true;
    });
    EXPECT_TRUE(until([&] { return is_answered; }));
    return text;
  };
  open(b, "r");
  const auto first = publish_outside(a, "r", "1", "key").at;
  const auto at = [&](std::uint64_t offset) { return position{first.epoch, offset}; };
  publish_outside(a, "r", "2");
  ASSERT_TRUE(until([&] { return heard(b) == "12"; }));
  EXPECT_EQ(resume(first), "2");
  EXPECT_EQ(remove(a, "r"), broker_errc::none);
  EXPECT_EQ(publish_outside(a, "r", "3").at, at(3));
  ASSERT_TRUE(until([&] { return heard(b) == "123"; }));
  EXPECT_EQ(resume(first), "lost") << "of what the node remembered";
  EXPECT_EQ(resume(at(2)), "3");
  EXPECT_EQ(texts(read_history(b, "r")), "3");
  EXPECT_TRUE(read_history(b, "r", {.since = first}).is_unrecoverable);
  EXPECT_TRUE(publish_outside(b, "r", "1", "key").duplicate);
  EXPECT_EQ(remove(b, "r"), broker_errc::none);
  EXPECT_EQ(texts(read_history(a, "r")), "");
  EXPECT_EQ(read_history(a, "r").top, at(3));
  EXPECT_TRUE(b.rooms["r"].breaks.empty()) << "members are not disturbed";
  EXPECT_EQ(remove(a, "nobody knows it"), broker_errc::none);
  EXPECT_EQ(raw(a, {"KEYS", "*nobody*"}), "");
  EXPECT_EQ(a.metrics.bad_version.value() + b.metrics.bad_version.value(), 0U);
}

TEST_F(redis_outside, joins_and_leaves_are_removed_too_and_later_ones_kept) {
  auto& a = start("n1");
  open(a, "told");
  a.join("told", 1, "ann");
  ASSERT_TRUE(until([&] { return a.events("told").size() == 1; }));
  publish_outside(a, "told", "2");
  bool is_removed = false;
  a.broker->remove_history("told", [&](removal_answer&&) { is_removed = true; });
  ASSERT_TRUE(until([&] { return is_removed; }));
  a.join("told", 3, "bob");
  ASSERT_TRUE(until([&] { return a.events("told").size() == 2; }));
  publish_outside(a, "told", "4");
  const auto answer = read_history(a, "told");
  ASSERT_EQ(answer.publications.size(), 2U);
  EXPECT_EQ(answer.publications[0]->offset, 3U);
  EXPECT_EQ(answer.publications[0]->kind, publication_kind::joined);
  EXPECT_EQ(answer.publications[1]->data, "4");
  const auto since = [&](std::uint64_t offset) {
    return read_history(a, "told", {.since = position{answer.top.epoch, offset}}).is_unrecoverable;
  };
  EXPECT_TRUE(since(1)) << "a message is gone behind it";
  EXPECT_FALSE(since(2));
}

TEST_F(redis_outside, tells_which_rooms_have_members_on_all_nodes) {
  links.command_timeout = 1s; // it is waited for
  auto& a = start("n1");
  auto& b = start("n2");
  const auto listed = [&](const std::string& pattern, std::size_t limit) {
    std::string text;
    bool is_answered = false;
    a.broker->list({pattern, limit}, [&](room_list&& found) {
      std::sort(found.rooms.begin(), found.rooms.end());
      for (const auto& [name, members] : found.rooms)
        text += name + ':' + std::to_string(members) + ' ';
      text += found.error != broker_errc::none ? "error" : found.is_too_long ? "too long" : "";
      is_answered = true;
    });
    EXPECT_TRUE(until([&] { return is_answered; }));
    return text;
  };
  EXPECT_EQ(listed("*", 9), "");
  for (const char* room : {"kitchen", "hall"})
    open(a, room);
  open(b, "kitchen");
  a.join("kitchen", 1, "ann");
  b.join("kitchen", 1, "ann");
  b.join("kitchen", 2, "");
  a.join("hall", 3, "bob");
  publish_outside(a, "nobody is here", "1");
  ASSERT_TRUE(until([&] { return listed("*", 9) == "hall:1 kitchen:3 "; })) << listed("*", 9);
  EXPECT_EQ(listed("*", 2), "hall:1 kitchen:3 ");
  EXPECT_EQ(listed("*", 1), "too long");
  EXPECT_EQ(listed("k?tch*", 1), "kitchen:3 ");
  process->signal(SIGSTOP);
  EXPECT_EQ(listed("*", 9), "error");
  process->signal(SIGCONT);
}

TEST_F(redis_outside, the_history_has_the_joins_and_leaves_at_their_places) {
  auto& a = start("n1");
  open(a, "told");
  a.join("told", 1, "ann");
  ASSERT_TRUE(until([&] { return a.events("told").size() == 1; }));
  publish_outside(a, "told", "2");
  publish_outside(a, "told", "3");
  a.join("told", 4, "bob");
  ASSERT_TRUE(until([&] { return a.events("told").size() == 2; }));
  publish_outside(a, "told", "5");
  const auto read = [&](const history_request& request) {
    std::string text;
    for (const auto& message : read_history(a, "told", request).publications)
      text += message->kind == publication_kind::message ? message->data
                                                         : "+" + std::to_string(message->offset);
    return text;
  };
  const auto top = read_history(a, "told").top;
  EXPECT_EQ(top.offset, 5U);
  EXPECT_EQ(read({}), "+123+45");
  EXPECT_EQ(read({.limit = 2}), "+12");
  EXPECT_EQ(read({.limit = 3, .is_reverse = true}), "5+43");
  EXPECT_EQ(read({.limit = 2, .since = position{top.epoch, 2}}), "3+4");
  EXPECT_EQ(read({.limit = 2, .since = position{top.epoch, 5}, .is_reverse = true}), "+43");
}

TEST_F(redis_outside, what_redis_does_not_take_is_told_once_and_in_time) {
  options.publish_timeout = 2s;
  links.command_timeout = 1s;
  auto& a = start("n1");
  const auto begin = std::chrono::steady_clock::now();
  process->signal(SIGSTOP);
  EXPECT_EQ(publish_outside(a, "r", "1").error, broker_errc::unavailable);
  EXPECT_EQ(publish_outside(a, "r", "1", {}, true).error, broker_errc::unavailable);
  EXPECT_EQ(read_history(a, "r").error, broker_errc::unavailable);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 8s);
  process->signal(SIGCONT);
  ASSERT_TRUE(until([&] { return a.broker->shard().is_up(); }));
  EXPECT_EQ(publish_outside(a, "other", "1").error, broker_errc::none);
  EXPECT_TRUE(until([&] { return a.broker->room_count() == 0; }));
  EXPECT_EQ(a.metrics.buffered_bytes.value(), 0U);
}

TEST_F(redis_outside, an_answer_that_was_lost_is_asked_for_again) {
  test::relay between{io, process->port()};
  auto& a = start("n1", between.port());
  between.lose_answer_to(room_scripts().publish.sha());
  const auto outcome = publish_outside(a, "r", "1");
  EXPECT_TRUE(between.has_lost());
  EXPECT_EQ(outcome.error, broker_errc::none);
  EXPECT_EQ(outcome.at.offset, 1U);
  EXPECT_EQ(texts(read_history(a, "r")), "1") << "stored once";
  nodes.clear();
}

TEST_F(redis_outside, a_key_tells_whether_a_lost_try_was_stored_however_short_the_history) {
  settings.rooms.history_size = 1;
  test::relay between{io, process->port()};
  auto& a = start("n1", between.port());
  publish_outside(a, "r", "1");
  publish_outside(a, "r", "2");
  EXPECT_TRUE(until([&] { return a.broker->room_count() == 0; })); // where it stands is not known
  between.lose_answer_to(room_scripts().publish.sha());
  const auto outcome = publish_outside(a, "r", "3", "key");
  EXPECT_TRUE(between.has_lost());
  EXPECT_EQ(outcome.error, broker_errc::none);
  EXPECT_EQ(outcome.at.offset, 3U);
  EXPECT_EQ(raw(a, {"HGET", key("m", "r", "r"), "o"}), "3");
  nodes.clear();
}

TEST_F(redis_outside, a_key_of_another_type_is_the_matter_of_its_room) {
  auto& a = start("n1");
  raw(a, {"SET", key("m", "r", "r"), "not a hash"});
  EXPECT_EQ(publish_outside(a, "r", "1").error, broker_errc::refused);
  EXPECT_EQ(read_history(a, "r").error, broker_errc::refused);
  EXPECT_EQ(publish_outside(a, "other", "1").error, broker_errc::none);
  EXPECT_EQ(a.metrics.failed_type.value(), 1U);
  EXPECT_TRUE(until([&] { return a.broker->room_count() == 0; }));
}

TEST_F(redis_outside, what_waits_counts_against_the_buffer_with_the_rooms_that_are_there_for_it) {
  options.publish_buffer_bytes = 64 * 1024;
  auto& a = start("n1");
  process->signal(SIGSTOP);
  std::size_t failed = 0;
  std::size_t answers = 0;
  for (int i = 0; i < 1000; ++i)
    a.broker->publish("room" + std::to_string(i), test::publication_of("x"), {},
                      [&](publish_outcome&& outcome) {
                        ++answers;
                        failed += outcome.error == broker_errc::unavailable ? 1U : 0U;
                      });
  EXPECT_EQ(answers, failed);
  EXPECT_GT(failed, 900U) << "there was no room for them";
  EXPECT_EQ(a.broker->room_count(), 1000 - failed);
  EXPECT_LE(a.metrics.buffered_bytes.value(), options.publish_buffer_bytes);
  EXPECT_EQ(a.metrics.failed_buffer.value(), failed);
  process->signal(SIGCONT);
  EXPECT_TRUE(until([&] { return answers == 1000; }));
  EXPECT_TRUE(until([&] { return a.broker->room_count() == 0; }));
  EXPECT_EQ(a.metrics.buffered_bytes.value(), 0U);
}

TEST_F(redis_outside, a_broker_that_ends_answers_all_that_wait) {
  auto& a = start("n1");
  process->signal(SIGSTOP);
  int failed = 0;
  const auto note = [&](const auto& answer) {
    failed += answer.error == broker_errc::unavailable ? 1 : 0;
  };
  a.broker->publish("r", test::publication_of("1"), {}, note);
  a.broker->publish("r", test::publication_of("2"), {.skip_history = true}, note);
  a.broker->history("r", {}, note);
  a.broker->report("r", true, note);
  a.channel("s").recover({}, note);
  io.restart();
  io.run_for(10ms);
  a.broker->publish("r", test::publication_of("3"), {}, note);
  a.broker->stop();
  EXPECT_EQ(failed, 6);
  a.broker->publish("r", test::publication_of("4"), {}, note);
  a.broker->publish("r", test::publication_of("5"), {.skip_history = true}, note);
  a.broker->history("r", {}, note);
  a.broker->report("r", true, note);
  EXPECT_EQ(failed, 10);
  process->signal(SIGCONT);
}

TEST_F(redis_outside, a_channel_whose_place_was_taken_does_nothing_any_more) {
  auto& a = start("n1");
  test::room_log old;
  auto first = a.broker->open("r", old);
  open(a, "r");
  first->publish(test::publication_of("x"), {});
  bool is_refused = false;
  first->recover({}, [&](history_page&& page) { is_refused = page.error != broker_errc::none; });
  EXPECT_TRUE(is_refused);
  first.reset();
  a.publish("r", "1");
  ASSERT_TRUE(until([&] { return a.rooms["r"].outcomes.size() == 1; }));
  EXPECT_TRUE(until([&] { return heard(a) == "1"; }));
  EXPECT_EQ(old.calls, "");
}

} // namespace
} // namespace canang::cluster
