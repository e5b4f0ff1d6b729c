#include "cluster/redis/shard.hpp"
#include "tests/unit/support/shard_fixture.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace canang::cluster {
namespace {

using namespace std::chrono_literals;
using list = std::vector<std::string>;
using redis_shard_test = test::shard_fixture;

const redis_script one_script{"return ARGV[1]"};

TEST(redis_script, is_known_by_the_sha1_of_its_text) {
  EXPECT_EQ(redis_script{"return 1"}.sha(), "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
  EXPECT_EQ(redis_script{""}.sha(), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

TEST_F(redis_shard_test, comes_up_when_its_probe_is_back) {
  start();
  EXPECT_FALSE(shard->is_up());
  EXPECT_EQ(shard->reason(), "redis " + shard->identity() + ": connecting");
  ASSERT_TRUE(until([&] { return shard->is_up(); }));
  EXPECT_EQ(log.ups, 1);
  EXPECT_EQ(shard->reason(), "");
  EXPECT_EQ(metrics.up.value(), 1U);
  EXPECT_GT(metrics.last_probe_ns.load(), 0);
  EXPECT_EQ(server.subscribers("test:probe:node 1").size(), 1U);
  EXPECT_EQ(server.open_clients(), 2U);
  EXPECT_EQ(metrics.commands_link.reconnects.value(), 0U);
  EXPECT_GT(metrics.commands_link.sent_bytes.value(), 0U);
  EXPECT_GT(metrics.subscription_link.received_bytes.value(), 0U);
}

TEST_F(redis_shard_test, logs_in_and_names_itself) {
  auto at = target();
  at.user = "ann";
  at.password = "secret";
  at.database = 3;
  make(at);
  shard->start();
  ASSERT_TRUE(until([&] { return shard->is_up(); }));
  const auto& said = server.clients.front()->commands;
  EXPECT_EQ(said[0], (list{"AUTH", "ann", "secret"}));
  EXPECT_EQ(said[1], (list{"HELLO"}));
  EXPECT_EQ(said[2], (list{"SELECT", "3"}));
  EXPECT_EQ(said[3], (list{"CLIENT", "SETNAME", "canang-node_1-commands"}));
}

TEST_F(redis_shard_test, answers_commands_in_order_and_in_one_packet_a_turn) {
  come_up();
  for (int i = 0; i < 100; ++i)
    command({"ECHO", std::to_string(i)});
  EXPECT_TRUE(ends.empty()) << "never from inside the call";
  ASSERT_TRUE(until([&] { return ends.size() == 100; }));
  for (std::size_t i = 0; i < 100; ++i)
    EXPECT_EQ(ends[i], std::to_string(i));
  EXPECT_GE(metrics.commands.value(), 100U);
}

TEST_F(redis_shard_test, puts_replies_together_that_come_in_pieces) {
  server.piece = 1;
  come_up();
  shard->subscribe("c");
  command({"ECHO", std::string(300, 'x')});
  ASSERT_TRUE(until([&] { return !ends.empty() && log.subscribed == list{"c"}; }));
  EXPECT_EQ(ends[0], std::string(300, 'x'));
  server.publish("c", "hello\r\n");
  ASSERT_TRUE(until([&] { return log.messages.size() == 1; }));
  EXPECT_EQ(log.messages[0], (std::pair<std::string, std::string>{"c", "hello\r\n"}));
}

TEST_F(redis_shard_test, reads_no_messages_while_they_are_paused_and_all_of_them_afterwards) {
  options.probe_timeout = 60s; // it is a message, too
  come_up();
  shard->subscribe("c");
  ASSERT_TRUE(until([&] { return log.subscribed == list{"c"}; }));
  shard->pause_messages(true);
  constexpr std::size_t count = 2000;
  for (std::size_t i = 0; i < count; ++i)
    server.publish("c", std::to_string(i).append(1000, '.'));
  for (std::size_t i = 0; i < 100; ++i) {
    command({"ECHO", "commands go on"});
    ASSERT_TRUE(until([&] { return ends.size() == i + 1; }));
  }
  EXPECT_LE(log.messages.size(), 65U) << "but what the one read brought that was under way";
  shard->pause_messages(false);
  ASSERT_TRUE(until([&] { return log.messages.size() == count; })) << log.messages.size();
  for (std::size_t i = 0; i < count; ++i)
    EXPECT_EQ(log.messages[i].second, std::to_string(i).append(1000, '.'));
  EXPECT_EQ(log.downs, 0);
}

TEST_F(redis_shard_test, tells_a_command_that_finds_no_connection_later) {
  make(target());
  command({"ECHO", "1"});
  command({"ECHO", "2"});
  EXPECT_TRUE(ends.empty());
  test::settle(io, 1ms);
  EXPECT_EQ(ends, (list{"unsent", "unsent"}));
  EXPECT_FALSE(shard->can_command());
}

TEST_F(redis_shard_test, tells_apart_what_was_sent_and_what_was_not_when_a_link_goes) {
  come_up();
  server.is_silent = true;
  command({"ECHO", "1"});
  const auto before = server.count("ECHO");
  ASSERT_TRUE(until([&] { return server.count("ECHO") > before; }));
  server.drop_all();
  command({"ECHO", "2"}); // nobody has noticed yet: appended, but perhaps not written
  ASSERT_TRUE(until([&] { return ends.size() == 2; }));
  EXPECT_EQ(ends[0], "lost");
  EXPECT_EQ(log.downs, 1);
  EXPECT_FALSE(shard->can_command());
  command({"ECHO", "3"});
  server.is_silent = false;
  ASSERT_TRUE(until([&] { return shard->is_up(); }));
  EXPECT_EQ(ends.back(), "unsent");
  EXPECT_EQ(log.ups, 2);
  EXPECT_EQ(metrics.commands_link.reconnects.value(), 1U);
}

TEST_F(redis_shard_test, gives_up_a_link_that_does_not_answer_in_time) {
  options.probe_timeout = 60s;
  options.probe_interval = 60s;
  come_up();
  server.script = [](auto&, const auto& words) -> std::optional<std::string> {
    return words[0] == "GET" ? std::optional{std::string{}} : std::nullopt;
  };
  const auto begun = std::chrono::steady_clock::now();
  command({"GET", "x"});
  ASSERT_TRUE(until([&] { return !ends.empty(); }));
  EXPECT_EQ(ends, list{"lost"});
  EXPECT_GE(std::chrono::steady_clock::now() - begun, options.command_timeout);
  EXPECT_NE(log.last_why.find("no reply within 200 ms"), std::string::npos) << log.last_why;
  ASSERT_TRUE(until([&] { return shard->is_up(); }));
}

TEST_F(redis_shard_test, refuses_what_its_buffer_has_no_room_for_in_its_turn) {
  options.command_timeout = 60s;
  options.probe_timeout = 60s;
  come_up();
  const std::string big(48UL * 1024 * 1024, 'x');
  server.script = [](auto&, const auto& words) -> std::optional<std::string> {
    return words[0] == "SET" ? std::optional{"+" + std::to_string(words[2].size()) + "\r\n"}
                             : std::nullopt;
  };
  command({"SET", "a", big});
  command({"SET", "b", big}); // over 64 MiB with the first
  command({"SET", "c", "small"});
  test::settle(io, 0ms);
  ASSERT_TRUE(until([&] { return ends.size() == 3; }));
  EXPECT_EQ(ends, (list{std::to_string(big.size()), "unsent", "5"}));
}

TEST_F(redis_shard_test, runs_scripts_by_their_sha_and_by_their_text_where_they_are_unknown) {
  int evals = 0;
  bool is_known = true;
  server.script = [&](auto&, const auto& words) -> std::optional<std::string> {
    if (words[0] == "EVALSHA") {
      EXPECT_EQ(words[1], one_script.sha());
      return is_known ? test::bulk(words.back()) : "-NOSCRIPT No matching script.\r\n";
    }
    if (words[0] != "EVAL")
      return std::nullopt;
    ++evals;
    EXPECT_EQ(words, (list{"EVAL", "return ARGV[1]", "2", "k1", "k2", std::string{"a\0b", 3}}));
    return test::bulk(words.back());
  };
  const redis_script* const scripts[] = {&one_script};
  make(target());
  shard->preload(scripts);
  shard->start();
  ASSERT_TRUE(until([&] { return shard->is_up(); }));
  EXPECT_EQ(server.count("SCRIPT"), 1U);
  const std::string_view keys[] = {"k1", "k2"};
  const std::string_view arguments[] = {{"a\0b", 3}};
  shard->run(one_script, keys, arguments, note());
  ASSERT_TRUE(until([&] { return ends.size() == 1; }));
  EXPECT_EQ(evals, 0);
  is_known = false;
  shard->run(one_script, keys, arguments, note());
  ASSERT_TRUE(until([&] { return ends.size() == 2; }));
  EXPECT_EQ(evals, 1);
  EXPECT_EQ(ends[1], (std::string{"a\0b", 3}));
  server.drop_all();
  ASSERT_TRUE(until([&] { return log.ups == 2; }));
  EXPECT_EQ(server.count("SCRIPT"), 2U) << "loaded with each connection";
}

TEST_F(redis_shard_test, hands_errors_on) {
  server.script = [](auto&, const auto& words) -> std::optional<std::string> {
    return words[0] == "GET" ? std::optional{"-OOM no memory\r\n"} : std::nullopt;
  };
  come_up();
  command({"GET", "x"});
  ASSERT_TRUE(until([&] { return !ends.empty(); }));
  EXPECT_EQ(ends, list{"-OOM no memory"});
  EXPECT_TRUE(shard->is_up());
}

TEST_F(redis_shard_test, subscribes_again_to_all_that_is_wanted) {
  come_up();
  for (int i = 0; i < 1200; ++i)
    shard->subscribe("c" + std::to_string(i));
  shard->subscribe("gone");
  ASSERT_TRUE(until([&] { return log.subscribed.size() == 1201; }));
  shard->unsubscribe("gone");
  ASSERT_TRUE(until([&] { return server.subscribers("gone").empty(); }));
  const auto commands = server.count("SUBSCRIBE");
  EXPECT_EQ(commands, 1U + 3U) << "the probe's, and 500 channels a command";
  log.subscribed.clear();
  log.on_each_up = [&] { EXPECT_EQ(log.subscribed.size(), 1200U) << "all before it is up"; };
  test::fake_redis::drop(*server.subscribers()[0]);
  ASSERT_TRUE(until([&] { return log.ups == 2; }));
  EXPECT_EQ(server.subscribers("c1199").size(), 1U);
  EXPECT_TRUE(server.subscribers("gone").empty());
  EXPECT_EQ(metrics.subscription_link.reconnects.value(), 1U);
  EXPECT_EQ(metrics.commands_link.reconnects.value(), 0U) << "the other link was well";
}

TEST_F(redis_shard_test, is_not_up_before_every_channel_is_confirmed) {
  come_up();
  shard->subscribe("a");
  ASSERT_TRUE(until([&] { return log.subscribed.size() == 1; }));
  test::fake_redis::client* asks = nullptr;
  server.script = [&](auto& who, const auto& words) -> std::optional<std::string> {
    if (words != list{"SUBSCRIBE", "a"})
      return std::nullopt;
    asks = &who;
    return std::string{};
  };
  server.drop_all();
  metrics.last_probe_ns = 0;
  ASSERT_TRUE(until([&] { return asks != nullptr && metrics.last_probe_ns > 0; }));
  EXPECT_EQ(log.ups, 1) << "the probe is back, but 'a' is not confirmed";
  server.send(*asks, "*3\r\n" + test::bulk("subscribe") + test::bulk("a") + ":2\r\n");
  ASSERT_TRUE(until([&] { return log.ups == 2; }));
}

TEST_F(redis_shard_test, hands_messages_on_and_tells_the_end_of_a_read) {
  come_up();
  shard->subscribe("a");
  ASSERT_TRUE(until([&] { return log.subscribed.size() == 1; }));
  const auto ends_before = log.ends;
  const auto subscriber = server.subscribers("a")[0];
  server.send(*subscriber, test::array_of({"message", "a", "1"})
                             + test::array_of({"message", "other", "x"})
                             + test::array_of({"message", "a", "2"}));
  ASSERT_TRUE(until([&] { return log.messages.size() == 2; }));
  EXPECT_EQ(log.messages[1].second, "2");
  EXPECT_EQ(log.ends, ends_before + 1);
}

TEST_F(redis_shard_test, rebuilds_links_whose_probe_does_not_come_back) {
  come_up();
  shard->subscribe("a");
  ASSERT_TRUE(until([&] { return log.subscribed.size() == 1; }));
  bool is_wedged = true; // PUBLISH succeeds, and reaches nobody
  server.script = [&](auto&, const auto& words) -> std::optional<std::string> {
    return is_wedged && words[0] == "PUBLISH" ? std::optional{":0\r\n"} : std::nullopt;
  };
  ASSERT_TRUE(until([&] { return log.downs == 1; }));
  EXPECT_NE(log.last_why.find("no probe came back for 1 s"), std::string::npos) << log.last_why;
  const auto subscriptions = server.count("SUBSCRIBE");
  ASSERT_TRUE(until([&] { return server.count("SUBSCRIBE") > subscriptions + 2; }));
  EXPECT_EQ(log.ups, 1) << "connected, and subscribed to both channels, is not up";
  is_wedged = false;
  ASSERT_TRUE(until([&] { return log.ups == 2; }));
  EXPECT_EQ(server.subscribers("a").size(), 1U);
}

TEST_F(redis_shard_test, takes_no_other_nodes_probe_for_its_own) {
  server.script = [&](auto& who, const auto& words) -> std::optional<std::string> {
    if (words[0] != "PUBLISH")
      return std::nullopt;
    static_cast<void>(who);
    server.publish(words[1], "0123456789abcdef:1");
    server.publish(words[1], "");
    return ":1\r\n";
  };
  start();
  const auto subscriptions = [&] { return server.count("SUBSCRIBE"); };
  ASSERT_TRUE(until([&] { return subscriptions() >= 2; })) << "it is rebuilt";
  EXPECT_EQ(log.ups, 0);
  EXPECT_EQ(metrics.last_probe_ns.load(), 0);
}

TEST_F(redis_shard_test, says_why_a_probe_is_refused) {
  server.script = [](auto&, const auto& words) -> std::optional<std::string> {
    return words[0] == "PUBLISH" ? std::optional{"-NOPERM no channel\r\n"} : std::nullopt;
  };
  start();
  ASSERT_TRUE(until([&] { return shard->reason().find("NOPERM") != std::string::npos; }))
    << shard->reason();
}

/// Stored as a room stores: refused where it is.
TEST_F(redis_shard_test, is_up_and_tells_why_when_it_could_publish_nothing) {
  std::string refusal = "-OOM command not allowed\r\n";
  server.script = [&](auto&, const auto& words) -> std::optional<std::string> {
    if (words[0] != "STORE")
      return std::nullopt;
    if (!refusal.empty())
      return refusal;
    server.publish(words[1], "header " + words[2]);
    return "+OK\r\n";
  };
  make(target());
  shard->probe_by([&](std::string_view channel, std::string_view payload, auto handler) {
    shard->command(std::array<std::string_view, 3>{"STORE", channel, payload}, std::move(handler));
  });
  shard->start();
  const auto where = "redis " + shard->identity();
  ASSERT_TRUE(until([&] { return shard->is_up(); })) << "what others publish is delivered";
  EXPECT_EQ(metrics.why_refused.get(), where + ": publishing is refused: OOM command not allowed");
  EXPECT_EQ(metrics.publishing.value(), 0U);
  refusal.clear();
  ASSERT_TRUE(until([&] { return metrics.publishing.value() == 1; }));
  EXPECT_EQ(metrics.why_refused.get(), "");
  const auto bare = server.count("PUBLISH");
  const auto stored = server.count("STORE");
  ASSERT_TRUE(until([&] { return server.count("STORE") >= stored + 3; }));
  EXPECT_EQ(server.count("PUBLISH"), bare) << "those that were stored prove delivery too";
  refusal = "-NOPERM no\r\n";
  ASSERT_TRUE(until([&] { return metrics.publishing.value() == 0; }));
  server.drop_all();
  ASSERT_TRUE(until([&] { return log.downs == 1; }));
  EXPECT_EQ(metrics.publishing.value(), 0U);
}

TEST_F(redis_shard_test, tells_other_threads_why_it_is_down) {
  std::string answer = "-WRONGPASS invalid\r\n";
  server.script = [&](auto&, const auto& words) -> std::optional<std::string> {
    return words[0] == "AUTH" ? std::optional{answer} : std::nullopt;
  };
  auto at = target();
  at.password = "secret";
  make(at);
  EXPECT_EQ(metrics.why_down.get(), "");
  shard->start();
  const auto tells = [&](std::string_view why) {
    return until([&] { return metrics.why_down.get().find(why) != std::string::npos; });
  };
  EXPECT_TRUE(tells("the user or password is refused (WRONGPASS)"));
  answer = "-LOADING the dataset\r\n";
  EXPECT_TRUE(tells("LOADING"));
  answer = "+OK\r\n";
  ASSERT_TRUE(until([&] { return shard->is_up(); }));
  EXPECT_EQ(metrics.why_down.get(), "");
}

TEST_F(redis_shard_test, stays_down_at_a_replica_and_while_data_is_loaded) {
  std::string role = "slave";
  std::string ping = "-LOADING Redis is loading the dataset in memory\r\n";
  server.script = [&](auto&, const auto& words) -> std::optional<std::string> {
    if (words[0] == "ROLE")
      return "*1\r\n" + test::bulk(role);
    return words[0] == "PING" ? std::optional{ping} : std::nullopt;
  };
  start();
  const auto says = [&](std::string_view text) {
    return until([&] { return shard->reason().find(text) != std::string::npos; });
  };
  EXPECT_TRUE(says("not reachable: it is a replica")) << shard->reason();
  role = "master";
  EXPECT_TRUE(says("not reachable: LOADING")) << shard->reason();
  ping = "+PONG\r\n";
  ASSERT_TRUE(until([&] { return shard->is_up(); }));
  EXPECT_EQ(log.ups, 1);
  EXPECT_EQ(log.downs, 0) << "it was never up";
}

TEST_F(redis_shard_test, looks_for_the_master_again_when_it_is_told_so) {
  come_up();
  log.on_each_message = [&](const std::string&) { shard->suspect_master(); };
  shard->subscribe("a");
  ASSERT_TRUE(until([&] { return log.subscribed.size() == 1; }));
  server.publish("a", "x");
  ASSERT_TRUE(until([&] { return log.downs == 1; }));
  ASSERT_TRUE(until([&] { return log.ups == 2; }));
  EXPECT_EQ(metrics.commands_link.reconnects.value(), 1U);
  EXPECT_EQ(metrics.subscription_link.reconnects.value(), 1U);
  shard->suspect_master();
  EXPECT_FALSE(shard->can_command());
  EXPECT_EQ(log.downs, 1) << "nobody is called from inside";
  ASSERT_TRUE(until([&] { return log.ups == 3; }));
}

} // namespace
} // namespace canang::cluster
