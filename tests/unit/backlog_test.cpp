// A loop that gets no CPU, in a whole node: what is on its way to it stays small.

#include "tests/support/running_server.hpp"

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

  const auto& backlog = *cast[1].backlog;
  ASSERT_TRUE(holds_soon([&] {
    flood(*publisher, 50ms);
    return backlog.value() > net::max_backlog_bytes;
  }));
  std::size_t sent = 0;
  for (int i = 0; i < 10; ++i)
    sent += flood(*publisher, 100ms);
  EXPECT_LT(backlog.value(), net::max_backlog_bytes + (3U << 20U)) << "what may be unanswered";
  EXPECT_LT(sent, 32U << 20U) << "what the kernel's buffers take";

  second.release();
  EXPECT_TRUE(holds_soon([&] { return backlog.value() == 0; })) << backlog.value();
}

} // namespace
} // namespace canang::sim
