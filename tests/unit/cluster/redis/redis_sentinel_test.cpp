#include "tests/unit/support/shard_fixture.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace canang::cluster {
namespace {

using namespace std::chrono_literals;

/// Two Redis servers and three Sentinels, each of which says what it believes.
struct redis_sentinel : test::shard_fixture {
  struct belief {
    const test::fake_redis* master = nullptr;
    int epoch = 0;
    bool is_silent = false;
  };

  test::fake_redis second{io};
  test::fake_redis sentinels[3]{test::fake_redis{io}, test::fake_redis{io}, test::fake_redis{io}};
  belief beliefs[3];

  redis_sentinel() {
    for (std::size_t i = 0; i < 3; ++i) {
      beliefs[i].master = &server;
      sentinels[i].script = [this, i](auto&, const auto& words) -> std::optional<std::string> {
        EXPECT_EQ(words, (test::fake_redis::words{"SENTINEL", "MASTER", "main"}));
        const auto& known = beliefs[i];
        if (known.is_silent)
          return std::string{};
        if (known.master == nullptr)
          return "-ERR No such master with that name\r\n";
        return test::array_of({"name", "main", "ip", known.master->address().host, "port",
                               std::to_string(known.master->address().port), "config-epoch",
                               std::to_string(known.epoch)});
      };
    }
  }

  ~redis_sentinel() override {
    shard->stop();
    for (auto& each : sentinels)
      each.leave();
    second.leave();
    test::settle(io, 20ms);
  }

  void begin() {
    redis_target at;
    at.master_name = "main";
    for (const auto& each : sentinels)
      at.hosts.push_back(each.address());
    make(at);
    shard->start();
  }

  void believe(std::size_t which, const test::fake_redis& master, int epoch) {
    beliefs[which] = {&master, epoch, false};
  }
};

TEST_F(redis_sentinel, leads_to_the_master) {
  begin();
  EXPECT_EQ(shard->reason(), "redis main/0: connecting");
  ASSERT_TRUE(until([&] { return shard->is_up(); }));
  EXPECT_EQ(shard->identity(), "main/0");
  EXPECT_EQ(server.open_clients(), 2U);
  EXPECT_EQ(second.open_clients(), 0U);
}

TEST_F(redis_sentinel, need_not_be_there_nor_know_as_long_as_one_does) {
  sentinels[0].leave();
  beliefs[1].master = nullptr;
  begin();
  ASSERT_TRUE(until([&] { return shard->is_up(); }));
}

TEST_F(redis_sentinel, that_says_nothing_keeps_nobody_waiting) {
  beliefs[0].is_silent = true;
  options.command_timeout = 60s;
  begin();
  ASSERT_TRUE(until([&] { return shard->is_up(); }));
}

TEST_F(redis_sentinel, says_why_there_is_no_master) {
  for (auto& each : beliefs)
    each.master = nullptr;
  begin();
  ASSERT_TRUE(until([&] { return shard->reason().find("No such master") != std::string::npos; }))
    << shard->reason();
  for (auto& each : sentinels)
    each.leave();
  ASSERT_TRUE(
    until([&] { return shard->reason().find("Sentinel 127.0.0.1") != std::string::npos; }))
    << shard->reason();
  EXPECT_EQ(log.ups, 0);
}

TEST_F(redis_sentinel, is_followed_to_another_master_while_the_old_one_seems_well) {
  begin();
  ASSERT_TRUE(until([&] { return shard->is_up(); }));
  shard->subscribe("a");
  ASSERT_TRUE(until([&] { return log.subscribed.size() == 1; }));
  believe(0, second, 1);
  believe(1, second, 1);
  ASSERT_TRUE(until([&] { return log.ups == 2; })) << "although the last still believes otherwise";
  EXPECT_NE(log.last_why.find("the master is 127.0.0.1:" + std::to_string(second.address().port)),
            std::string::npos)
    << log.last_why;
  EXPECT_EQ(second.subscribers("a").size(), 1U);
  EXPECT_TRUE(until([&] { return server.open_clients() == 0; }));
}

TEST_F(redis_sentinel, that_missed_a_failover_leads_nobody_back) {
  for (std::size_t i = 0; i < 3; ++i)
    believe(i, second, 4);
  begin();
  ASSERT_TRUE(until([&] { return shard->is_up(); }));
  for (std::size_t i = 0; i < 3; ++i)
    believe(i, server, 3); // all that can be asked are old
  const auto asked = [&] { return sentinels[2].count("SENTINEL"); };
  const auto before = asked();
  ASSERT_TRUE(until([&] { return asked() >= before + 2; }));
  EXPECT_TRUE(shard->is_up());
  EXPECT_EQ(log.downs, 0);
}

TEST_F(redis_sentinel, is_asked_again_when_the_master_is_none_any_more) {
  server.script = [](auto&, const auto& words) -> std::optional<std::string> {
    return words[0] == "ROLE" ? std::optional{"*1\r\n" + test::bulk("slave")} : std::nullopt;
  };
  begin();
  ASSERT_TRUE(until([&] { return shard->reason().find("it is a replica") != std::string::npos; }))
    << shard->reason();
  for (std::size_t i = 0; i < 3; ++i)
    believe(i, second, 1);
  ASSERT_TRUE(until([&] { return shard->is_up(); }));
  EXPECT_EQ(second.open_clients(), 2U);
}

} // namespace
} // namespace canang::cluster
