#include "net/frame.hpp"
#include "net/protocol/centrifugo.hpp"
#include "net/protocol/plain.hpp"
#include "tests/unit/support/fanout_fixture.hpp"
#include "tests/unit/support/server_side.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

// Members that speak Centrifugo's protocol, among others.

namespace canang::actors {
namespace {

using test::by_server;
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

  test::fake_session_ptr subscribe(room_id room, connection_id id,
                                   const net::wire_format& format = net::centrifugo_json_format()) {
    auto session = test::make_fake_session();
    members.attach(id, session, &owner);
    session->open();
    add_member request{room, id, &format, {}};
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

TEST_F(centrifugo_members, by_the_server_are_told_so_and_then_what_they_recovered) {
  auto session = test::make_fake_session();
  members.attach(1, session, &owner);
  session->open();
  add_member request{room_a, 1, &by_server(net::centrifugo_json_format()), {}};
  request.room_name = "r";
  request.from = {"e", 6};
  request.is_recovered = true;
  auto missed = std::make_shared<cluster::publication>();
  missed->data = "7";
  missed->offset = 7;
  request.recovered.push_back(std::move(missed));
  members.add(request);
  deliver(room_a, "8");
  members.flush();
  EXPECT_EQ(
    session->got,
    frame_of(
      R"({"push":{"channel":"r","subscribe":{"recoverable":true,"epoch":"e","offset":6,"positioned":true}}})")
      + frame_of(R"({"push":{"channel":"r","pub":{"data":7,"offset":7}}})")
      + frame_of(R"({"push":{"channel":"r","pub":{"data":8}}})"));
}

TEST_F(centrifugo_members, by_the_server_are_told_in_protobuf_too) {
  const auto& format = by_server(net::centrifugo_protobuf_format());
  std::string out;
  format.encode_join({.at = {.room = "r", .epoch = "e", .offset = 300}}, out);
  // push {channel: r, subscribe {recoverable, epoch: e, offset: 300, positioned}}
  EXPECT_EQ(out,
            std::string("\x82\x12\x11\x22\x0f\x12\1r\x4a\x0a\x08\1\x22\1e\x28\xac\2\x30\1", 20));
  out.clear();
  EXPECT_TRUE(format.encode_unsubscribed({"r", 3503, "removed"}, out));
  EXPECT_NE(out.find("server unsubscribe"), std::string::npos);
}

TEST_F(centrifugo_members, by_the_server_are_told_of_their_removal) {
  const auto a = subscribe(room_a, 1, by_server(net::centrifugo_json_format()));
  struct removed_owner final : membership_owner {
    int removals = 0;
    bool on_added(const add_member&) override { return true; }
    void on_removed(subscription_id) override { ++removals; }
    void on_broken(subscription_id) override { ADD_FAILURE(); }
  } other;
  members.detach(1);
  members.attach(1, a, &other);
  add_member request{room_a, 1, &by_server(net::centrifugo_json_format()), {}};
  request.room_name = "r";
  request.subscription = 7;
  members.add(request);
  a->got.clear();
  members.remove({room_a, 1, 7, removal{3503, "removed from the room"}});
  EXPECT_EQ(
    a->got,
    frame_of(
      R"({"push":{"channel":"r","unsubscribe":{"code":2000,"reason":"server unsubscribe"}}})"));
  EXPECT_EQ(other.removals, 1);
}

TEST_F(centrifugo_members, by_the_server_connect_anew_where_the_order_breaks) {
  const auto a = subscribe(room_a, 1, by_server(net::centrifugo_json_format()));
  const auto b = subscribe(room_a, 2);
  members.tell_break({room_a, "r", {"e2", 9}, true});
  EXPECT_EQ(a->close_codes, std::vector<std::uint16_t>{3010});
  EXPECT_TRUE(b->close_codes.empty());
  EXPECT_EQ(owner.broken.size(), 1U) << "the other one has left";
}

} // namespace
} // namespace canang::actors
