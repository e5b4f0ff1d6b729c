#include "app/options.hpp"

#include "app/open_files.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace canang::app {
namespace {

using namespace std::chrono_literals;

struct options_test : testing::Test {
  options into;
  std::string errors;
  std::string output;
  std::vector<std::string> variables;
  std::string file;

  ~options_test() override {
    for (const auto& name : variables)
      ::unsetenv(name.c_str());
    if (!file.empty())
      ::unlink(file.c_str());
  }

  void set(const std::string& name, const std::string& value) {
    ::setenv(name.c_str(), value.c_str(), 1);
    variables.push_back(name);
  }

  /// Writes a config file and returns the flag for it.
  std::string config(const std::string& content) {
    file = testing::TempDir() + "canang_options_" + std::to_string(::getpid()) + ".conf";
    std::ofstream{file} << content;
    return "--config=" + file;
  }

  parse_result parse(std::vector<std::string> arguments) {
    std::vector<const char*> argv{"canang"};
    for (const auto& argument : arguments)
      argv.push_back(argument.c_str());
    into = {};
    testing::internal::CaptureStderr();
    testing::internal::CaptureStdout();
    const auto result = parse_options(static_cast<int>(argv.size()), argv.data(), into);
    output = testing::internal::GetCapturedStdout();
    errors = testing::internal::GetCapturedStderr();
    return result;
  }

  void expect_refused(const std::vector<std::string>& arguments, const std::string& name) {
    const auto result = parse(arguments);
    EXPECT_EQ(result.what, command::leave) << name;
    EXPECT_EQ(result.exit_code, 2) << name;
    EXPECT_NE(errors.find(name), std::string::npos) << name << " is not named in: " << errors;
    EXPECT_EQ(std::count(errors.begin(), errors.end(), '\n'), 1) << errors;
    EXPECT_TRUE(errors.ends_with('\n'));
    EXPECT_EQ(output, "");
  }
};

TEST_F(options_test, have_defaults) {
  const auto result = parse({});
  EXPECT_EQ(result.what, command::serve);
  EXPECT_EQ(errors, "");
  EXPECT_EQ(into.server.listen.port(), 8000);
  EXPECT_EQ(into.server.listen.address().to_string(), "0.0.0.0");
  EXPECT_EQ(into.server.internal_listen.port(), 9000);
  EXPECT_EQ(into.server.internal_listen.address().to_string(), "127.0.0.1");
  EXPECT_GE(into.server.workers, 1U);
  EXPECT_EQ(into.server.loops.beats.ping_interval, 25s);
  EXPECT_EQ(into.server.loops.beats.pong_timeout, 8s);
  EXPECT_EQ(into.server.loops.limits.handshake_timeout, 10s);
  EXPECT_EQ(into.server.loops.limits.close_timeout, 5s);
  EXPECT_EQ(into.server.loops.limits.max_message_bytes, 64U << 10U);
  EXPECT_EQ(into.server.loops.limits.max_outbox_bytes, 1U << 20U);
  EXPECT_EQ(into.server.loops.limits.publishing.messages_a_second, 1000U);
  EXPECT_EQ(into.server.loops.limits.publishing.bytes_a_second, 1U << 20U);
  EXPECT_EQ(into.server.loops.limits.publishing_in_room.messages_a_second, 2000U);
  EXPECT_EQ(into.server.loops.limits.publishing_in_room.bytes_a_second, 2U << 20U);
  EXPECT_EQ(into.server.loops.limits.slow_consumer_grace, 2s);
  EXPECT_EQ(into.server.loops.history.history_size, 128U);
  EXPECT_EQ(into.server.loops.history.history_ttl, 5min);
  EXPECT_EQ(into.server.loops.history.slow, cluster::slow_consumers::disconnect);
  EXPECT_FALSE(into.server.loops.history.compresses);
  EXPECT_EQ(into.server.loops.history.compression_min_bytes, 256U);
  EXPECT_EQ(into.log_level, "info");
  EXPECT_EQ(into.log_format, "text");
}

TEST_F(options_test, take_limits_of_rooms_and_histories_or_find_them_out) {
  parse({"--memory-limit=1GiB"});
  static_cast<void>(settle_limits(into.server));
  EXPECT_EQ(into.server.history_budget_bytes, 256U << 20U);
  EXPECT_EQ(into.server.max_rooms, 65'536U);
  parse({"--memory-limit=0"});
  static_cast<void>(settle_limits(into.server));
  EXPECT_EQ(into.server.history_budget_bytes, 256U << 20U);
  EXPECT_EQ(into.server.max_rooms, 1'000'000U);
  parse({"--memory-limit=64MiB", "--history-budget=1GiB", "--max-rooms=7"});
  static_cast<void>(settle_limits(into.server));
  EXPECT_EQ(into.server.history_budget_bytes, 1U << 30U);
  EXPECT_EQ(into.server.max_rooms, 7U);
  parse({"--history-budget=0", "--max-rooms=0"});
  static_cast<void>(settle_limits(into.server));
  EXPECT_EQ(into.server.history_budget_bytes, 0U);
  EXPECT_EQ(into.server.max_rooms, 0U);
}

TEST_F(options_test, say_how_much_may_be_published_and_0_is_no_limit) {
  EXPECT_EQ(parse({"--publish-rate=5", "--publish-bytes-rate=3KiB", "--room-publish-rate=0",
                   "--room-publish-bytes-rate=0"})
              .what,
            command::serve)
    << errors;
  const auto& limits = into.server.loops.limits;
  EXPECT_EQ(limits.publishing.messages_a_second, 5U);
  EXPECT_EQ(limits.publishing.bytes_a_second, 3072U);
  EXPECT_EQ(limits.publishing_in_room.messages_a_second, 0U);
  EXPECT_EQ(limits.publishing_in_room.bytes_a_second, 0U);
  expect_refused({"--publish-rate=1KiB"}, "--publish-rate");
  expect_refused({"--publish-bytes-rate=-1"}, "--publish-bytes-rate");
  expect_refused({"--room-publish-rate=many"}, "--room-publish-rate");
  expect_refused({"--room-publish-bytes-rate=1s"}, "--room-publish-bytes-rate");
}

TEST_F(options_test, say_whose_pages_may_connect) {
  EXPECT_EQ(parse({"--allowed-origin=https://a.example,https://*.b.example", "--allowed-origin",
                   "http://localhost:3000"})
              .what,
            command::serve)
    << errors;
  const auto& origins = into.server.handshakes.origins;
  EXPECT_TRUE(origins.allows("https://a.example", "x"));
  EXPECT_TRUE(origins.allows("https://c.b.example", "x"));
  EXPECT_TRUE(origins.allows("http://localhost:3000", "x"));
  EXPECT_FALSE(origins.allows("http://x", "x"));
  expect_refused({"--allowed-origin=example.org"}, "--allowed-origin");
  expect_refused({"--subprotocols=a b"}, "--subprotocols");
  expect_refused({"--internal-host=a:80"}, "--internal-host");
  expect_refused({"--max-header-bytes=100"}, "--max-header-bytes");
}

TEST_F(options_test, take_a_key_from_a_file_or_as_it_is_and_never_show_it) {
  const std::string key = "correct-horse-battery";
  EXPECT_EQ(parse({"--internal-key=" + key}).what, command::serve);
  EXPECT_EQ(into.server.internal_access.key, key);
  const auto path = config(key + "\n").substr(std::string{"--config="}.size());
  EXPECT_EQ(parse({"drain", "--internal-key-file=" + path}).what, command::leave)
    << "options stand before the command";
  EXPECT_EQ(parse({"--internal-key-file=" + path, "drain"}).what, command::drain) << errors;
  EXPECT_EQ(into.server.internal_access.key, key);
  expect_refused({"--internal-key-file=" + path, "--internal-key=" + key}, "--internal-key");
  EXPECT_EQ(errors.find(key), std::string::npos) << errors;
  expect_refused({"--internal-key=short-secret"}, "--internal-key");
  EXPECT_EQ(errors.find("short-secret"), std::string::npos) << errors;
  for (const std::string& unreadable :
       {path + ".not-there", testing::TempDir(), std::string{"/dev/null"}})
    expect_refused({"--internal-key-file=" + unreadable}, "--internal-key-file");
}

TEST_F(options_test, are_settled_by_what_the_process_may_have_open) {
  EXPECT_EQ(parse({"--workers=2"}).what, command::serve);
  EXPECT_EQ(into.server.admission.connections_per_address, 0U);
  ASSERT_EQ(settle_limits(into.server).fault, "");
  const auto possible = into.server.admission.max_connections;
  EXPECT_GT(possible, 100U);
  EXPECT_LE(possible + 2 * into.server.loops.limits.max_http_connections,
            raise_open_files_limit() - reserved_files({2, 0}));
  EXPECT_EQ(parse({"--workers=2", "--max-connections=0"}).what, command::serve);
  EXPECT_EQ(settle_limits(into.server).warning, "");
  EXPECT_EQ(into.server.admission.max_connections, possible);
  EXPECT_EQ(parse({"--max-connections=10", "--max-connections-per-ip=7"}).what, command::serve);
  EXPECT_EQ(settle_limits(into.server).warning, "");
  EXPECT_EQ(into.server.admission.max_connections, 10U);
  EXPECT_EQ(into.server.admission.connections_per_address, 7U);
  EXPECT_EQ(parse({"--workers=2", "--max-connections=999999999"}).what, command::serve);
  const auto warning = settle_limits(into.server).warning;
  EXPECT_NE(warning.find("--max-connections 999999999"), std::string::npos);
  EXPECT_NE(warning.find(std::to_string(possible) + " are taken"), std::string::npos) << warning;
  EXPECT_EQ(into.server.admission.max_connections, possible);
}

TEST_F(options_test, come_from_flags) {
  EXPECT_EQ(parse({"--listen", "[::1]:81", "--workers=3", "--ping-interval", "1m30s",
                   "--max-message-bytes=1MiB", "--log-format", "json"})
              .what,
            command::serve);
  EXPECT_EQ(into.server.listen.address().to_string(), "::1");
  EXPECT_EQ(into.server.workers, 3U);
  EXPECT_EQ(into.server.loops.beats.ping_interval, 90s);
  EXPECT_EQ(into.server.loops.limits.max_message_bytes, 1U << 20U);
  EXPECT_EQ(into.log_format, "json");
}

TEST_F(options_test, come_from_the_environment) {
  set("CANANG_OUTBOX_LIMIT", "2MiB");
  set("CANANG_INTERNAL_LISTEN", "127.0.0.1:0");
  EXPECT_EQ(parse({}).what, command::serve);
  EXPECT_EQ(into.server.loops.limits.max_outbox_bytes, 2U << 20U);
  EXPECT_EQ(into.server.internal_listen.port(), 0);
}

TEST_F(options_test, come_from_a_file) {
  EXPECT_EQ(
    parse({config("# a comment\nworkers = 2\nhistory-ttl = \"1h\"\nlisten = '127.0.0.1:82'\n")})
      .what,
    command::serve)
    << errors;
  EXPECT_EQ(into.server.workers, 2U);
  EXPECT_EQ(into.server.loops.history.history_ttl, 1h);
  EXPECT_EQ(into.server.listen.port(), 82);
}

TEST_F(options_test, come_from_the_flag_before_the_environment_before_the_file) {
  const auto flag = config("workers = 2\n");
  EXPECT_EQ(parse({flag}).what, command::serve);
  EXPECT_EQ(into.server.workers, 2U);
  set("CANANG_WORKERS", "3");
  EXPECT_EQ(parse({flag}).what, command::serve);
  EXPECT_EQ(into.server.workers, 3U);
  EXPECT_EQ(parse({flag, "--workers=4"}).what, command::serve);
  EXPECT_EQ(into.server.workers, 4U);
}

TEST_F(options_test, name_their_file_in_the_environment_too) {
  config("workers = 2\n");
  set("CANANG_CONFIG", file);
  EXPECT_EQ(parse({}).what, command::serve);
  EXPECT_EQ(into.server.workers, 2U);
}

TEST_F(options_test, are_refused_by_name_when_a_flag_is_wrong) {
  const std::pair<const char*, const char*> wrong[] = {{"--listen", "nowhere"},
                                                       {"--internal-listen", "1.2.3.4"},
                                                       {"--workers", "0"},
                                                       {"--workers", "257"},
                                                       {"--workers", "-1"},
                                                       {"--workers", "1KiB"},
                                                       {"--workers", ""},
                                                       {"--ping-interval", "25"},
                                                       {"--ping-interval", "99ms"},
                                                       {"--pong-timeout", "0"},
                                                       {"--handshake-timeout", "soon"},
                                                       {"--close-timeout", "-5s"},
                                                       {"--max-message-bytes", "0"},
                                                       {"--max-message-bytes", "2GiB"},
                                                       {"--outbox-limit", "1023"},
                                                       {"--max-connections-per-ip", "-1"},
                                                       {"--outbox-budget", "much"},
                                                       {"--slow-consumer-grace", "2"},
                                                       {"--slow-consumers", "oldest"},
                                                       {"--compression", "gzip"},
                                                       {"--compression", "true"},
                                                       {"--compression-min-bytes", "0"},
                                                       {"--compression-min-bytes", "2GiB"},
                                                       {"--history-size", "1000001"},
                                                       {"--history-ttl", "99ms"},
                                                       {"--history-bytes", "2GiB"},
                                                       {"--history-budget", "much"},
                                                       {"--max-rooms", "-1"},
                                                       {"--room-linger", "x"},
                                                       {"--drain-grace", "1"},
                                                       {"--drain-period", ""},
                                                       {"--log-level", "loud"},
                                                       {"--log-format", "xml"},
                                                       {"--no-such-option", "1"}};
  for (const auto& [flag, value] : wrong)
    expect_refused({std::string{flag} + '=' + value}, flag);
}

TEST_F(options_test, are_refused_by_name_when_the_environment_is_wrong) {
  set("CANANG_CLOSE_TIMEOUT", "x\ny");
  expect_refused({}, "--close-timeout");
}

TEST_F(options_test, are_refused_by_name_when_the_file_is_wrong) {
  const auto expect_at = [this](const std::string& content, const std::string& where,
                                const std::string& what) {
    expect_refused({config(content)}, what);
    EXPECT_TRUE(errors.starts_with("canang: " + file + ':' + where + ": ")) << errors;
    EXPECT_EQ(parse({"--check-config", config(content)}).exit_code, 2);
    EXPECT_EQ(output, "");
  };
  expect_at("\nhistory-size = \"many\"\n", "2:16", "history-size: 'many' is not a number");
  expect_at("workers = 0\n", "1:11", "workers: '0' is not a number from 1 to 256");
  expect_at("ping-interval = 25\n", "1:17", "'25' is not a duration");
  expect_at("workers = 2.5\n", "1:11", "workers: this is neither a text nor a whole number");
  expect_at("workers = 2.0\n", "1:11", "workers: this is neither a text nor a whole number");
  expect_at("trace-service = 1.10\n", "1:17", "this is neither a text nor a whole number");
  expect_at("workers = true\n", "1:11", "'true'");
  expect_at("workers = [\"2\"]\n", "1:11", "workers");
  expect_at("presence = [1]\n", "1:12", "presence: this is neither a text nor a list of texts");
  expect_at("presence = []\n", "1:12", "presence: the list is empty");
  expect_at("  no-such-key = 1\n", "1:3", "there is no option 'no-such-key'");
  expect_at("config = \"x\"\n", "1:1", "there is no option 'config'");
  expect_at("help = true\n", "1:1", "there is no option 'help'");
  expect_at("no-lineage = true\n", "1:1", "there is no option 'no-lineage'");
  expect_at("[listen]\nx = 1\n", "1:2", "listen");
  expect_at("[chat]\nx = 1\n", "1:2", "there is no option 'chat'");
  expect_at("workers = 2\nworkers = 3\n", "2:1", "workers");
  expect_at("workers=2\nping-interval=25s\n", "2:17", "values are quoted now");
  expect_at("a = \"\xFF\"\n", "1:6", "UTF-8");
  expect_at("\"two\\nlines\" = 1\n", "1:1", "two\\nlines");
  expect_at("[rooms]\npresence = 1\n", "2:12", "rooms.presence");
  expect_at("max-message-bytes = 10\n[rooms]\nmax-message-bytes = 11\n", "3:21",
            "rooms.max-message-bytes");
  expect_at("internal-key = \"short-secret\"\n", "1:16", "internal-key: a key is");
  EXPECT_EQ(errors.find("short-secret"), std::string::npos);
  expect_at("internal-key = \"0123456789abcdef\"\ninternal-key-file = \"/x\"\n", "2:21",
            "internal-key-file: not together with internal-key");
  const auto wrong_url = config("redis = \"redis://ann:secret@\"\n");
  EXPECT_EQ(parse({wrong_url}).exit_code, 1) << "as the flag";
  EXPECT_TRUE(errors.starts_with("canang: " + file + ":1:9: redis: ")) << errors;
  EXPECT_EQ(errors.find("secret"), std::string::npos);
}

TEST_F(options_test, take_lists_of_a_file_as_arrays_or_with_commas) {
  for (const auto* const list : {"[\"a*\", \"b\"]", "\"a*,b\"", "[\"a*,b\"]"}) {
    EXPECT_EQ(parse({config(std::string{"presence = "} + list + "\njoin-leave = 'c'\n")}).what,
              command::serve)
      << errors;
    EXPECT_EQ(into.server.cluster.rules.presence, (std::vector<std::string>{"a*", "b"}));
    EXPECT_EQ(into.server.cluster.rules.join_leave, std::vector<std::string>{"c"});
    EXPECT_EQ(into.server.room_settings.rules, into.server.cluster.rules);
  }
  set("CANANG_PRESENCE", "d");
  EXPECT_EQ(parse({config("presence = ['a']\n")}).what, command::serve);
  EXPECT_EQ(into.server.cluster.rules.presence, std::vector<std::string>{"d"});
}

TEST_F(options_test, take_a_secret_of_the_file_only_where_nothing_else_says_another) {
  const auto flag = config("internal-key = \"0123456789abcdef\"\n");
  EXPECT_EQ(parse({flag}).what, command::serve) << errors;
  EXPECT_EQ(into.server.internal_access.key, "0123456789abcdef");
  const auto path = file + ".key";
  std::ofstream{path} << "correct-horse-battery\n";
  EXPECT_EQ(parse({flag, "--internal-key-file=" + path}).what, command::serve) << errors;
  EXPECT_EQ(into.server.internal_access.key, "correct-horse-battery");
  ::unlink(path.c_str());
}

TEST_F(options_test, make_the_settings_of_rooms_of_flags_and_tables) {
  const auto flag = config("history-size = 3\n[rooms]\nhistory-ttl = \"2s\"\n"
                           "[namespaces.chat]\nhistory-size = 4\nallow-publish = \"nobody\"\n");
  EXPECT_EQ(parse({flag, "--max-message-bytes=1KiB"}).what, command::serve) << errors;
  const auto& settings = into.server.room_settings;
  EXPECT_EQ(settings.of("lobby").history_size, 3U);
  EXPECT_EQ(settings.of("lobby").history_ttl, 2s);
  EXPECT_EQ(settings.of("lobby").max_message_bytes, 1024U);
  EXPECT_EQ(settings.of("chat:1").history_size, 4U);
  EXPECT_EQ(settings.of("chat:1").history_ttl, 2s);
  EXPECT_EQ(settings.of("chat:1").publish, who_may::nobody);
  EXPECT_EQ(parse({flag, "--history-size=5", "--history-ttl=9s"}).what, command::serve);
  EXPECT_EQ(settings.of("lobby").history_size, 5U) << "a flag is the default of the tables";
  EXPECT_EQ(settings.of("lobby").history_ttl, 2s) << "which say more of rooms than it does";
  EXPECT_EQ(parse({flag, "--slow-consumers=latest"}).what, command::serve);
  EXPECT_EQ(settings.of("chat:1").slow, cluster::slow_consumers::latest);
  EXPECT_FALSE(settings.compresses());
  EXPECT_EQ(parse({flag, "--compression=deflate", "--compression-min-bytes=1KiB"}).what,
            command::serve);
  EXPECT_TRUE(settings.of("chat:1").compresses);
  EXPECT_EQ(settings.of("chat:1").compression_min_bytes, 1024U);
  EXPECT_EQ(parse({"--history-size=6"}).what, command::serve);
  EXPECT_EQ(settings.of("chat:1").history_size, 6U);
}

TEST_F(options_test, say_in_how_many_rooms_a_connection_may_be) {
  EXPECT_EQ(parse({}).what, command::serve);
  EXPECT_EQ(into.server.loops.limits.max_rooms_per_connection, 128U);
  EXPECT_EQ(parse({"--max-rooms-per-connection=100000"}).what, command::serve);
  EXPECT_EQ(into.server.loops.limits.max_rooms_per_connection, 100'000U);
  for (const auto* const wrong : {"0", "100001", "-1", "many", "1KiB", ""})
    expect_refused({std::string{"--max-rooms-per-connection="} + wrong},
                   "--max-rooms-per-connection");
}

TEST_F(options_test, say_what_the_room_of_a_user_is_called) {
  EXPECT_EQ(parse({}).what, command::serve);
  EXPECT_EQ(into.server.loops.personal_room, "");
  EXPECT_EQ(parse({"--personal-room=personal:#"}).what, command::serve);
  EXPECT_EQ(into.server.loops.personal_room, "personal:#");
  for (const auto& wrong : {std::string(129, 'p'), std::string{"a\nb"}, std::string{"\xff"}})
    expect_refused({"--personal-room=" + wrong}, "--personal-room");
}

TEST_F(options_test, take_several_keys_of_the_server_api_and_never_show_them) {
  const std::string key = "correct-horse-battery";
  EXPECT_EQ(parse({}).what, command::serve);
  EXPECT_TRUE(into.server.api_keys.empty());
  EXPECT_EQ(parse({"--api-key=" + key, "--api-key", "0123456789abcdef,fedcba9876543210"}).what,
            command::serve)
    << errors;
  EXPECT_EQ(into.server.api_keys,
            (std::vector<std::string>{key, "0123456789abcdef", "fedcba9876543210"}));
  for (const auto* const wrong : {"short-secret", "secret with blanks in it", ""}) {
    expect_refused({std::string{"--api-key="} + wrong}, "--api-key");
    EXPECT_EQ(errors.find("secret"), std::string::npos) << errors;
  }
  std::string many = key;
  for (int i = 0; i < 64; ++i)
    many += ',' + key;
  expect_refused({"--api-key=" + many}, "--api-key");
}

TEST_F(options_test, take_keys_of_the_server_api_from_a_file_one_a_line) {
  const auto write = [this](const std::string& content) {
    return "--api-key-file=" + config(content).substr(std::string{"--config="}.size());
  };
  EXPECT_EQ(parse({write("0123456789abcdef\r\n\nfedcba9876543210")}).what, command::serve)
    << errors;
  EXPECT_EQ(into.server.api_keys,
            (std::vector<std::string>{"0123456789abcdef", "fedcba9876543210"}));
  EXPECT_EQ(parse({write("0123456789abcdef\n"), "--api-key=correct-horse-battery"}).what,
            command::serve);
  EXPECT_EQ(into.server.api_keys.size(), 2U);
  expect_refused({write("0123456789abcdef\n\nshort-secret\n")}, "line 3");
  EXPECT_EQ(errors.find("short-secret"), std::string::npos) << errors;
  expect_refused({write("0123456789abcdef,0123456789abcdef\n")}, "line 1");
  expect_refused({write("\n\n")}, "has no key");
  expect_refused({"--api-key-file=/no/such/file"}, "cannot be read");
  expect_refused({"--api-key-file=" + testing::TempDir()}, "cannot be read");
}

TEST_F(options_test, of_a_health_check_do_not_need_a_file_that_is_right) {
  const auto flag = config("internal-listen = \"127.0.0.1:82\"\nworkers = 0\n");
  EXPECT_EQ(parse({flag, "health"}).what, command::health)
    << "the server runs on, with the old one";
  EXPECT_NE(errors.find(":2:11: workers"), std::string::npos) << errors;
  EXPECT_EQ(into.server.internal_listen.port(), 82);
  EXPECT_EQ(parse({flag, "drain"}).exit_code, 2);
  EXPECT_EQ(parse({flag, "--check-config", "health"}).exit_code, 2);
}

TEST_F(options_test, can_be_read_again_without_a_word) {
  const auto flag = config("history-size = 3\nlog-level = \"debug\"\n");
  const char* const argv[] = {"canang", flag.c_str(), "--workers=2"};
  options first;
  EXPECT_EQ(reread_options(3, argv, first), std::nullopt);
  EXPECT_EQ(first.server.room_settings.rooms.history_size, 3U);
  EXPECT_EQ(first.given.at("workers"), std::vector<std::string>{"2"});
  EXPECT_EQ(first.given.at("log-level"), std::vector<std::string>{"debug"});
  EXPECT_EQ(first.given.at("ping-interval"), std::vector<std::string>{"25s"});
  config("history-size = 3\n\nlog-level = \"loud\"\n");
  options second;
  testing::internal::CaptureStderr();
  const auto fault = reread_options(3, argv, second);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  ASSERT_TRUE(fault);
  EXPECT_TRUE(fault->starts_with(file + ":3:13: log-level: 'loud' is not one of")) << *fault;
}

TEST_F(options_test, are_refused_when_the_file_is_not_there) {
  expect_refused({"--config=/no/such/file"}, "/no/such/file");
  expect_refused({"--config=" + testing::TempDir()}, "--config");
  expect_refused({"--config="}, "--config");
}

TEST_F(options_test, can_be_checked_without_serving) {
  EXPECT_EQ(parse({"--check-config"}).what, command::leave);
  EXPECT_EQ(parse({"--check-config"}).exit_code, 0);
  EXPECT_EQ(errors, "");
  expect_refused({"--check-config", "--workers=x"}, "--workers");
}

TEST_F(options_test, print_help_and_version) {
  EXPECT_EQ(parse({"--version"}).exit_code, 0);
  EXPECT_EQ(output.rfind("canang ", 0), 0U);
  const auto help = parse({"--help"});
  EXPECT_EQ(help.what, command::leave);
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_NE(output.find("--drain-period"), std::string::npos);
}

TEST_F(options_test, know_the_commands_for_operators) {
  const auto health = parse({"health"});
  EXPECT_EQ(health.what, command::health);
  EXPECT_EQ(health.url, "");
  const auto drain = parse({"--internal-listen=127.0.0.1:9100", "drain", "http://10.0.0.3:9000"});
  EXPECT_EQ(drain.what, command::drain);
  EXPECT_EQ(drain.url, "http://10.0.0.3:9000");
  EXPECT_EQ(into.server.internal_listen.port(), 9100);
  expect_refused({"drain", "http://a", "http://b"}, "http://b");
  expect_refused({"drian"}, "drian");
  EXPECT_EQ(parse({"reload"}).process_id, 1) << "a container's first";
  const auto reload = parse({"reload", "4711"});
  EXPECT_EQ(reload.what, command::reload);
  EXPECT_EQ(reload.process_id, 4711);
  for (const auto* const wrong : {"0", "-1", "canang", "99999999999"})
    EXPECT_EQ(parse({"reload", wrong}).what, command::leave) << wrong;
  EXPECT_EQ(parse({"import-centrifugo", "config.json"}).what, command::import_centrifugo);
  EXPECT_EQ(parse({"import-centrifugo", "config.json"}).file, "config.json");
  EXPECT_EQ(parse({"import-centrifugo"}).exit_code, 2);
}

} // namespace
} // namespace canang::app
