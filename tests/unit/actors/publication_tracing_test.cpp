#include "actors/publication_tracing.hpp"

#include "tests/unit/support/fanout_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::actors {
namespace {

using cluster::publication;
using cluster::publication_notes;

const trace_context parent{.trace_high = 1, .trace_low = 2, .span = 3, .is_sampled = true};

struct spans final : net::tracer {
  std::optional<trace_context> begin() override { return new_trace(); }
  bool has_place() const noexcept override { return all.size() < places; }
  void record(net::span&& ended) override { all.push_back(std::move(ended)); }
  void lose(std::uint64_t count) noexcept override { lost += count; }

  std::vector<net::span> all;
  std::size_t places = 100'000;
  std::uint64_t lost = 0;
};

template <class Value>
Value attribute(const net::span& of, std::string_view name) {
  const auto found = std::find_if(of.attributes.begin(), of.attributes.end(),
                                  [&](const auto& one) { return one.first == name; });
  if (found == of.attributes.end())
    throw std::out_of_range{std::string{name}};
  return std::get<Value>(found->second);
}

TEST(publication_tracing, has_it_followed_by_a_tag) {
  publication message;
  message.data = "hello";
  const auto to_broker = follow(message, "a", parent);
  EXPECT_EQ(to_broker.parent, parent.span);
  EXPECT_EQ(to_broker.at.trace_low, parent.trace_low);
  EXPECT_EQ(attribute<std::string>(to_broker, "canang.room"), "a");
  EXPECT_EQ(attribute<std::int64_t>(to_broker, "canang.bytes"), 5);
  EXPECT_EQ(trace_of(message), to_broker.at);
  ASSERT_TRUE(message.notes);
  EXPECT_EQ(message.notes->tags,
            (std::vector<cluster::publication_tag>{{"traceparent", to_traceparent(to_broker.at)}}));
}

TEST(publication_tracing, keeps_what_else_is_told) {
  publication message;
  message.notes = std::make_unique<const publication_notes>(
    publication_notes{.author = cluster::publication_author{.user = "ann", .client = "n/1"},
                      .tags = {{"a", "1"}, {"traceparent", "theirs"}, {"z", "2"}}});
  const auto to_broker = follow(message, "a", parent);
  EXPECT_EQ(message.notes->author->user, "ann");
  EXPECT_EQ(message.notes->tags,
            (std::vector<cluster::publication_tag>{
              {"a", "1"}, {"traceparent", to_traceparent(to_broker.at)}, {"z", "2"}}));
}

TEST(publication_tracing, adds_no_tag_more_than_there_may_be) {
  publication message;
  publication_notes full;
  for (std::size_t i = 0; i < cluster::max_tags; ++i)
    full.tags.emplace_back(std::to_string(i), "v");
  message.notes = std::make_unique<const publication_notes>(full);
  static_cast<void>(follow(message, "a", parent));
  EXPECT_EQ(*message.notes, full);
  EXPECT_FALSE(trace_of(message));
}

TEST(publication_tracing, tells_what_came_of_it) {
  publication message;
  const auto to_broker = follow(message, "a", parent);
  const auto stored = ended(to_broker, {.at = {.epoch = "e", .offset = 7}});
  EXPECT_EQ(attribute<std::int64_t>(stored, "canang.offset"), 7);
  EXPECT_TRUE(stored.fault.empty());
  EXPECT_GE(stored.ended, stored.began);
  EXPECT_EQ(ended(to_broker, {.error = cluster::broker_errc::unavailable}).fault,
            "not stored in time");
  EXPECT_EQ(ended(to_broker, {.error = cluster::broker_errc::refused}).fault, "refused");
}

TEST(publication_tracing, takes_no_tag_for_a_trace_that_is_none) {
  publication message;
  EXPECT_FALSE(trace_of(message));
  for (const auto* const value :
       {"", "garbage", "00-00000000000000010000000000000002-0000000000000003-00"}) {
    message.notes = std::make_unique<const publication_notes>(
      publication_notes{.tags = {{"traceparent", value}}});
    EXPECT_FALSE(trace_of(message)) << value;
  }
}

struct followed_fanout : test::fanout_fixture {
  spans told;

  static cluster::publication_ptr followed(std::string data) {
    auto message = std::make_shared<cluster::publication>();
    message->data = std::move(data);
    static_cast<void>(follow(*message, "a", parent));
    return message;
  }
};

TEST_F(followed_fanout, records_a_delivery_when_it_is_flushed) {
  members.trace_to(&told, 5, true);
  join(test::room_a, 1);
  join(test::room_a, 2);
  join(test::room_b, 3);
  const auto message = followed("x");
  members.deliver(test::room_a, message);
  deliver(test::room_b, "y");
  EXPECT_TRUE(told.all.empty());
  members.flush();
  ASSERT_EQ(told.all.size(), 1U);
  const auto& delivery = told.all.front();
  EXPECT_EQ(delivery.parent, trace_of(*message)->span);
  EXPECT_EQ(delivery.at.trace_low, parent.trace_low);
  EXPECT_EQ(delivery.began, message->received_at);
  EXPECT_GE(delivery.ended, delivery.began);
  EXPECT_EQ(attribute<std::int64_t>(delivery, "canang.members"), 2);
  EXPECT_EQ(attribute<std::int64_t>(delivery, "canang.loop"), 5);
  members.flush();
  EXPECT_EQ(told.all.size(), 1U);
}

TEST_F(followed_fanout, records_each_of_a_turn) {
  members.trace_to(&told, 0, true);
  join(test::room_a, 1);
  join(test::room_b, 2);
  for (const auto room : {test::room_a, test::room_b, test::room_a})
    members.deliver(room, followed("x"));
  members.flush();
  EXPECT_EQ(told.all.size(), 3U);
}

TEST_F(followed_fanout, forgets_deliveries_of_rooms_that_are_left) {
  members.trace_to(&told, 0, true);
  join(test::room_a, 1);
  members.deliver(test::room_a, followed("x"));
  members.detach(1);
  members.flush();
  join(test::room_a, 2);
  deliver(test::room_a, "y");
  members.flush();
  EXPECT_TRUE(told.all.empty());
}

TEST_F(followed_fanout, begins_with_the_turn_where_the_node_has_made_it_itself) {
  members.trace_to(&told, 0, false);
  join(test::room_a, 1);
  const auto began = net::span::clock::now();
  members.deliver(test::room_a, followed("x")); // which says that it was read long ago
  members.flush();
  ASSERT_EQ(told.all.size(), 1U);
  EXPECT_GE(told.all.front().began, began);
}

TEST_F(followed_fanout, counts_those_that_there_is_no_place_for) {
  members.trace_to(&told, 0, true);
  told.places = 2;
  join(test::room_a, 1);
  for (int i = 0; i < 5; ++i)
    members.deliver(test::room_a, followed("x"));
  members.flush();
  EXPECT_EQ(told.all.size(), 2U);
  EXPECT_EQ(told.lost, 3U);
}

TEST_F(followed_fanout, notes_so_many_in_a_turn_and_no_more) {
  members.trace_to(&told, 0, true);
  join(test::room_a, 1);
  const auto message = followed("x");
  for (int i = 0; i < 20'000; ++i)
    members.deliver(test::room_a, message);
  members.flush();
  EXPECT_LT(told.all.size(), 20'000U);
  EXPECT_EQ(told.all.size() + told.lost, 20'000U);
}

TEST_F(followed_fanout, takes_as_long_for_each_in_a_crowd_of_rooms) {
  members.trace_to(&told, 0, true);
  const auto session = attach(1);
  const auto message = followed("x");
  const auto time_of = [&](actors::room_id rooms) {
    for (actors::room_id room = 1; room <= rooms; ++room)
      members.deliver(room, message);
    const auto began = net::span::clock::now();
    members.flush();
    return std::chrono::duration<double>(net::span::clock::now() - began).count()
           / static_cast<double>(rooms);
  };
  constexpr actors::room_id many = 8000;
  for (actors::room_id room = 1; room <= many; ++room)
    add(room, 1);
  double best = 1e9;
  for (int i = 0; i < 5; ++i)
    best = std::min(best, time_of(many) / time_of(many / 16));
  EXPECT_LT(best, 4) << "a delivery takes so many times as long in sixteen times as many rooms";
}

TEST_F(followed_fanout, tells_nobody_where_nobody_asks) {
  const auto session = join(test::room_a, 1);
  members.deliver(test::room_a, followed("x"));
  members.flush();
  EXPECT_EQ(session->sends.size(), 1U);
}

} // namespace
} // namespace canang::actors
