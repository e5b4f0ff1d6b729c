// Presence that Redis refuses is tried again with pauses, and costs nobody else anything.

#include "tests/unit/support/presence_fixture.hpp"

namespace canang::cluster {
namespace {

struct redis_presence_refused : presence_fixture {
  static std::uint64_t refusals(const node_under_test& of, housekeeping what) {
    std::uint64_t sum = 0;
    for (const auto& counter : of.metrics.refused[static_cast<std::size_t>(what)])
      sum += counter.value();
    return sum;
  }

  /// Turns with a publish each, and a member that comes to a room, for as long as it lasts.
  void chatter(node_under_test& who, std::chrono::milliseconds time, const std::string& room) {
    const auto end = std::chrono::steady_clock::now() + time;
    std::uint64_t id = 1'000'000;
    static_cast<void>(until([&] {
      who.publish("elsewhere", "x");
      who.join(room, id);
      who.leave(room, id++);
      return std::chrono::steady_clock::now() >= end;
    }));
  }
};

TEST_F(redis_presence_refused, by_everybody_is_tried_again_with_one_room) {
  constexpr std::uint64_t rooms = 50;
  auto& a = start("n1");
  for (std::uint64_t i = 0; i < rooms; ++i)
    a.join("told" + std::to_string(i), 100 + i, "ann");
  ASSERT_TRUE(becomes(a, "told49", "n1:1 | n1/149=ann"));
  rest();
  raw(a, {"CONFIG", "SET", "maxmemory", "1"});
  for (std::uint64_t i = 0; i < rooms; ++i)
    a.join("told" + std::to_string(i), 200 + i, "bob");
  ASSERT_TRUE(until([&] { return refusals(a, housekeeping::presence) >= rooms; }));
  const auto first = refusals(a, housekeeping::presence);
  chatter(a, 1500ms, "told");
  EXPECT_LE(refusals(a, housekeeping::presence) - first, 12U) << "with growing pauses";
  EXPECT_TRUE(until([&] { return refusals(a, housekeeping::presence) - first >= 2; }));
  raw(a, {"CONFIG", "SET", "maxmemory", "0"});
  for (std::uint64_t i = 0; i < rooms; i += 7)
    EXPECT_TRUE(becomes(a, "told" + std::to_string(i),
                        "n1:2 | n1/" + std::to_string(100 + i) + "=ann n1/"
                          + std::to_string(200 + i) + "=bob"));
}

TEST_F(redis_presence_refused, in_one_room_holds_up_no_other) {
  auto& a = start("n1");
  const auto counts = key("n", "told", "told");
  raw(a, {"SET", counts, "not a hash"});
  a.join("told", 1, "ann");
  ASSERT_TRUE(until([&] { return refusals(a, housekeeping::presence) >= 1; }));
  a.join("r", 2, "bob");
  EXPECT_TRUE(becomes(a, "r", "n1:1 | n1/2=bob"));
  chatter(a, 1500ms, "told");
  EXPECT_LE(refusals(a, housekeeping::presence), 12U);
  a.join("told", 3, "cid");
  raw(a, {"DEL", counts});
  EXPECT_TRUE(becomes(a, "told", "n1:2 | n1/1=ann n1/3=cid"));
}

TEST_F(redis_presence_refused, leases_and_leaves_are_counted_and_told_in_the_end) {
  auto& a = start("n1");
  open(a, "told");
  a.join("told", 1, "ann");
  ASSERT_TRUE(hears(a, "told", {event('+', "n1/1", "ann")}));
  a.leave("told", 1);
  ASSERT_TRUE(becomes(a, "told", "|"));
  raw(a, {"CONFIG", "SET", "min-replicas-to-write", "1"});
  a.ahead += 3s;
  ASSERT_TRUE(until([&] { return refusals(a, housekeeping::leave) >= 1; }));
  EXPECT_GE(refusals(a, housekeeping::lease), 1U);
  chatter(a, 1000ms, "r");
  EXPECT_LE(refusals(a, housekeeping::leave), 10U);
  raw(a, {"CONFIG", "SET", "min-replicas-to-write", "0"});
  EXPECT_TRUE(hears(a, "told", {event('+', "n1/1", "ann"), event('-', "n1/1", "ann")}));
}

} // namespace
} // namespace canang::cluster
