#include "net/frame.hpp"
#include "net/protocol/centrifugo.hpp"
#include "net/protocol/plain.hpp"
#include "tests/unit/support/fanout_fixture.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

// Members that speak Centrifugo's protocol, among others.

namespace canang::actors {
namespace {

using test::room_a;
using test::room_b;

std::string frame_of(std::string_view payload) {
  std::string frame;
  net::append_frame(frame, net::frame_type::text, payload);
  return frame;
}

struct noting_owner final : membership_owner {
  std::vector<subscription_id> broken;

  bool on_added(const add_member&) override { return true; }
  void on_removed(subscription_id) override { ADD_FAILURE(); }
  void on_broken(subscription_id subscription) override { broken.push_back(subscription); }
};

struct centrifugo_members : test::fanout_fixture {
  noting_owner owner;

  test::fake_session_ptr subscribe(room_id room, connection_id id) {
    auto session = test::make_fake_session();
    members.attach(id, session, &owner);
    session->open();
    add_member request{room, id, &net::centrifugo_json_format(), {}};
    request.room_name = "r";
    request.subscription = 7;
    members.add(request);
    session->got.clear(); // the answer
    return session;
  }
};

TEST_F(centrifugo_members, get_a_turn_in_one_frame) {
  const auto a = subscribe(room_a, 1);
  deliver(room_a, "1");
  deliver(room_a, "two");
  members.flush();
  EXPECT_EQ(a->got, frame_of(R"({"push":{"channel":"r","pub":{"data":1}}})"
                             "\n"
                             R"({"push":{"channel":"r","pub":{"data":"two"}}})"));
  EXPECT_EQ(a->writes, 1U);
  EXPECT_EQ(context.metrics.deliveries_total.value(), 2U);
}

TEST_F(centrifugo_members, that_come_within_a_turn_get_the_rest_of_it) {
  const auto a = subscribe(room_a, 1);
  deliver(room_a, "1");
  const auto b = subscribe(room_a, 2);
  deliver(room_a, "2");
  members.flush();
  const auto one = frame_of(R"({"push":{"channel":"r","pub":{"data":1}}})");
  const auto two = frame_of(R"({"push":{"channel":"r","pub":{"data":2}}})");
  EXPECT_EQ(a->got, one + two);
  EXPECT_EQ(b->got, two);
}

TEST_F(centrifugo_members, are_not_in_the_way_of_plain_ones) {
  const auto a = subscribe(room_a, 1);
  const auto b = join(room_a, 2, net::plain_format());
  deliver(room_a, "1", 2, false);
  deliver(room_a, "2");
  members.flush();
  EXPECT_EQ(b->got, frame_of("2"));
  EXPECT_EQ(a->got, frame_of(R"({"push":{"channel":"r","pub":{"data":1}}})"
                             "\n"
                             R"({"push":{"channel":"r","pub":{"data":2}}})"));
}

TEST_F(centrifugo_members, are_told_to_come_back_where_the_order_breaks) {
  const auto a = subscribe(room_a, 1);
  deliver(room_a, "1");
  members.tell_break({room_a, "r", {"e2", 9}, true});
  const auto one = frame_of(R"({"push":{"channel":"r","pub":{"data":1}}})");
  const auto end = frame_of(
    R"({"push":{"channel":"r","unsubscribe":{"code":2500,"reason":"insufficient state"}}})");
  EXPECT_EQ(a->got, one + end);
  EXPECT_EQ(owner.broken, std::vector<subscription_id>{7});
  deliver(room_a, "2");
  members.flush();
  EXPECT_EQ(a->got, one + end) << "it is no member any more";
  EXPECT_TRUE(a->close_codes.empty());
}

TEST_F(centrifugo_members, come_back_also_where_only_the_epoch_has_changed) {
  const auto a = subscribe(room_a, 1);
  const auto b = join(room_a, 2, net::plain_format());
  members.tell_break({room_a, "r", {"e2", 9}, false});
  EXPECT_EQ(owner.broken.size(), 1U);
  EXPECT_TRUE(b->close_codes.empty());
  deliver(room_a, "2");
  members.flush();
  EXPECT_EQ(b->got, frame_of("2"));
}

TEST_F(centrifugo_members, stay_in_their_other_rooms_when_one_breaks) {
  const auto a = subscribe(room_a, 1);
  add_member second{room_b, 1, &net::centrifugo_json_format(), {}};
  second.room_name = "s";
  second.subscription = 8;
  members.add(second);
  a->got.clear();
  members.tell_break({room_a, "r", {"e2", 9}, true});
  a->got.clear();
  deliver(room_b, "2");
  members.flush();
  EXPECT_EQ(a->got, frame_of(R"({"push":{"channel":"s","pub":{"data":2}}})"));
}

} // namespace
} // namespace canang::actors
