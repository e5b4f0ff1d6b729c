// Servers that do what they should not, and shards that end in the middle of something.

#include "cluster/redis/shard.hpp"
#include "tests/unit/support/shard_fixture.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace canang::cluster {
namespace {

using namespace std::chrono_literals;
using list = std::vector<std::string>;
using redis_bad_server = test::shard_fixture;

TEST_F(redis_bad_server, that_speaks_another_protocol_is_not_up) {
  const struct {
    const char* greeting;
    const char* says;
  } table[] = {
    {"HTTP/1.1 400 Bad Request\r\n\r\n", "not Redis' protocol"},
    {"\x15\x03\x01\x02\x02\r\n", "not Redis' protocol"},
    {"*99999999\r\n", "not Redis' protocol"},
    {"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", "not Redis' protocol"},
    {"-ERR max number of clients reached\r\n", "max number of clients"},
    {"-DENIED Redis is running in protected mode\r\n", "DENIED"},
  };
  for (const auto& row : table) {
    server.greeting = row.greeting;
    auto at = target();
    at.password = "secret";
    make(at);
    shard->start();
    EXPECT_TRUE(until([&] { return shard->reason().find(row.says) != std::string::npos; }))
      << row.greeting << shard->reason();
    EXPECT_EQ(log.ups, 0);
    shard->stop();
  }
}

TEST_F(redis_bad_server, is_known_by_what_it_refuses) {
  const struct {
    const char* verb;
    const char* answer;
    const char* says;
  } table[] = {
    {"AUTH", "-WRONGPASS invalid username-password pair or user is disabled.\r\n", "(WRONGPASS)"},
    {"AUTH", "-ERR unknown command 'AUTH', with args beginning with: 'secret'\r\n", "(ERR)"},
    {"SELECT", "-ERR DB index is out of range\r\n", "database 5 can't be used"},
    {"ROLE", "-NOAUTH Authentication required.\r\n", "a password is needed"},
    {"PING", "-MASTERDOWN Link with MASTER is down\r\n", "MASTERDOWN"},
  };
  for (const auto& row : table) {
    server.script = [&](auto&, const auto& words) {
      return words[0] == row.verb ? std::optional<std::string>{row.answer} : std::nullopt;
    };
    auto at = target();
    at.password = "secret";
    at.database = 5;
    make(at);
    shard->start();
    EXPECT_TRUE(until([&] { return shard->reason().find(row.says) != std::string::npos; }))
      << row.answer << shard->reason();
    EXPECT_EQ(shard->reason().find("secret"), std::string::npos);
    EXPECT_EQ(log.ups, 0);
    shard->stop();
  }
}

TEST_F(redis_bad_server, is_known_by_what_it_says_that_it_is) {
  const struct {
    list hello;
    const char* says;
  } table[] = {
    {{"server", "redis", "mode", "cluster", "role", "master"},
     "cluster mode, which is not supported"},
    {{"server", "redis", "mode", "sentinel", "role", "sentinel"}, "name it as sentinel://"},
    {{"server", "redis", "mode", "standalone", "role", "replica"}, "it is a replica"},
  };
  for (const auto& row : table) {
    server.script = [&](auto&, const auto& words) {
      return words[0] == "HELLO"
               ? std::optional{test::array_of({row.hello.begin(), row.hello.end()})}
               : std::nullopt;
    };
    auto at = target();
    at.database = 3; // which no cluster has
    make(at);
    shard->start();
    EXPECT_TRUE(until([&] { return shard->reason().find(row.says) != std::string::npos; }))
      << row.says << shard->reason();
    EXPECT_EQ(log.ups, 0);
    shard->stop();
  }
}

TEST_F(redis_bad_server, that_refuses_only_a_name_and_its_role_will_do) {
  server.script = [](auto&, const auto& words) -> std::optional<std::string> {
    return words[0] == "CLIENT" || words[0] == "ROLE" || words[0] == "SCRIPT" || words[0] == "PING"
             ? std::optional{"-NOPERM this user has no permissions\r\n"}
             : std::nullopt;
  };
  come_up();
}

TEST_F(redis_bad_server, that_says_nothing_is_left_after_the_connect_timeout) {
  server.is_silent = true;
  options.connect_timeout = 50ms;
  start();
  ASSERT_TRUE(until([&] { return server.clients.size() >= 6; })) << "it tries again and again";
  EXPECT_NE(shard->reason().find("no connection within 50 ms"), std::string::npos)
    << shard->reason();
  EXPECT_LE(server.open_clients(), 4U);
  server.is_silent = false;
  EXPECT_TRUE(until([&] { return shard->is_up(); }));
}

TEST_F(redis_bad_server, that_ends_a_reply_in_the_middle_loses_it) {
  server.script = [&](auto& who, const auto& words) -> std::optional<std::string> {
    if (words[0] != "GET")
      return std::nullopt;
    server.send(who, "$10\r\nhalf");
    test::fake_redis::drop(who);
    return std::string{};
  };
  come_up();
  command({"GET", "x"});
  command({"GET", "y"});
  ASSERT_TRUE(until([&] { return ends.size() == 2; }));
  EXPECT_EQ(ends, (list{"lost", "lost"}));
  ASSERT_TRUE(until([&] { return shard->is_up() && log.ups == 2; }));
}

TEST_F(redis_bad_server, that_sends_garbage_later_is_left) {
  come_up();
  for (const auto& each : server.clients)
    server.send(*each, "garbage\r\n");
  ASSERT_TRUE(until([&] { return log.downs == 1; }));
  EXPECT_NE(log.last_why.find("not Redis' protocol"), std::string::npos) << log.last_why;
  ASSERT_TRUE(until([&] { return log.ups == 2; }));
}

TEST_F(redis_bad_server, that_answers_what_nobody_asked_is_left) {
  come_up();
  for (const auto& each : server.clients)
    server.send(*each, "+OK\r\n");
  ASSERT_TRUE(until([&] { return log.downs == 1; }));
  EXPECT_NE(log.last_why.find("nobody asked for"), std::string::npos) << log.last_why;
  ASSERT_TRUE(until([&] { return log.ups == 2; }));
}

TEST_F(redis_bad_server, that_refuses_a_channel_is_never_up) {
  server.script = [](auto&, const auto& words) -> std::optional<std::string> {
    return words[0] == "SUBSCRIBE" && words[1] == "a"
             ? std::optional{"-NOPERM no permissions for the channel\r\n"}
             : std::nullopt;
  };
  make(target());
  shard->subscribe("a");
  shard->start();
  ASSERT_TRUE(until([&] { return shard->reason().find("NOPERM") != std::string::npos; }));
  EXPECT_EQ(log.ups, 0);
}

TEST_F(redis_bad_server, that_is_not_there_is_tried_with_growing_pauses) {
  server.leave();
  options.least_backoff = 20ms;
  options.most_backoff = 100ms;
  start();
  ASSERT_TRUE(until([&] { return shard->reason().find("not reachable") != std::string::npos; }));
  EXPECT_NE(shard->reason().find("refused"), std::string::npos) << shard->reason();
  test::settle(io, 0ms);
  EXPECT_EQ(log.ups + log.downs, 0);
}

TEST_F(redis_bad_server, whose_name_is_unknown_is_tried_again) {
  auto at = target();
  at.hosts[0].host = "no-such-host.invalid";
  make(at);
  shard->start();
  options.connect_timeout = 100ms;
  EXPECT_TRUE(until([&] { return shard->reason().find("not reachable") != std::string::npos; }));
}

// --- ends ---------------------------------------------------------------------------------------

TEST_F(redis_bad_server, is_left_with_all_commands_told_when_a_shard_stops) {
  come_up();
  server.is_silent = true;
  command({"ECHO", "1"});
  const auto before = server.count("ECHO");
  ASSERT_TRUE(until([&] { return server.count("ECHO") > before; }));
  command({"ECHO", "2"});
  shard->stop();
  ASSERT_FALSE(ends.empty());
  EXPECT_EQ(ends.front(), "lost") << "the first was sent";
  EXPECT_EQ(ends.back(), "unsent") << "the last was not";
  const auto told = ends.size();
  command({"ECHO", "3"});
  shard->subscribe("a");
  shard->suspect_master();
  shard->stop();
  test::settle(io, 20ms);
  EXPECT_EQ(ends.size(), told) << "nothing after stop";
  EXPECT_EQ(log.downs, 0);
}

TEST_F(redis_bad_server, is_left_by_a_handler) {
  come_up();
  for (int i = 0; i < 3; ++i)
    shard->command(std::vector<std::string_view>{"ECHO", "x"},
                   [this, i](redis_errc error, const redis_reply&) {
                     ends.push_back(error == redis_errc::none ? "ok" : "ended");
                     if (i == 0)
                       shard->stop();
                     else
                       command({"ECHO", "too late"});
                   });
  ASSERT_TRUE(until([&] { return ends.size() == 3; }));
  EXPECT_EQ(ends, (list{"ok", "ended", "ended"}));
}

TEST_F(redis_bad_server, is_left_by_each_kind_of_callback) {
  for (const int kind : {0, 1, 2}) {
    log = {};
    start();
    shard->subscribe("a");
    if (kind == 0)
      log.on_each_up = [&] { shard.reset(); };
    if (kind == 1)
      log.on_each_message = [&](const std::string&) { shard.reset(); };
    ASSERT_TRUE(until([&] { return shard == nullptr || shard->is_up(); }));
    if (kind == 2) // the handler of a command, when the link goes
      shard->command(std::vector<std::string_view>{"GET", "x"},
                     [&](redis_errc, const redis_reply&) { shard.reset(); });
    if (kind == 2)
      server.drop_all();
    server.publish("a", "x");
    ASSERT_TRUE(until([&] { return shard == nullptr; }));
    test::settle(io, 10ms);
  }
}

/// At every step of its life.
TEST_F(redis_bad_server, is_left_without_a_trace_whenever_a_shard_is_destroyed) {
  for (int steps = 0; steps < 60; ++steps) {
    log = {};
    start();
    shard->subscribe("a");
    for (int i = 0; i < steps; ++i) {
      io.restart();
      io.run_one_for(1ms);
      if (shard->can_command())
        command({"ECHO", "x"});
    }
    ends.clear();
    if (steps % 2 == 0)
      shard->stop();
    const auto told = ends.size();
    shard.reset();
    test::settle(io, 1ms);
    EXPECT_EQ(ends.size(), told);
  }
  EXPECT_TRUE(until([&] { return server.open_clients() == 0; }));
}

TEST_F(redis_bad_server, is_left_when_the_loop_goes_first) {
  for (int steps = 0; steps < 40; steps += 3) {
    redis_metrics counters;
    test::shard_log other;
    auto loop = std::make_unique<boost::asio::io_context>(1);
    auto peer = std::make_unique<test::fake_redis>(*loop);
    redis_target at;
    at.hosts = {peer->address()};
    auto one = std::make_unique<redis_shard>(*loop, at, options, "n", counters, other);
    one->start();
    for (int i = 0; i < steps; ++i)
      loop->run_one_for(1ms);
    one.reset();
    peer.reset();
    loop.reset(); // with what was cancelled still in it
  }
}

} // namespace
} // namespace canang::cluster
