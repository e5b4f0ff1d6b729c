// What is asked of whole nodes from outside of a room: by messages with a handler in them.

#include "tests/support/running_server.hpp"
#include "tests/unit/support/fake_redis.hpp"
#include "tests/unit/support/redis_process.hpp"

#include <atomic>
#include <future>
#include <memory>
#include <string>

namespace canang::actors {
namespace {

using namespace std::chrono_literals;
using sim::holds_soon;
using sim::running_server;
using sim::server_change;

const caf::actor& who_knows(server& node, std::string_view room) {
  return node.bridges().is_clustered() ? node.bridges().of(room)
                                       : node.cast()[home_of(room, node.cast().size())].directory;
}

template <class Answer>
Answer wait_for(std::future<Answer> answer) {
  EXPECT_EQ(answer.wait_for(sim::patience), std::future_status::ready);
  return answer.get();
}

cluster::publish_outcome publish(const caf::actor& to, const std::string& room,
                                 const std::string& text, std::string key = {},
                                 bool skip_history = false) {
  auto message = std::make_shared<cluster::publication>();
  message->data = text;
  auto promise = std::make_shared<std::promise<cluster::publish_outcome>>();
  caf::anon_send(to, publish_to_room{room, std::move(message), std::move(key), skip_history,
                                     [promise](cluster::publish_outcome&& outcome) {
                                       promise->set_value(outcome); // twice would throw
                                     }});
  return wait_for(promise->get_future());
}

cluster::history_answer history(const caf::actor& of, const std::string& room) {
  auto promise = std::make_shared<std::promise<cluster::history_answer>>();
  caf::anon_send(of, history_query{room, {}, [promise](cluster::history_answer&& answer) {
                                     promise->set_value(std::move(answer));
                                   }});
  return wait_for(promise->get_future());
}

/// Bytes that a client has got and not read.
bool gets(sim::tcp::socket& client, std::size_t bytes) {
  return holds_soon([&] { return client.available() >= bytes; });
}

TEST(outside_messages, are_answered_by_a_node_that_runs_alone) {
  running_server node;
  auto client = node.connect("/ws/kitchen");
  const auto& knows = who_knows(*node, "kitchen");
  EXPECT_EQ(publish(knows, "kitchen", "one", "key").at.offset, 1U);
  EXPECT_TRUE(publish(knows, "kitchen", "one", "key").duplicate);
  EXPECT_EQ(publish(knows, "kitchen", "now", {}, true).at.offset, 0U);
  EXPECT_TRUE(gets(client, 10));
  const auto& hall = who_knows(*node, "hall");
  EXPECT_EQ(publish(hall, "hall", "two").at.offset, 1U);
  EXPECT_EQ(history(hall, "hall").publications.size(), 1U);
  EXPECT_EQ(history(knows, "kitchen").top.offset, 1U);
}

TEST(outside_messages, wait_outside_while_a_loop_is_far_behind) {
  running_server node{2};
  auto& backlog = *(*node).cast()[1].backlog;
  backlog.add(net::max_backlog_bytes + 1);
  const auto& knows = who_knows(*node, "kitchen");
  EXPECT_EQ(publish(knows, "kitchen", "one").error, cluster::broker_errc::unavailable);
  backlog.subtract(net::max_backlog_bytes + 1);
  EXPECT_EQ(publish(knows, "kitchen", "one").error, cluster::broker_errc::none);
}

TEST(outside_messages, have_no_place_for_more_rooms_than_may_be_known) {
  running_server node{1, [](server_options& options) { options.max_rooms = 3; }};
  auto one = node.connect("/ws/one");
  auto two = node.connect("/ws/two");
  const auto& knows = who_knows(*node, "x");
  for (const char* room : {"three", "four", "five"}) // each in the place of the one before
    EXPECT_EQ(publish(knows, room, "x").error, cluster::broker_errc::none);
  EXPECT_EQ(history(knows, "three").top.epoch, "");
  EXPECT_EQ(history(knows, "five").top.offset, 1U);
  auto three = node.connect("/ws/six");
  EXPECT_EQ(publish(knows, "seven", "x").error, cluster::broker_errc::unavailable);
  EXPECT_EQ(publish(knows, "one", "x").error, cluster::broker_errc::none);
}

TEST(outside_messages, to_a_node_that_has_ended_are_answered) {
  running_server node{1};
  const auto knows = who_knows(*node, "kitchen");
  (*node).shut_down(false);
  EXPECT_EQ(node.await_end(), true);
  EXPECT_EQ(publish(knows, "kitchen", "x").error, cluster::broker_errc::unavailable);
  EXPECT_EQ(history(knows, "kitchen").error, cluster::broker_errc::unavailable);
}

struct outside_messages_in_a_cluster : testing::Test {
  std::unique_ptr<test::redis_process> redis;

  void SetUp() override {
    if (!test::redis_process::is_installed())
      GTEST_SKIP() << "redis-server is not installed";
    redis = std::make_unique<test::redis_process>(test::free_port());
  }

  server_change linked(std::chrono::milliseconds timeout = 5s) {
    return [this, timeout](server_options& options) {
      cluster::redis_target target;
      target.hosts = {{"127.0.0.1", redis->port()}};
      options.cluster.shards = {target};
      options.cluster.links = test::patient_options();
      options.cluster.links.command_timeout = timeout;
      options.cluster.rooms.publish_timeout = timeout;
    };
  }
};

TEST_F(outside_messages_in_a_cluster, reach_members_on_another_node) {
  running_server a{1, linked()};
  running_server b{2, linked()};
  auto client = b.connect("/ws/kitchen");
  EXPECT_EQ(publish(who_knows(*a, "kitchen"), "kitchen", "one", "key").at.offset, 1U);
  EXPECT_TRUE(publish(who_knows(*b, "kitchen"), "kitchen", "one", "key").duplicate);
  EXPECT_EQ(publish(who_knows(*a, "kitchen"), "kitchen", "now", {}, true).at.offset, 0U);
  EXPECT_TRUE(gets(client, 10));
  EXPECT_EQ(history(who_knows(*b, "kitchen"), "kitchen").publications.size(), 1U);
}

TEST_F(outside_messages_in_a_cluster, are_answered_while_redis_is_away_and_when_the_node_ends) {
  running_server a{1, linked(500ms)};
  redis->signal(SIGSTOP);
  EXPECT_EQ(publish(who_knows(*a, "kitchen"), "kitchen", "x").error,
            cluster::broker_errc::unavailable);
  std::atomic<int> answers{0};
  for (int i = 0; i < 10; ++i) {
    auto message = std::make_shared<cluster::publication>();
    caf::anon_send(
      who_knows(*a, "kitchen"),
      publish_to_room{
        "kitchen", std::move(message), {}, i % 2 == 0, [&](cluster::publish_outcome&& outcome) {
          EXPECT_EQ(outcome.error, cluster::broker_errc::unavailable);
          ++answers;
        }});
  }
  (*a).shut_down(false);
  EXPECT_EQ(a.await_end(), true);
  EXPECT_TRUE(holds_soon([&] { return answers == 10; }));
  redis->signal(SIGCONT);
}

} // namespace
} // namespace canang::actors
