// The links against a real redis-server: what the fake one only claims.

#include "tests/unit/support/redis_process.hpp"
#include "tests/unit/support/shard_fixture.hpp"
#include "tests/unit/support/test_authority.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

namespace canang::cluster {
namespace {

using namespace std::chrono_literals;
using list = std::vector<std::string>;
using test::free_port;
using test::redis_process;

struct redis_server : test::shard_fixture {
  void SetUp() override {
    if (!redis_process::is_installed())
      GTEST_SKIP() << "redis-server is not installed";
    server.leave();
    options = test::patient_options();
  }

  redis_target at(std::uint16_t port) const {
    redis_target result;
    result.hosts = {{"127.0.0.1", port}};
    return result;
  }

  void connect(const redis_target& to) {
    make(to);
    shard->start();
    ASSERT_TRUE(until([&] { return shard->is_up(); })) << shard->reason();
  }

  /// Asks until there is an answer other than that nothing listens yet.
  std::string mistake(const redis_target& to) {
    std::string line;
    const auto deadline = std::chrono::steady_clock::now() + 5s;
    while (line.empty() && std::chrono::steady_clock::now() < deadline)
      line = check_redis(to, options);
    return line;
  }
};

TEST_F(redis_server, serves_commands_scripts_and_channels) {
  const redis_script script{"return {KEYS[1], ARGV[1], redis.call('incr', KEYS[1])}"};
  const redis_script* const scripts[] = {&script};
  const redis_process process{free_port()};
  make(at(process.port()));
  shard->preload(scripts);
  shard->start();
  ASSERT_TRUE(until([&] { return shard->is_up(); })) << shard->reason();
  const std::string big(3UL * 1024 * 1024, 'x');
  command({"SET", "big", big});
  command({"GET", "big"});
  command({"SCRIPT", "EXISTS", script.sha()});
  std::vector<std::int64_t> numbers;
  const std::string_view keys[] = {"n"};
  const std::string_view arguments[] = {big};
  const auto run = [&] {
    shard->run(script, keys, arguments, [&](redis_errc, const redis_reply& reply) {
      EXPECT_EQ(reply[1].text().size(), big.size());
      numbers.push_back(reply[2].integer());
    });
  };
  run();
  command({"SCRIPT", "FLUSH"});
  run();
  shard->subscribe("c");
  ASSERT_TRUE(until([&] { return numbers.size() == 2 && log.subscribed.size() == 1; }));
  EXPECT_EQ(numbers, (std::vector<std::int64_t>{1, 2})) << "the second after NOSCRIPT";
  EXPECT_EQ(ends[1], big);
  for (int i = 0; i < 1000; ++i)
    command({"PUBLISH", "c", std::to_string(i)});
  ASSERT_TRUE(until([&] { return log.messages.size() == 1000; }));
  for (std::size_t i = 0; i < 1000; ++i)
    EXPECT_EQ(log.messages[i].second, std::to_string(i));
  shard->unsubscribe("c");
  shard->subscribe("c");
  ASSERT_TRUE(until([&] { return log.subscribed.size() == 2; }));
}

TEST_F(redis_server, is_found_again_after_a_restart_and_after_a_stop) {
  options.command_timeout = 2s; // it is waited for
  redis_process process{free_port()};
  connect(at(process.port()));
  for (int i = 0; i < 3000; ++i)
    shard->subscribe("channel" + std::to_string(i));
  ASSERT_TRUE(until([&] { return log.subscribed.size() == 3000; }));
  process.kill();
  ASSERT_TRUE(until([&] { return log.downs == 1; }));
  process.start();
  ASSERT_TRUE(until([&] { return log.ups == 2; })) << shard->reason();
  EXPECT_EQ(log.subscribed.size(), 6000U);
  process.signal(SIGSTOP);
  command({"GET", "x"});
  ASSERT_TRUE(until([&] { return log.downs == 2; }));
  EXPECT_EQ(ends, list{"lost"});
  process.signal(SIGCONT);
  ASSERT_TRUE(until([&] { return log.ups == 3; })) << shard->reason();
}

TEST_F(redis_server, keeps_users_apart) {
  const redis_process process{free_port(),
                              {"--requirepass", "open sesame", "--databases", "4", "--user", "ann",
                               "on", ">secret", "+@all", "-role", "-client", "~*", "&*"}};
  auto to = at(process.port());
  const auto where = "redis 127.0.0.1:" + std::to_string(process.port()) + ": ";
  EXPECT_EQ(mistake(to), where + "a password is needed");
  to.password = "wrong-one";
  EXPECT_EQ(mistake(to), where + "the user or password is refused (WRONGPASS)");
  to.user = "ann";
  EXPECT_EQ(mistake(to), where + "the user or password is refused (WRONGPASS)");
  to.password = "secret";
  to.database = 4;
  EXPECT_EQ(mistake(to), where + "database 4 can't be used: ERR DB index is out of range");
  to.database = 3;
  EXPECT_EQ(check_redis(to, options), "");
  connect(to);
  to.user.clear();
  to.password = "open sesame";
  EXPECT_EQ(check_redis(to, options), "");
}

TEST_F(redis_server, in_cluster_mode_is_not_used) {
  const auto port = free_port();
  const redis_process process{port,
                              {"--cluster-enabled", "yes", "--cluster-port",
                               std::to_string(free_port()), "--cluster-config-file",
                               "nodes-" + std::to_string(port) + ".conf"}};
  auto to = at(port);
  to.database = 1;
  make(to);
  shard->start();
  ASSERT_TRUE(until([&] { return shard->reason().find("cluster mode") != std::string::npos; }))
    << shard->reason();
  EXPECT_EQ(check_redis(to, options), "") << "it is waited for";
}

TEST_F(redis_server, that_is_not_there_is_no_mistake) {
  auto to = at(free_port());
  EXPECT_EQ(check_redis(to, options), "");
  to.master_name = "main";
  EXPECT_EQ(check_redis(to, options), "");
  test::fake_redis silent{io};
  silent.is_silent = true;
  options.connect_timeout = 50ms;
  EXPECT_EQ(check_redis(at(silent.address().port), options), "");
}

TEST_F(redis_server, is_reached_by_tls_with_certificates) {
  test::test_authority authority;
  test::test_authority other;
  const auto server_file = authority.certify("server", "IP:127.0.0.1,DNS:localhost");
  const auto client_file = authority.certify("client", "");
  const auto port = free_port();
  const redis_process process{0,
                              {"--tls-port", std::to_string(port), "--tls-cert-file", server_file,
                               "--tls-key-file", server_file, "--tls-ca-cert-file",
                               authority.ca_file()}};
  auto to = at(port);
  to.uses_tls = true;
  const auto where = "redis 127.0.0.1:" + std::to_string(port) + ": ";
  options.ca_file = other.ca_file();
  EXPECT_NE(mistake(to).find(where + "its certificate is not trusted: "), std::string::npos);
  options.ca_file = authority.directory() + "/none.pem";
  EXPECT_NE(mistake(to).find(where + "the CA file " + options.ca_file + " can't be used: "),
            std::string::npos);
  options.ca_file = authority.ca_file();
  options.cert_file = authority.ca_file(); // has no key
  EXPECT_NE(mistake(to).find("the key file"), std::string::npos);
  options.cert_file = client_file;
  options.key_file = client_file;
  connect(to);
  const std::string big(3UL * 1024 * 1024, 'x');
  command({"ECHO", big});
  command({"ECHO", "x"});
  ASSERT_TRUE(until([&] { return ends.size() == 2; }));
  EXPECT_EQ(ends, (list{big, "x"}));
  EXPECT_EQ(check_redis(to, options), "");
}

TEST_F(redis_server, must_be_whom_its_certificate_names) {
  test::test_authority authority;
  const auto file = authority.certify("server", "DNS:redis.example");
  const auto port = free_port();
  const redis_process process{0,
                              {"--tls-port", std::to_string(port), "--tls-cert-file", file,
                               "--tls-key-file", file, "--tls-ca-cert-file", authority.ca_file(),
                               "--tls-auth-clients", "no"}};
  options.ca_file = authority.ca_file();
  auto to = at(port);
  to.uses_tls = true;
  EXPECT_NE(mistake(to).find("IP address mismatch"), std::string::npos) << mistake(to);
  to.hosts[0].host = "localhost";
  EXPECT_NE(mistake(to).find("hostname mismatch"), std::string::npos) << mistake(to);
  // Neither side speaks the other's language.
  options.connect_timeout = 500ms; // it is waited for
  const redis_process plain{free_port()};
  to.hosts[0] = {"127.0.0.1", plain.port()};
  EXPECT_EQ(check_redis(to, options), "");
  to.hosts[0].port = port;
  to.uses_tls = false;
  EXPECT_EQ(check_redis(to, options), "");
}

} // namespace
} // namespace canang::cluster
