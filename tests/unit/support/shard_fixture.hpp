#pragma once

#include "cluster/redis/shard.hpp"
#include "cluster/rooms/broker_metrics.hpp"
#include "tests/unit/support/fake_redis.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace canang::test {

/// Notes what a shard says, and checks that it says up and down in turn.
struct shard_log final : cluster::redis_observer {
  int ups = 0;
  int downs = 0;
  std::string last_why;
  std::vector<std::string> subscribed;
  std::vector<std::pair<std::string, std::string>> messages;
  int ends = 0;
  std::function<void(const std::string&)> on_each_message;
  std::function<void()> on_each_up;

  void on_up() override {
    ++ups;
    EXPECT_EQ(ups, downs + 1);
    if (on_each_up)
      on_each_up();
  }
  void on_down(std::string_view why) override {
    ++downs;
    EXPECT_EQ(ups, downs);
    last_why = why;
  }
  void on_subscribed(std::string_view channel) override { subscribed.emplace_back(channel); }
  void on_message(std::string_view channel, std::string_view payload) override {
    messages.emplace_back(channel, payload);
    if (on_each_message)
      on_each_message(messages.back().second);
  }
  void on_messages_end() override { ++ends; }
};

/// A shard and the fake server that it is linked to.
struct shard_fixture : testing::Test {
  boost::asio::io_context io{1};
  fake_redis server{io};
  cluster::broker_metrics metrics;
  shard_log log;
  cluster::redis_options options = quick_options();
  std::unique_ptr<cluster::redis_shard> shard;

  ~shard_fixture() override {
    if (shard != nullptr)
      shard->stop();
    shard.reset();
    server.leave();
    settle(io, std::chrono::milliseconds{20});
  }

  cluster::redis_target target() const {
    cluster::redis_target result;
    result.hosts = {server.address()};
    return result;
  }

  void make(const cluster::redis_target& at) {
    shard = std::make_unique<cluster::redis_shard>(io, at, options, "node 1", metrics, log);
  }

  void start() {
    make(target());
    shard->start();
  }

  void come_up() {
    start();
    ASSERT_TRUE(until([&] { return shard->is_up(); })) << shard->reason();
  }

  template <class Condition>
  [[nodiscard]] bool until(Condition condition) {
    return run_until(io, condition);
  }

  void command(std::initializer_list<std::string_view> words) {
    shard->command(std::vector<std::string_view>{words}, note());
  }

  /// Notes how a command ended: the text of its reply, `-` and an error, or `lost`, `unsent`.
  cluster::redis_shard::reply_handler note() {
    return [this](cluster::redis_errc error, const cluster::redis_reply& reply) {
      if (error == cluster::redis_errc::none)
        ends.push_back((reply.is_error() ? "-" : "") + std::string{reply.text()});
      else
        ends.emplace_back(error == cluster::redis_errc::lost ? "lost" : "unsent");
    };
  }

  std::vector<std::string> ends;
};

} // namespace canang::test
