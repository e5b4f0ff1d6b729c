#include "actors/fanout.hpp"

#include "net/protocol/plain.hpp"
#include "tests/unit/support/fanout_fixture.hpp"

#include <gtest/gtest.h>

namespace canang::actors {
namespace {

using test::brackets;
using test::fake_session_ptr;
using test::room_a;
using test::room_b;

struct fanout_test : test::fanout_fixture {};

TEST_F(fanout_test, gives_every_member_the_turns_frames_in_one_send) {
  const auto a = join(room_a, 1);
  const auto b = join(room_a, 2);
  deliver(room_a, "1");
  deliver(room_a, "2");
  EXPECT_EQ(a->got, "") << "not before the turn ends";
  members.flush();
  for (const auto& session : {a, b}) {
    EXPECT_EQ(session->got, "<1><2>");
    EXPECT_EQ(session->sends.size(), 1U);
  }
  members.flush();
  EXPECT_EQ(a->sends.size(), 1U) << "nothing new, nothing sent";
  EXPECT_EQ(context.metrics.deliveries_total.value(), 4U);
}

TEST_F(fanout_test, opens_then_sends_what_was_recovered_then_what_is_live) {
  const auto a = attach(1);
  EXPECT_EQ(a->opens, 0);
  add(room_a, 1, brackets(), {"old", "newer"});
  EXPECT_EQ(a->opens, 1);
  EXPECT_EQ(a->got, "<old><newer>") << "without waiting for the end of the turn";
  deliver(room_a, "live");
  members.flush();
  EXPECT_EQ(a->got, "<old><newer><live>");
  EXPECT_EQ(context.metrics.deliveries_total.value(), 3U);
}

TEST_F(fanout_test, keeps_what_joiners_share_until_the_room_has_something_new) {
  join(room_b, 9);
  const auto held = [&] { return context.metrics.outbox_memory_bytes.value(); };
  attach(1);
  add(room_a, 1, brackets(), {"old", "newer"});
  EXPECT_GT(held(), 0U) << "for the next one to join at this place";
  deliver(room_b, "elsewhere");
  EXPECT_GT(held(), 0U);
  deliver(room_a, "live");
  EXPECT_EQ(held(), 0U) << "nobody will join there any more";
  attach(2);
  add(room_a, 2, brackets(), {"old", "newer", "live"});
  EXPECT_GT(held(), 0U);
  members.on_tick(net::loop_context::clock::now() + 2 * net::join_piece_ttl);
  EXPECT_EQ(held(), 0U) << "nobody came";
}

TEST_F(fanout_test, gives_nothing_of_before_its_join_to_one_that_joins_in_a_turn) {
  const auto a = join(room_a, 1);
  deliver(room_a, "1");
  const auto b = join(room_a, 2);
  deliver(room_a, "2");
  const auto c = join(room_a, 3);
  members.flush();
  EXPECT_EQ(a->got, "<1><2>");
  EXPECT_EQ(b->got, "<2>");
  EXPECT_EQ(c->got, "");
  deliver(room_a, "3");
  members.flush();
  EXPECT_EQ(a->got, "<1><2><3>");
  EXPECT_EQ(b->got, "<2><3>");
  EXPECT_EQ(c->got, "<3>");
}

TEST_F(fanout_test, leaves_out_a_sender_and_gives_it_the_others_frames_in_order) {
  const auto a = join(room_a, 1);
  const auto b = join(room_a, 2);
  deliver(room_a, "a1", 1, false);
  deliver(room_a, "b1", 2, false);
  deliver(room_a, "b2", 2, false);
  deliver(room_a, "x");
  deliver(room_a, "a2", 1, false);
  deliver(room_a, "b3", 2, false);
  members.flush();
  EXPECT_EQ(a->got, "<b1><b2><x><b3>");
  EXPECT_EQ(b->got, "<a1><x><a2>");
  EXPECT_EQ(context.metrics.deliveries_total.value(), 7U);
  deliver(room_a, "next", 2, true);
  members.flush();
  EXPECT_EQ(b->got, "<a1><x><a2><next>") << "only where it asked for it";
}

TEST_F(fanout_test, sends_nothing_to_a_sender_alone_that_wants_no_echo) {
  const auto a = join(room_a, 1);
  deliver(room_a, "a1", 1, false);
  members.flush();
  EXPECT_TRUE(a->sends.empty());
}

TEST_F(fanout_test, leaves_out_a_sender_that_joined_in_the_turn) {
  join(room_a, 1);
  deliver(room_a, "before");
  const auto b = join(room_a, 2);
  deliver(room_a, "own", 2, false);
  deliver(room_a, "after");
  members.flush();
  EXPECT_EQ(b->got, "<after>");
}

TEST_F(fanout_test, keeps_rooms_apart) {
  const auto a = join(room_a, 1);
  const auto b = join(room_b, 2);
  add(room_b, 1);
  deliver(room_a, "a");
  deliver(room_b, "b", 1, false);
  deliver(77, "nobody is there");
  members.flush();
  EXPECT_EQ(a->got, "<a>");
  EXPECT_EQ(b->got, "<b>");
}

TEST_F(fanout_test, speaks_to_each_member_in_its_protocol) {
  const auto plain = join(room_a, 1, net::plain_format());
  const auto other = join(room_a, 2);
  deliver(room_a, "1");
  deliver(room_a, "2", 1, false);
  deliver(room_a, "3", 2, false);
  members.flush();
  EXPECT_EQ(plain->got, "\x81\x01"
                        "1\x81\x01"
                        "3");
  EXPECT_EQ(other->got, "<1><2>");
}

TEST_F(fanout_test, keeps_the_frame_type_of_a_publication) {
  const auto a = join(room_a, 1, net::plain_format());
  auto message = std::make_shared<cluster::publication>();
  message->type = cluster::payload_type::binary;
  message->data = "b";
  members.deliver(room_a, message);
  members.flush();
  EXPECT_EQ(a->got, "\x82\x01"
                    "b");
}

TEST_F(fanout_test, flushes_early_when_a_turns_frames_are_large) {
  const auto a = join(room_a, 1);
  const auto other = join(room_b, 2);
  deliver(room_b, "small");
  const std::string half(net::max_turn_buffer_bytes / 2 - 2, 'h');
  deliver(room_a, half);
  EXPECT_TRUE(a->sends.empty());
  deliver(room_a, half);
  EXPECT_EQ(a->got.size(), net::max_turn_buffer_bytes) << "at once";
  EXPECT_EQ(other->got, "") << "the other room waits for its turn to end";
  const auto late = join(room_a, 3);
  deliver(room_a, "rest");
  members.flush();
  EXPECT_TRUE(a->got.ends_with("h><rest>"));
  EXPECT_EQ(a->sends.size(), 2U);
  EXPECT_EQ(late->got, "<rest>");
  EXPECT_EQ(other->got, "<small>");
}

TEST_F(fanout_test, measures_each_publication_from_reading_to_flush) {
  join(room_a, 1);
  deliver(room_a, "1");
  deliver(room_a, "2");
  members.flush();
  std::uint64_t observed = 0;
  for (std::size_t i = 0; i < net::latency_histogram::bucket_count; ++i)
    observed += context.metrics.publish_to_flush.bucket(i);
  EXPECT_EQ(observed, 2U);
}

TEST_F(fanout_test, tells_a_break_between_what_came_before_and_after_it) {
  const auto told = join(room_a, 1);
  const auto plain = join(room_a, 2, net::plain_format());
  deliver(room_a, "a");
  members.tell_break({room_a, "a", {"epoch", 7}, true});
  deliver(room_a, "b");
  members.flush();
  EXPECT_EQ(told->got, "<a>!<b>");
  EXPECT_EQ(plain->got, "\x81\x01"
                        "a");
  EXPECT_EQ(plain->close_codes, std::vector<std::uint16_t>{3010});
}

TEST_F(fanout_test, tells_of_an_epoch_that_changed_without_a_loss) {
  const auto told = join(room_a, 1);
  const auto plain = join(room_a, 2, net::plain_format());
  members.tell_break({room_a, "a", {"epoch", 7}, false});
  members.flush();
  EXPECT_EQ(told->got, "|");
  EXPECT_TRUE(plain->is_open());
}

TEST_F(fanout_test, sends_nothing_to_members_whose_protocol_has_no_word_for_a_publication) {
  const auto plain = join(room_a, 1, net::plain_format());
  auto event = std::make_shared<cluster::publication>();
  event->kind = cluster::publication_kind::joined;
  event->data = "{}";
  members.deliver(room_a, event);
  members.flush();
  EXPECT_TRUE(plain->got.empty());
  EXPECT_TRUE(plain->sends.empty());
  deliver(room_a, "a");
  members.flush();
  EXPECT_EQ(plain->got, "\x81\x01"
                        "a");
}

TEST_F(fanout_test, tells_what_was_recovered_in_the_epoch_that_the_join_names) {
  const auto session = attach(1);
  actors::add_member request{room_a, 1, &net::plain_meta_format(), {}};
  auto message = std::make_shared<cluster::publication>();
  message->epoch = "ended";
  message->offset = 8;
  message->data = "a";
  request.recovered.push_back(message);
  request.from = {"present", 7};
  members.add(request);
  EXPECT_NE(session->got.find(R"({"epoch":"present","offset":8,"data":"a"})"), std::string::npos)
    << session->got;
  EXPECT_EQ(session->got.find("ended"), std::string::npos);
}

} // namespace
} // namespace canang::actors
