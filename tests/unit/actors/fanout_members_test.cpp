#include "net/protocol/plain.hpp"
#include "tests/unit/support/fanout_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace canang::actors {
namespace {

using test::brackets;
using test::fake_session_ptr;
using test::room_a;
using test::room_b;

struct fanout_members_test : test::fanout_fixture {};

TEST_F(fanout_members_test, does_not_add_one_whose_connection_is_gone) {
  add(room_a, 1);
  deliver(room_a, "1");
  members.flush();
  EXPECT_EQ(members.session_count(), 0U);
  EXPECT_EQ(context.metrics.deliveries_total.value(), 0U);
}

/// Ends as it is asked whether it answers its join, as a connection does that fails then.
struct failing_owner final : membership_owner {
  failing_owner(fanout& all, connection_id own) : members(all), id(own) {}

  bool on_added(const add_member&) override { return true; }
  bool answers(const add_member&) override {
    members.detach(id);
    return true;
  }
  void on_removed(subscription_id) override {}
  void on_broken(subscription_id) override {}

  fanout& members;
  connection_id id;
};

TEST_F(fanout_members_test, does_not_add_one_that_its_own_answer_has_ended) {
  const auto a = test::make_fake_session();
  failing_owner owner{members, 1};
  members.attach(1, a, &owner);
  add(room_a, 1);
  deliver(room_a, "1");
  members.flush();
  EXPECT_EQ(a->got, "");
  EXPECT_EQ(members.session_count(), 0U);
  const auto b = join(room_a, 2);
  deliver(room_a, "2");
  members.flush();
  EXPECT_EQ(b->got, "<2>");
}

TEST_F(fanout_members_test, sends_nothing_more_to_one_that_left_in_the_turn) {
  const auto a = join(room_a, 1);
  const auto b = join(room_a, 2);
  const auto c = join(room_a, 3);
  deliver(room_a, "1");
  members.leave(room_a, 1, 0);
  members.detach(2);
  deliver(room_a, "2");
  members.flush();
  EXPECT_EQ(a->got, "");
  EXPECT_EQ(b->got, "");
  EXPECT_EQ(c->got, "<1><2>");
  EXPECT_EQ(members.session_count(), 2U);
}

TEST_F(fanout_members_test, starts_afresh_for_a_room_that_emptied_in_the_turn) {
  join(room_a, 1);
  deliver(room_a, "1");
  members.leave(room_a, 1, 0);
  const auto b = join(room_a, 2);
  deliver(room_a, "2");
  members.flush();
  EXPECT_EQ(b->got, "<2>");
}

TEST_F(fanout_members_test, starts_afresh_for_a_protocol_whose_members_left_in_the_turn) {
  const auto a = join(room_a, 1, net::plain_format());
  join(room_a, 2);
  deliver(room_a, "1");
  members.leave(room_a, 2, 0);
  deliver(room_a, "2");
  const auto c = join(room_a, 3);
  deliver(room_a, "3");
  members.flush();
  EXPECT_EQ(a->got, "\x81\x01"
                    "1\x81\x01"
                    "2\x81\x01"
                    "3");
  EXPECT_EQ(c->got, "<3>");
}

TEST_F(fanout_members_test, forgives_removing_what_is_not_there) {
  const auto a = join(room_a, 1);
  members.leave(room_b, 1, 0);
  members.leave(room_a, 9, 0);
  members.detach(9);
  members.leave(room_a, 1, 0);
  members.leave(room_a, 1, 0);
  deliver(room_a, "1");
  members.flush();
  EXPECT_EQ(a->got, "");
}

TEST_F(fanout_members_test, goes_on_when_a_session_takes_no_more) {
  const auto slow = join(room_a, 1);
  const auto a = join(room_a, 2);
  slow->takes_bytes = 5;
  deliver(room_a, "1");
  members.flush();
  deliver(room_a, "2");
  deliver(room_a, "3");
  members.flush();
  EXPECT_EQ(slow->got, "<1>") << "whole turns only";
  EXPECT_EQ(slow->close_codes, std::vector<std::uint16_t>{1008});
  EXPECT_EQ(a->got, "<1><2><3>");
  deliver(room_a, "4");
  members.flush();
  EXPECT_EQ(a->got, "<1><2><3><4>");
  EXPECT_EQ(context.metrics.deliveries_total.value(), 5U);
  EXPECT_EQ(context.metrics.messages_dropped_total.value(), 3U);
}

TEST_F(fanout_members_test, counts_what_a_member_that_is_sent_pieces_did_not_take) {
  const auto a = join(room_a, 1);
  join(room_a, 2);
  a->takes_bytes = 3;
  deliver(room_a, "1");
  deliver(room_a, "own", 1, false);
  deliver(room_a, "2");
  members.flush();
  EXPECT_EQ(a->got, "<1>");
  EXPECT_EQ(context.metrics.deliveries_total.value(), 1U + 3U);
  EXPECT_EQ(context.metrics.messages_dropped_total.value(), 1U);
}

TEST_F(fanout_members_test, tells_the_members_of_a_room_that_is_gone_or_closes_them) {
  const auto a = join(room_a, 1);
  const auto b = join(room_a, 2, net::plain_format());
  const auto c = join(room_a, 3, net::plain_format());
  const auto other = join(room_b, 4);
  add(room_b, 1);
  deliver(room_a, "last");
  members.end_room(room_a, {1012, "gone"});
  members.end_room(77, {1012, "nobody"});
  EXPECT_EQ(a->got, "<last>-gone") << "it has a word for that";
  EXPECT_TRUE(a->close_codes.empty());
  for (const auto& closed : {b, c})
    EXPECT_EQ(closed->close_codes, std::vector<std::uint16_t>{1012});
  EXPECT_TRUE(other->close_codes.empty());
  deliver(room_a, "none");
  deliver(room_b, "here");
  members.flush();
  EXPECT_EQ(a->got, "<last>-gone<here>");
}

TEST_F(fanout_members_test, removes_a_member_with_a_word_or_a_close_and_no_other) {
  const auto a = join(room_a, 1);
  const auto b = join(room_a, 2, net::plain_format());
  const auto stayer = join(room_a, 3);
  deliver(room_a, "1");
  members.remove({room_a, 1, 0, removal{1008, "go"}});
  members.remove({room_a, 2, 0, removal{1008, "go"}});
  members.remove({room_a, 3, 5, removal{1008, "another membership"}});
  EXPECT_EQ(a->got, "<1>-go");
  EXPECT_EQ(b->close_codes, std::vector<std::uint16_t>{1008});
  EXPECT_TRUE(a->close_codes.empty());
  deliver(room_a, "2");
  members.flush();
  EXPECT_EQ(a->got, "<1>-go");
  EXPECT_EQ(stayer->got, "<1><2>");
}

/// Notes what it is told, and wants what the test says.
struct noting_owner final : membership_owner {
  bool wants = true;
  std::vector<subscription_id> added;
  std::vector<subscription_id> removed;
  std::vector<subscription_id> broken;

  bool on_added(const add_member& request) override {
    added.push_back(request.subscription);
    return wants;
  }
  void on_removed(subscription_id subscription) override { removed.push_back(subscription); }
  void on_broken(subscription_id subscription) override { broken.push_back(subscription); }
};

TEST_F(fanout_members_test, asks_the_owner_of_a_session_and_leaves_its_opening_to_it) {
  noting_owner owner;
  const auto a = test::make_fake_session();
  members.attach(1, a, &owner);
  const auto joins = [&](room_id room, subscription_id subscription) {
    add_member request{room, 1, &brackets(), {}};
    request.subscription = subscription;
    members.add(request);
  };
  owner.wants = false;
  joins(room_a, 1);
  deliver(room_a, "1");
  members.flush();
  owner.wants = true;
  joins(room_a, 2);
  EXPECT_EQ(a->opens, 0);
  a->open();
  joins(room_b, 3);
  EXPECT_EQ(owner.added, (std::vector<subscription_id>{1, 2, 3}));
  deliver(room_a, "2");
  deliver(room_b, "3");
  members.flush();
  EXPECT_EQ(a->got, "<2><3>");
  members.remove({room_a, 1, 1, {}}); // late, of the earlier membership
  EXPECT_TRUE(owner.removed.empty());
  members.remove({room_a, 1, 2, {}});
  EXPECT_EQ(owner.removed, std::vector<subscription_id>{2});
  members.leave(room_b, 1, 3);
  members.remove({room_b, 1, 3, {}});
  members.end_room(room_b, {1011, "gone"});
  EXPECT_EQ(owner.removed, std::vector<subscription_id>{2}) << "it has left by itself";
  joins(room_b, 4);
  members.end_room(room_b, {1011, "gone"});
  EXPECT_EQ(owner.removed, (std::vector<subscription_id>{2, 4}));
  EXPECT_TRUE(a->close_codes.empty());
}

TEST_F(fanout_members_test, finds_the_connections_of_a_user_that_are_chosen) {
  for (connection_id id = 1; id <= 5; ++id)
    (void)attach(id);
  for (const connection_id id : {1, 2, 3})
    members.note_user(id, "ann");
  members.note_user(4, "bob");
  const auto found = [&](std::string_view user, const chosen_connections& which) {
    auto ids = members.find_user(user, which);
    std::sort(ids.begin(), ids.end());
    return ids;
  };
  using ids = std::vector<connection_id>;
  EXPECT_EQ(found("ann", {}), (ids{1, 2, 3}));
  EXPECT_EQ(found("ann", {.spared = {2, 4}}), (ids{1, 3}));
  EXPECT_EQ(found("ann", {.only = 2}), (ids{2}));
  EXPECT_EQ(found("ann", {.only = 2, .spared = {2}}), ids{});
  EXPECT_EQ(found("ann", {.only = 4}), ids{}) << "of another user";
  EXPECT_EQ(found("ann", {.only = 5}), ids{}) << "of none";
  EXPECT_EQ(found("ann", {.only = 6}), ids{}) << "there is none";
  EXPECT_EQ(found("", {.only = 6}), ids{});
  EXPECT_EQ(found("", {.only = 5}), (ids{5}));
  EXPECT_EQ(found("", {.only = 4}), ids{});
  EXPECT_EQ(found("", {}), ids{}) << "those without a user are not one user";
  members.forget_user(2);
  EXPECT_EQ(found("ann", {}), (ids{1, 3}));
}

TEST_F(fanout_members_test, hands_an_invitation_to_who_is_invited) {
  struct guest final : membership_owner {
    std::vector<std::string> invited;
    bool on_added(const add_member&) override { return true; }
    void on_invited(const invitation& to) override { invited.push_back(to.room); }
    void on_removed(subscription_id) override {}
    void on_broken(subscription_id) override {}
  } owner;
  members.attach(1, test::make_fake_session(), &owner);
  (void)attach(2);
  const std::string room = "kitchen";
  const std::optional<cluster::position> since;
  const subscribe_tally_ptr nobody;
  for (const connection_id id : {1, 2, 3})
    members.invite(id, {room, since, nobody});
  EXPECT_EQ(owner.invited, std::vector<std::string>{"kitchen"});
}

TEST_F(fanout_members_test, closes_one_or_all_that_are_not_closing_yet_and_refuses_who_is_not_in) {
  std::vector<fake_session_ptr> sessions;
  for (connection_id id = 1; id <= 4; ++id)
    sessions.push_back(join(room_a, id));
  const auto on_its_way = test::make_fake_session();
  members.attach(5, on_its_way);
  members.close_one(2, 1012, "drain", net::close_reason::drain);
  members.close_one(77, 1012, "nobody", net::close_reason::drain);
  members.close_one(5, 1012, "not yet", net::close_reason::drain);
  EXPECT_EQ(members.open_sessions().size(), 3U);
  EXPECT_EQ(on_its_way->refusals, 0);
  EXPECT_EQ(sessions[1]->close_codes, std::vector<std::uint16_t>{1012});
  EXPECT_TRUE(sessions[0]->close_codes.empty());
  members.close_all(1012, "drain", net::close_reason::drain);
  members.close_all(1012, "drain", net::close_reason::drain);
  for (const auto& session : sessions) {
    EXPECT_EQ(session->close_codes, std::vector<std::uint16_t>{1012});
    EXPECT_EQ(session->refusals, 0);
  }
  EXPECT_EQ(on_its_way->refusals, 1);
  EXPECT_TRUE(on_its_way->close_codes.empty());
  members.abort_all(net::close_reason::drain);
  for (const auto& session : sessions)
    EXPECT_EQ(session->aborts.size(), 1U);
}

} // namespace
} // namespace canang::actors
