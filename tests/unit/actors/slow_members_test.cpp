#include "actors/slow_members.hpp"

#include "net/close_code.hpp"
#include "net/limits.hpp"
#include "net/protocol/centrifugo.hpp"
#include "net/protocol/centrifugo/reply_words.hpp"
#include "net/protocol/plain.hpp"
#include "net/protocol/sse.hpp"
#include "tests/unit/support/bracket_protocol.hpp"
#include "tests/unit/support/change_protocol.hpp"
#include "tests/unit/support/server_side.hpp"
#include "tests/unit/support/slow_rooms.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace canang::actors {
namespace {

using cluster::slow_consumers;
using net::slow_loss;
using test::brackets;
using test::fake_session_ptr;

constexpr room_id room_a = 1001;
constexpr room_id room_b = 1002;

struct noting_owner final : membership_owner {
  std::vector<subscription_id> broken;

  bool on_added(const add_member&) override { return true; }
  void on_removed(subscription_id) override {}
  void on_broken(subscription_id subscription) override { broken.push_back(subscription); }
};

struct slow_members_test : testing::Test, test::slow_rooms {
  explicit slow_members_test(slow_consumers policy = slow_consumers::latest,
                             std::size_t limit = 1U << 20U)
    : slow_rooms(policy, limit) {}

  noting_owner owner;

  void add(room_id room, connection_id id, const net::wire_format& format = brackets(),
           std::uint8_t note = 0) {
    add_member request{room, id, &format, {}};
    request.room_name = "r";
    request.note = note;
    request.subscription = 7;
    members.add(request);
  }

  fake_session_ptr join(room_id room, connection_id id, const net::wire_format& format = brackets(),
                        std::uint8_t note = 0) {
    auto session = test::make_fake_session();
    session->open();
    members.attach(id, session, &owner);
    add(room, id, format, note);
    session->got.clear(); // the answer
    return session;
  }

  /// One whose socket is full, with something in front.
  fake_session_ptr join_full(room_id room, connection_id id,
                             const net::wire_format& format = brackets(), std::uint8_t note = 0) {
    auto session = join(room, id, format, note);
    session->is_full = true;
    turn(room, "first");
    return session;
  }

  /// A turn in which somebody comes to the first room.
  void moved(std::string data) {
    auto one = std::make_shared<cluster::publication>();
    one->kind = cluster::publication_kind::joined;
    one->data = std::move(data);
    one->offset = ++offsets[room_a];
    members.deliver(room_a, one);
    members.flush();
  }

  static std::string take_all(const fake_session_ptr& session) {
    session->is_full = false;
    session->take_all();
    return std::exchange(session->got, {});
  }
};

struct drop_oldest_test : slow_members_test {
  drop_oldest_test() : slow_members_test(slow_consumers::drop_oldest, 4000) {}
};

TEST_F(slow_members_test, of_latest_get_the_newest_and_are_told_that_something_is_missing) {
  const auto slow = join_full(room_a, 1);
  for (const auto* const text : {"2", "3", "4", "5"})
    turn(room_a, text);
  EXPECT_EQ(lost(slow_loss::latest), 0U) << "it is not known yet who reads when";
  EXPECT_EQ(take_all(slow), "<first>!<5>");
  EXPECT_EQ(lost(slow_loss::latest), 3U);
  EXPECT_EQ(context.metrics.deliveries_total.value(), 2U);
  turn(room_a, "6");
  EXPECT_EQ(take_all(slow), "<6>") << "directly again";
  EXPECT_TRUE(slow->close_codes.empty());
  EXPECT_EQ(held(), 0U);
}

TEST_F(slow_members_test, are_told_where_it_goes_on) {
  const auto slow = join_full(room_a, 1, net::plain_meta_format());
  for (const auto* const text : {"2", "3", "4"})
    turn(room_a, text);
  const auto got = take_all(slow);
  const auto told =
    got.find(R"({"join":{"room":"r","epoch":"epoch","offset":3,"recovered":false}})");
  EXPECT_NE(told, std::string::npos) << got;
  EXPECT_GT(got.find(R"("offset":4,"data":"4")"), told) << got;
}

TEST_F(slow_members_test, of_an_event_stream_get_a_reset) {
  const auto slow = join_full(room_a, 1, net::sse_format());
  for (const auto* const text : {"2", "3", "4"})
    turn(room_a, text);
  const auto got = take_all(slow);
  EXPECT_NE(got.find("event: reset\nid: epoch:3\n"), std::string::npos) << got;
  EXPECT_NE(got.find("id: epoch:4\ndata: 4\n\n"), std::string::npos) << got;
}

TEST_F(slow_members_test, who_have_no_word_for_it_get_the_newest_alone) {
  const auto slow = join_full(room_a, 1, net::plain_format());
  for (const auto* const text : {"2", "3", "4"})
    turn(room_a, text);
  EXPECT_EQ(take_all(slow), "\x81\x05"
                            "first\x81\x01"
                            "4");
  EXPECT_TRUE(slow->close_codes.empty());
}

TEST_F(slow_members_test, are_told_nothing_where_nothing_is_missing) {
  const auto slow = join_full(room_a, 1);
  turn(room_a, "2");
  EXPECT_EQ(take_all(slow), "<first><2>");
  EXPECT_EQ(lost(slow_loss::latest), 0U);
}

TEST_F(slow_members_test, disturb_no_others) {
  const auto slow = join_full(room_a, 1);
  const auto other = join(room_a, 2);
  for (const auto* const text : {"2", "3", "4"})
    turn(room_a, text);
  EXPECT_EQ(other->got, "<2><3><4>");
  EXPECT_EQ(other->sends.size(), 3U);
  EXPECT_EQ(take_all(slow), "<first>!<4>");
}

TEST_F(slow_members_test, become_so_within_a_turn_of_several_publications) {
  const auto slow = join_full(room_a, 1);
  deliver(room_a, "2");
  deliver(room_a, "3");
  members.flush();
  const auto later = join_full(room_b, 2);
  EXPECT_EQ(take_all(slow), "<first>!<3>");
  EXPECT_EQ(take_all(later), "<first>");
}

TEST_F(slow_members_test, get_answers_in_their_order_and_all_of_them) {
  const auto slow = join_full(room_a, 1);
  const auto answer = [&](std::string_view text) {
    const auto bytes = context.buffers.make(text);
    slow->send(bytes, 0, bytes->size());
  };
  turn(room_a, "2");
  answer("(one)");
  turn(room_a, "3"); // in the place of 2
  answer("(two)");
  slow->is_full = true;
  slow->take(); // the first
  slow->take(); // 3
  turn(room_a, "4");
  turn(room_a, "5");
  EXPECT_EQ(slow->got, "<first>!<3>");
  answer("(three)");
  EXPECT_EQ(take_all(slow), "<first>!<3>(one)(two)!<5>(three)")
    << "a busy room does not hold up what waits behind it";
}

TEST_F(drop_oldest_test, lose_the_oldest_over_the_limit_and_get_the_rest_in_order) {
  const auto slow = join_full(room_a, 1);
  for (int i = 10; i < 20; ++i)
    turn(room_a, std::to_string(i) + std::string(1000, '.'));
  EXPECT_LE(held(), 4000U + 200U);
  const auto got = take_all(slow);
  EXPECT_TRUE(got.starts_with("<first>!<1")) << got.substr(0, 20);
  EXPECT_EQ(got.find('!', 8), std::string::npos) << "once";
  const auto gone = lost(slow_loss::drop_oldest);
  EXPECT_GE(gone, 6U);
  EXPECT_LE(gone, 8U);
  for (std::uint64_t i = 10; i < 20; ++i)
    EXPECT_EQ(got.find('<' + std::to_string(i) + '.') != std::string::npos, i >= 10 + gone) << i;
  EXPECT_EQ(context.metrics.deliveries_total.value(), 11 - gone);
  EXPECT_EQ(held(), 0U);
}

TEST_F(drop_oldest_test, lose_nothing_within_the_limit) {
  const auto slow = join_full(room_a, 1);
  for (const auto* const text : {"2", "3", "4"})
    turn(room_a, text);
  EXPECT_EQ(take_all(slow), "<first><2><3><4>");
  EXPECT_EQ(lost(slow_loss::drop_oldest), 0U);
}

TEST_F(drop_oldest_test, lose_by_what_waits_for_each_and_not_for_another) {
  const auto slow = join_full(room_a, 1);
  const auto other = join_full(room_a, 2);
  for (int i = 0; i < 10; ++i) {
    turn(room_a, std::to_string(i) + std::string(1000, '.'));
    other->take_all(); // whenever it has two
  }
  EXPECT_EQ(take_all(other).find('!'), std::string::npos);
  EXPECT_NE(take_all(slow).find('!'), std::string::npos);
}

TEST_F(drop_oldest_test, keep_one_publication_over_the_limit) {
  const auto slow = join_full(room_a, 1);
  turn(room_a, std::string(10'000, 'x'));
  EXPECT_EQ(take_all(slow), "<first><" + std::string(10'000, 'x') + '>');
}

TEST_F(drop_oldest_test, are_encoded_a_piece_at_a_time) {
  const auto slow = join_full(room_a, 1);
  turn(room_a, "2");
  slow->take();
  slow->take();
  EXPECT_EQ(slow->got, "<first><2>");
  turn(room_a, "3");
  slow->take(); // the end of what was there when its turn came
  EXPECT_EQ(slow->got, "<first><2>");
  EXPECT_EQ(take_all(slow), "<first><2><3>");
}

TEST_F(slow_members_test, that_count_on_missing_nothing_are_told_to_come_back) {
  using namespace net::centrifugo;
  const auto& format = net::centrifugo_json_format();
  const auto slow = join(room_a, 1, format, subscription_note::recoverable);
  const auto positioned = join(room_a, 2, format, subscription_note::positioned);
  const auto other = join(room_a, 3, format);
  for (const auto& one : {slow, positioned, other})
    one->is_full = true;
  turn(room_a, "first");
  turn(room_a, "2");
  EXPECT_TRUE(owner.broken.empty()) << "nothing is lost yet";
  turn(room_a, "3");
  EXPECT_EQ(owner.broken, (std::vector<subscription_id>{7, 7}));
  turn(room_a, "4");
  for (const auto& one : {slow, positioned}) {
    const auto got = take_all(one);
    EXPECT_NE(got.find(R"("unsubscribe":{"code":2500)"), std::string::npos) << got;
    EXPECT_NE(got.find(R"("data":"first")"), std::string::npos) << got;
    for (const auto* const text : {"2", "3", "4"})
      EXPECT_EQ(got.find("\"data\":" + std::string{text}), std::string::npos) << got;
    EXPECT_TRUE(one->close_codes.empty());
  }
  const auto got = take_all(other);
  EXPECT_EQ(got.find("unsubscribe"), std::string::npos) << got;
  EXPECT_NE(got.find("\"data\":4"), std::string::npos) << got;
  add(room_a, 1, format, subscription_note::recoverable);
  slow->got.clear();
  turn(room_a, "5");
  EXPECT_NE(slow->got.find("\"data\":5"), std::string::npos) << "it may come back at once";
  EXPECT_EQ(held(), 0U);
}

TEST_F(slow_members_test, that_the_server_subscribed_and_lose_something_connect_anew) {
  const auto slow = join_full(room_a, 1, test::by_server(net::centrifugo_json_format()));
  const auto quick = join(room_a, 2, test::by_server(net::centrifugo_json_format()));
  turn(room_a, "2");
  EXPECT_TRUE(slow->close_codes.empty()) << "nothing is lost yet";
  turn(room_a, "3");
  EXPECT_EQ(slow->close_codes, std::vector<std::uint16_t>{net::messages_lost})
    << "they are told that they are recoverable, and there is no other word";
  const auto got = take_all(slow);
  EXPECT_NE(got.find(R"("data":"first")"), std::string::npos) << got;
  EXPECT_EQ(got.find(R"("data":3)"), std::string::npos) << got;
  EXPECT_TRUE(quick->close_codes.empty());
  EXPECT_NE(quick->got.find(R"("data":3)"), std::string::npos);
}

/// Whoever gets the words between loses what came in between, and nothing in silence.
TEST_F(slow_members_test, that_are_to_come_back_get_nothing_more_in_that_turn) {
  const auto& format = net::centrifugo_json_format();
  const auto slow = join_full(room_a, 1, format, net::centrifugo::subscription_note::positioned);
  turn(room_a, "2");
  deliver(room_a, "3");
  join(room_a, 2); // which writes what the turn has so far
  slow->is_full = false;
  slow->take_all();
  deliver(room_a, "4");
  members.flush();
  const auto got = take_all(slow);
  EXPECT_EQ(got.find("\"data\":4"), std::string::npos) << got;
  EXPECT_NE(got.find("unsubscribe"), std::string::npos) << got;
}

TEST_F(slow_members_test, that_are_told_changes_are_told_all_of_it_whole_and_go_on_with_changes) {
  const test::change_protocol language;
  const net::wire_format format{language, net::websocket_framing()};
  change(slow_consumers::drop_oldest);
  const auto slow = join_full(room_a, 1, format);
  const auto other = join(room_a, 2, format);
  turn(room_a, "2");
  turn(room_a, "3");
  EXPECT_EQ(take_all(slow), "<first><2><3>");
  turn(room_a, "4");
  EXPECT_EQ(take_all(slow), "[3>4]");
  EXPECT_EQ(take_all(other), "<2>[2>3][3>4]");
}

TEST_F(slow_members_test, that_are_told_changes_and_lose_one_cannot_stay) {
  const test::change_protocol language;
  const net::wire_format format{language, net::websocket_framing()};
  const auto slow = join_full(room_a, 1, format);
  turn(room_a, "2");
  turn(room_a, "3");
  EXPECT_EQ(slow->close_codes, std::vector<std::uint16_t>{net::messages_lost})
    << "there is no word for it";
}

TEST_F(slow_members_test, get_what_waits_for_them_though_they_leave_and_nothing_later) {
  const auto slow = join_full(room_a, 1);
  const auto other = join_full(room_a, 2);
  turn(room_a, "2");
  members.leave(room_a, 1, 7);
  turn(room_a, "3");
  add(room_a, 1);
  turn(room_a, "4");
  EXPECT_EQ(take_all(slow), "<first><4>") << "2 gave way to 3";
  EXPECT_EQ(take_all(other), "<first>!<4>");
  members.detach(1);
  members.detach(2);
  EXPECT_EQ(held(), 0U);
}

TEST_F(drop_oldest_test, get_what_waits_for_them_though_the_room_is_empty) {
  const auto slow = join_full(room_a, 1);
  turn(room_a, "2");
  members.leave(room_a, 1, 7);
  EXPECT_GT(held(), 0U);
  EXPECT_EQ(take_all(slow), "<first><2>");
  EXPECT_EQ(held(), 0U);
}

TEST_F(drop_oldest_test, hold_no_memory_when_they_are_gone) {
  auto slow = join_full(room_a, 1);
  turn(room_a, "2");
  turn(room_a, "3");
  slow->drop_waiting();
  EXPECT_EQ(held(), 0U);
  EXPECT_EQ(context.metrics.messages_dropped_total.value(), 2U);
  EXPECT_EQ(take_all(slow), "");
  turn(room_a, "4");
  EXPECT_EQ(take_all(slow), "<4>");
}

TEST_F(drop_oldest_test, do_not_get_their_own_where_they_want_none) {
  const auto slow = join_full(room_a, 1);
  deliver(room_a, "own", 1, false);
  deliver(room_a, "other", 2, false);
  deliver(room_a, "heard", 1, true);
  members.flush();
  EXPECT_EQ(take_all(slow), "<first><other><heard>");
}

TEST_F(drop_oldest_test, that_come_within_a_turn_get_nothing_of_before) {
  join(room_a, 1);
  deliver(room_a, "1");
  const auto slow = join(room_a, 2);
  slow->is_full = true;
  const auto answer = context.buffers.make("(answer)");
  slow->send(answer, 0, answer->size());
  deliver(room_a, "2");
  members.flush();
  EXPECT_EQ(take_all(slow), "(answer)<2>");
}

TEST_F(drop_oldest_test, that_are_in_several_rooms_lose_in_each_by_itself) {
  const auto slow = join_full(room_a, 1);
  add(room_b, 1);
  turn(room_b, "b1");
  for (int i = 0; i < 10; ++i)
    turn(room_a, std::to_string(i) + std::string(1000, '.'));
  turn(room_b, "b2");
  const auto got = take_all(slow);
  EXPECT_TRUE(got.starts_with("<first><b1><b2>!<")) << got.substr(0, 30);
  turn(room_a, "a");
  turn(room_b, "b3");
  EXPECT_EQ(take_all(slow), "<a><b3>");
}

TEST_F(slow_members_test, of_latest_get_the_comings_and_goings_after_the_newest_message) {
  const auto slow = join_full(room_a, 1);
  moved("ann");
  turn(room_a, "2");
  moved("ben");
  moved("cem");
  EXPECT_EQ(take_all(slow), "<first>!<2><ben><cem>") << "no message is lost to a coming";
}

TEST_F(slow_members_test, miss_nothing_where_what_is_lost_has_no_place) {
  const auto slow = join_full(room_a, 1);
  for (const auto* const text : {"2", "3"}) {
    auto one = std::make_shared<cluster::publication>();
    one->data = text;
    members.deliver(room_a, one);
    members.flush();
  }
  EXPECT_EQ(take_all(slow), "<first><3>") << "what skips the history never counts as missing";
  EXPECT_EQ(lost(slow_loss::latest), 1U);
}

TEST_F(drop_oldest_test, are_told_a_break_of_the_room_between_what_came_before_and_after_it) {
  const auto slow = join_full(room_a, 1);
  const auto other = join(room_a, 2);
  turn(room_a, "2");
  members.tell_break({room_a, "r", {"other", 7}, false});
  turn(room_a, "3");
  EXPECT_EQ(other->got, "<2>|<3>");
  EXPECT_EQ(take_all(slow), "<first><2>!<3>") << "it might have lost something by then";
  members.tell_break({room_a, "r", {"another", 7}, false});
  EXPECT_EQ(take_all(slow), "|") << "nothing waited";
}

TEST_F(slow_members_test, that_have_lost_something_are_not_told_otherwise_by_a_break) {
  const auto slow = join_full(room_a, 1);
  const auto other = join(room_a, 2);
  turn(room_a, "2");
  turn(room_a, "3");
  members.tell_break({room_a, "r", {"other", 7}, false});
  turn(room_a, "4"); // in the place of 3
  EXPECT_EQ(take_all(slow), "<first>!<4>") << "once, where it goes on";
  EXPECT_EQ(other->got, "<2><3>|<4>");
}

TEST_F(slow_members_test, that_lose_something_after_a_break_too_are_told_of_that_too) {
  const auto slow = join_full(room_a, 1);
  turn(room_a, "2");
  members.tell_break({room_a, "r", {"other", 7}, false});
  turn(room_a, "3");
  members.tell_break({room_a, "r", {"another", 7}, false});
  turn(room_a, "4");
  turn(room_a, "5");
  EXPECT_EQ(take_all(slow), "<first>!!!<5>") << "each with a place of its own";
}

TEST_F(slow_members_test, are_told_the_place_of_a_break_and_none_of_before_it) {
  const auto slow = join_full(room_a, 1, net::plain_meta_format());
  turn(room_a, "2");
  members.tell_break({room_a, "r", {"other", 7}, false});
  turn(room_a, "3");
  const auto got = take_all(slow);
  const auto told = got.find(R"("join":)");
  EXPECT_EQ(told, got.find(R"("join":{"room":"r","epoch":"other","offset":7,"recovered":false})"));
  EXPECT_NE(told, std::string::npos) << got;
  EXPECT_EQ(got.find(R"("join":)", told + 1), std::string::npos) << got;
}

TEST_F(slow_members_test, who_have_no_word_for_a_loss_stay_where_the_epoch_changes) {
  const auto slow = join_full(room_a, 1, net::plain_format());
  turn(room_a, "2");
  turn(room_a, "3");
  members.tell_break({room_a, "r", {"other", 7}, false});
  EXPECT_TRUE(slow->close_codes.empty());
}

TEST_F(drop_oldest_test, lose_all_but_the_newest_when_memory_is_short) {
  const auto slow = join_full(room_a, 1);
  const auto recovers = join_full(room_a, 2, net::centrifugo_json_format(),
                                  net::centrifugo::subscription_note::positioned);
  for (const auto* const text : {"2", "3", "4"})
    turn(room_a, text);
  const auto before = held();
  members.let_go_kept();
  EXPECT_LT(held(), before);
  members.flush();
  EXPECT_EQ(owner.broken.size(), 1U);
  EXPECT_EQ(take_all(slow), "<first>!<4>");
  EXPECT_NE(take_all(recovers).find("unsubscribe"), std::string::npos);
}

TEST_F(slow_members_test, do_as_the_settings_say_from_the_next_tick_on) {
  const auto slow = join_full(room_a, 1);
  turn(room_a, "2");
  turn(room_a, "3");
  deliver(room_a, "4");
  change(slow_consumers::disconnect);
  turn(room_a, "5");
  turn(room_a, "6");
  EXPECT_EQ(take_all(slow), "<first>!<4><5><6>");
  slow->is_full = true;
  turn(room_a, "7");
  change(slow_consumers::latest);
  turn(room_a, "8");
  turn(room_a, "9");
  change(slow_consumers::drop_oldest);
  turn(room_a, "10");
  EXPECT_EQ(take_all(slow), "<7>!<9><10>");
  EXPECT_EQ(held(), 0U);
}

TEST_F(drop_oldest_test, that_have_lost_something_come_back_though_the_settings_change_meanwhile) {
  const auto& format = net::centrifugo_json_format();
  const auto slow = join_full(room_a, 1, format, net::centrifugo::subscription_note::positioned);
  const auto other = join_full(room_a, 2);
  turn(room_a, "2");
  for (int i = 0; i < 10; ++i)
    moved(std::string(1000, '.'));
  EXPECT_TRUE(owner.broken.empty()) << "these are not told to it, so it was not looked at";
  change(slow_consumers::disconnect);
  EXPECT_EQ(owner.broken, std::vector<subscription_id>{7});
  turn(room_a, "3");
  const auto got = take_all(slow);
  EXPECT_NE(got.find("unsubscribe"), std::string::npos) << got;
  EXPECT_EQ(got.find("\"data\":3"), std::string::npos) << got;
  EXPECT_TRUE(take_all(other).ends_with("<3>"));
  EXPECT_EQ(held(), 0U);
}

TEST_F(slow_members_test, that_are_to_come_back_get_nothing_more_though_the_settings_change) {
  const auto& format = net::centrifugo_json_format();
  const auto slow = join_full(room_a, 1, format, net::centrifugo::subscription_note::positioned);
  turn(room_a, "2");
  deliver(room_a, "3");
  join(room_a, 2); // which writes what the turn has so far
  change(slow_consumers::disconnect);
  turn(room_a, "4");
  const auto got = take_all(slow);
  EXPECT_EQ(got.find("\"data\":4"), std::string::npos) << got;
  EXPECT_NE(got.find("unsubscribe"), std::string::npos) << got;
}

/// Many rooms, each with one member of the same number.
struct many_rooms_test : slow_members_test {
  many_rooms_test() : slow_members_test(slow_consumers::disconnect) {}

  std::vector<fake_session_ptr> all;

  void open(std::size_t rooms) {
    for (const auto end = all.size() + rooms; all.size() < end;) {
      const auto number = all.size() + 1;
      all.push_back(join(number, number));
    }
  }

  /// Members who lose what is replaced.
  std::size_t losers() {
    std::size_t count = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i]->is_full = true;
      for (const auto* const text : {"1", "2", "3"})
        turn(i + 1, text);
      count += take_all(all[i]) == "<1>!<3>" ? 1U : 0U;
    }
    return count;
  }
};

TEST_F(many_rooms_test, are_looked_up_by_new_settings_some_a_tick) {
  open(2 * net::max_rooms_heeded_a_tick + 500);
  change(slow_consumers::latest);
  const auto first = losers();
  EXPECT_GE(first, net::max_rooms_heeded_a_tick);
  EXPECT_LT(first, net::max_rooms_heeded_a_tick + 100);
  for (int i = 0; i < 3; ++i)
    members.on_tick(net::loop_context::clock::now());
  EXPECT_EQ(losers(), all.size());
}

TEST_F(many_rooms_test, all_have_their_turn_though_rooms_come_and_go_and_settings_change_again) {
  open(2 * net::max_rooms_heeded_a_tick);
  change(slow_consumers::latest);
  for (connection_id id = 1; id <= 1000; ++id)
    members.detach(id);
  open(5 * net::max_rooms_heeded_a_tick); // which moves those that are there
  const auto there = all.size() - 1000;
  for (std::size_t i = 0; i < there; i += net::max_rooms_heeded_a_tick)
    change(slow_consumers::latest); // again, and a tick
  EXPECT_EQ(losers(), there);
}

TEST_F(slow_members_test, are_in_the_queue_as_others_are_where_the_room_says_nothing) {
  change(slow_consumers::disconnect);
  const auto slow = join_full(room_a, 1);
  for (const auto* const text : {"2", "3", "4"})
    turn(room_a, text);
  EXPECT_EQ(take_all(slow), "<first><2><3><4>");
  EXPECT_EQ(lost(slow_loss::latest) + lost(slow_loss::drop_oldest), 0U);
}

} // namespace
} // namespace canang::actors
