// A loop that gets no CPU, in a whole node: what is on its way to it stays small.

#include "cluster/redis/url.hpp"
#include "tests/support/running_server.hpp"
#include "tests/unit/support/redis_process.hpp"

#include <gtest/gtest.h>

namespace canang::sim {
namespace {

using namespace std::chrono_literals;

void without_rates(actors::server_options& options) {
  options.loops.limits.publishing = {};
  options.loops.limits.publishing_in_room = {};
}

/// A room that lives on the first of two loops.
std::string room_on_first() {
  std::string room = "room";
  while (actors::home_of(room, 2) != 0)
    room += '+';
  return room;
}

/// The kernel gives some to each of two loops: all to one of them 1 time of 32,768.
std::vector<tcp::socket> some_members(running_server& server, const std::string& room) {
  std::vector<tcp::socket> members;
  while (members.size() < 16)
    members.push_back(server.connect("/ws/" + room));
  return members;
}

/// The room lives on the first loop and has members on both; then the second gets no CPU.
TEST(backlog, of_a_loop_without_cpu_stays_small_since_those_who_publish_have_to_wait) {
  running_server server{2, without_rates};
  const auto room = room_on_first();
  auto members = some_members(server, room);
  const auto& cast = (*server).cast();
  starved_loop second{cast[1]};
  const auto publisher = one_that_answers(members);
  ASSERT_NE(publisher, members.end());
  flooder flood{*publisher};

  const auto& backlog = *cast[1].backlog;
  ASSERT_TRUE(holds_soon([&] {
    flood.flood(50ms);
    return backlog.value() > net::max_backlog_bytes;
  }));
  std::size_t sent = 0;
  for (int i = 0; i < 10; ++i)
    sent += flood.flood(100ms);
  EXPECT_LT(backlog.value(), net::max_backlog_bytes + (3U << 20U)) << "what may be unanswered";
  EXPECT_LT(sent, 32U << 20U) << "what the kernel's buffers take";

  second.release();
  EXPECT_TRUE(holds_soon([&] { return backlog.value() == 0; })) << backlog.value();
}

/// What another node publishes has no publisher here: it is not read of Redis any further.
TEST(backlog, of_what_other_nodes_publish_waits_in_redis) {
  if (!test::redis_process::is_installed())
    GTEST_SKIP() << "there is no redis-server here";
  const test::redis_process redis{test::free_port(),
                                  {"--client-output-buffer-limit", "pubsub 0 0 0"}};
  const auto clustered = [&](actors::server_options& options) {
    without_rates(options);
    const auto url = "redis://127.0.0.1:" + std::to_string(redis.port());
    options.cluster.shards = {std::get<cluster::redis_target>(cluster::parse_redis_url(url))};
    options.cluster.links.probe_timeout = 60s; // it comes the same way, behind all the others
  };
  running_server here{2, clustered};
  running_server there{1, clustered};
  const auto room = room_on_first();
  auto members = some_members(here, room);
  auto publisher = there.connect("/ws/" + room + "?echo=false");
  flooder flood{publisher};
  const auto& cast = (*here).cast();
  starved_loop second{cast[1]};

  const auto& backlog = *cast[1].backlog;
  std::size_t sent = 0;
  ASSERT_TRUE(holds_soon([&] {
    sent += flood.flood(50ms);
    return backlog.value() > net::max_backlog_bytes && sent > (48U << 20U);
  }))
    << sent << " bytes sent, backlog " << backlog.value();
  EXPECT_LT(backlog.value(), 2 * net::max_backlog_bytes + (2U << 20U))
    << "what one read brings, and what is on its way to the room's own loop, which has a limit "
       "of its own";
  second.release();
  EXPECT_TRUE(holds_soon([&] { return backlog.value() == 0; })) << backlog.value();
}

} // namespace
} // namespace canang::sim
