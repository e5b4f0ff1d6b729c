#pragma once

#include "actors/node/node_description.hpp"
#include "cluster/rooms/redis_broker.hpp"
#include "cluster/who_text.hpp"
#include "tests/unit/support/documented_acl.hpp"
#include "tests/unit/support/fake_redis.hpp"
#include "tests/unit/support/redis_process.hpp"
#include "tests/unit/support/room_log.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace canang::cluster {

using namespace std::chrono_literals;
using test::redis_process;
using strings = std::vector<std::string>;

/// A node as far as Redis sees it.
struct node_under_test {
  broker_metrics metrics;
  std::map<std::string, test::room_log> rooms;
  std::chrono::steady_clock::duration ahead{};
  redis_roster::roster living;
  room_settings_source settings;
  std::unique_ptr<redis_broker> broker;
  std::map<std::string, std::unique_ptr<room_channel>> channels;
  test::room_log mute;

  node_under_test(boost::asio::io_context& io, std::uint16_t port, const std::string& id,
                  std::shared_ptr<const room_settings_table> table,
                  const redis_broker_options& options, const redis_options& links)
    : settings(std::move(table)) {
    redis_target target;
    target.hosts = {{"127.0.0.1", port}};
    target.user = test::acl_user;
    target.password = test::acl_password;
    broker = std::make_unique<redis_broker>(
      io, target, links, options, node_identity{id, std::hash<std::string>{}(id)}, settings,
      presence_options{id, actors::describe_member}, metrics,
      [this] { return std::chrono::steady_clock::now() + ahead; });
    broker->on_roster([id] { return R"({"id":")" + id + R"("})"; },
                      [this](redis_roster::roster&& nodes) { living = std::move(nodes); });
    broker->start();
  }

  /// Of a room that nobody has opened a mute one.
  room_channel& channel(const std::string& room) {
    auto& known = channels[room];
    if (!known)
      known = broker->open(room, mute);
    return *known;
  }
  void open(const std::string& room) { channels[room] = broker->open(room, rooms[room]); }
  void close(const std::string& room) { channels[room].reset(); }

  void join(const std::string& room, std::uint64_t id, const std::string& who = {}) {
    channel(room).note_member({id, who}, true);
  }
  void leave(const std::string& room, std::uint64_t id) {
    channel(room).note_member({id, {}}, false);
  }

  /// As a member does, whatever becomes of it.
  void publish(const std::string& room, const std::string& data, std::string_view key = {}) {
    channel(room).publish(test::publication_of(data), key);
  }

  /// How often the room heard of its members; cheap, however much is said of each.
  [[nodiscard]] std::size_t count_events(const std::string& room) {
    return static_cast<std::size_t>(
      std::ranges::count_if(rooms[room].publications, [](const auto& message) {
        return message->kind != publication_kind::message;
      }));
  }

  /// What the room heard of its members, in order: `+n1/1 ann`.
  [[nodiscard]] strings events(const std::string& room) {
    strings all;
    for (const auto& message : rooms[room].publications)
      if (message->kind != publication_kind::message)
        all.push_back((message->kind == publication_kind::joined ? '+' : '-') + message->data);
    return all;
  }
};

inline std::string event(char sign, const std::string& id, const std::string& who) {
  return sign + actors::describe_member(member_of(id, who));
}

/// The test's own connection to a Redis, which may do everything.
class administrator {
public:
  administrator(boost::asio::io_context& io, std::uint16_t port)
    : shard_(io, target(port), test::patient_options(), "administrator", metrics_, log_) {
    shard_.start();
  }

  [[nodiscard]] redis_shard& shard() { return shard_; }

private:
  struct deaf final : redis_observer {
    void on_up() override {}
    void on_down(std::string_view) override {}
    void on_subscribed(std::string_view) override {}
    void on_message(std::string_view, std::string_view) override {}
    void on_messages_end() override {}
  };

  static redis_target target(std::uint16_t port) {
    redis_target at;
    at.hosts = {{"127.0.0.1", port}};
    return at;
  }

  broker_metrics metrics_;
  deaf log_;
  redis_shard shard_;
};

/// Nodes that share a real redis-server, whose ACL allows them what docs/configuration.md says.
struct presence_fixture : testing::Test {
  boost::asio::io_context io;
  std::unique_ptr<redis_process> process;
  std::unique_ptr<administrator> admin; ///< whose commands are not ordered with those of the nodes
  room_settings_table settings;         ///< of nodes that start
  redis_broker_options options;         ///< likewise
  redis_options links = test::patient_options(); ///< likewise
  std::vector<std::unique_ptr<node_under_test>> nodes;

  presence_fixture() {
    settings.rules = {{"*"}, {"told*"}};
    options.publish_timeout = 5s;
  }

  void SetUp() override {
    if (!redis_process::is_installed())
      GTEST_SKIP() << "redis-server is not installed";
    process = std::make_unique<redis_process>(test::free_port(), test::documented_acl("test"));
    admin = std::make_unique<administrator>(io, process->port());
  }

  void TearDown() override {
    if (process && process->is_running()) {
      EXPECT_EQ(raw({"ACL", "LOG"}), "") << "the ACL of docs/configuration.md lacks something";
    }
    admin.reset();
  }

  node_under_test& start(const std::string& id, std::uint16_t port = 0) {
    auto& added = nodes.emplace_back(std::make_unique<node_under_test>(
      io, port == 0 ? process->port() : port, id, std::make_shared<room_settings_table>(settings),
      options, links));
    EXPECT_TRUE(until([&] { return added->broker->shard().is_up() && !added->living.empty(); }));
    return *added;
  }

  /// Begins to hear of a room, and waits until nothing is missed any more.
  void open(node_under_test& who, const std::string& room) {
    who.open(room);
    bool is_open = false;
    who.channel(room).recover({}, [&](history_page&&) { is_open = true; });
    EXPECT_TRUE(until([&] { return is_open; }));
  }

  /// Time goes on faster than on a node, but not as fast as the machine can: Redis has to keep up with what nodes do
  /// in a tick, or its probes come back too late.
  template <class Condition>
  [[nodiscard]] bool until(Condition condition) {
    return test::run_until(io, [&] {
      if (const auto now = std::chrono::steady_clock::now(); now >= next_tick) {
        next_tick = now + 2ms;
        for (const auto& each : nodes)
          if (each->broker)
            each->broker->tick();
      }
      return condition();
    });
  }

  /// Lets the nodes do what they have to do.
  void rest() {
    const auto end = std::chrono::steady_clock::now() + 300ms;
    static_cast<void>(until([&] { return std::chrono::steady_clock::now() >= end; }));
  }

  room_report report(node_under_test& by, const std::string& room) {
    room_report result;
    bool is_here = false;
    by.broker->report(room, true, [&](room_report&& got) {
      result = std::move(got);
      is_here = true;
    });
    EXPECT_TRUE(until([&] { return is_here; }));
    std::sort(result.members_by_node.begin(), result.members_by_node.end());
    std::sort(result.members.begin(), result.members.end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
    return result;
  }

  /// As text: `n1:2 n2:1 | n1/1=ann n1/2= n2/1=bob`, with infos behind the names.
  std::string state(node_under_test& by, const std::string& room) {
    const auto got = report(by, room);
    if (got.error != broker_errc::none)
      return "error";
    std::string text;
    for (const auto& [node, count] : got.members_by_node)
      text += node + ':' + std::to_string(count) + ' ';
    text += '|';
    for (const auto& member : got.members)
      text += ' ' + member.id + '=' + member.user + member.info + member.room_info;
    return text;
  }

  bool becomes(node_under_test& by, const std::string& room, const std::string& wanted) {
    std::string last;
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (std::chrono::steady_clock::now() < end) {
      last = state(by, room);
      if (last == wanted)
        return true;
      rest();
    }
    ADD_FAILURE() << room << ": " << last << ", not " << wanted;
    return false;
  }

  bool hears(node_under_test& who, const std::string& room, const strings& wanted) {
    const bool is_so = until([&] { return who.events(room) == wanted; });
    EXPECT_EQ(who.events(room), wanted);
    return is_so;
  }

  /// A command past the brokers' own, once all that `by` has sent before is answered.
  std::string raw(node_under_test& by, const std::vector<std::string_view>& command) {
    bool is_answered = false;
    by.broker->shard().command(std::array<std::string_view, 1>{"PING"},
                               [&](redis_errc, const redis_reply&) { is_answered = true; });
    EXPECT_TRUE(until([&] { return is_answered; }));
    return raw(command);
  }

  std::string raw(const std::vector<std::string_view>& command) {
    std::string text;
    bool is_here = false;
    EXPECT_TRUE(until([&] { return admin->shard().can_command(); }));
    admin->shard().command(command, [&](redis_errc, const redis_reply& reply) {
      if (reply.is_array())
        for (std::size_t i = 0; i < reply.size(); ++i)
          text += std::string{reply[i].text()} + '\n';
      else
        text = reply.is_integer() ? std::to_string(reply.integer()) : std::string{reply.text()};
      is_here = true;
    });
    EXPECT_TRUE(until([&] { return is_here; }));
    return text;
  }

  /// The settings are replaced while the node runs, and it has had the time to look.
  void replace_settings(node_under_test& at) {
    at.settings.set(std::make_shared<room_settings_table>(settings));
    for (int i = 0; i < 10; ++i) // once a second
      at.broker->tick();
  }

  /// What becomes of a publish from outside.
  publish_outcome publish_outside(node_under_test& by, const std::string& room,
                                  const std::string& data, std::string_view key = {},
                                  bool skip_history = false) {
    publish_outcome result;
    int answers = 0;
    by.broker->publish(room, test::publication_of(data),
                       {.idempotency_key = key, .skip_history = skip_history},
                       [&](publish_outcome&& outcome) {
                         result = std::move(outcome);
                         ++answers;
                       });
    EXPECT_TRUE(until([&] { return answers > 0; }));
    EXPECT_EQ(answers, 1);
    return result;
  }

  history_answer read_history(node_under_test& by, const std::string& room,
                              const history_request& request = {}) {
    history_answer result;
    bool is_here = false;
    by.broker->history(room, request, [&](history_answer&& answer) {
      result = std::move(answer);
      is_here = true;
    });
    EXPECT_TRUE(until([&] { return is_here; }));
    return result;
  }

  /// The key of the leases that a room's partition has.
  static std::string leases_of(std::string_view room) {
    return roster_keys{"test", partition_of(room), {}}.leases;
  }

  /// A command on a key that each partition has, such as its leases. @returns the sum of the answers.
  std::string in_partitions(node_under_test& by, std::string_view verb,
                            const std::vector<std::string>& arguments,
                            std::string_view key = "nodes:leases") {
    static constexpr std::string_view script =
      "local sum = 0 for p = 0, 63 do"
      "  local answer = redis.call(ARGV[1], string.format('test:{p%02d}:', p) .. ARGV[2],"
      "    unpack(ARGV, 3))"
      "  sum = sum + (tonumber(answer) or 0) end return sum";
    std::vector<std::string_view> command{"EVAL", script, "0", verb, key};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return raw(by, command);
  }

  /// As if nobody had heard of a node for long.
  std::string let_lapse(node_under_test& by, const std::string& node) {
    return in_partitions(by, "ZADD", {"1", node});
  }

  /// Who has leases, of whatever partition, and how many.
  std::string holders(node_under_test& by) {
    static constexpr std::string_view script =
      "local all, names = {}, {} for p = 0, 63 do"
      "  for _, node in ipairs(redis.call('ZRANGE', string.format('test:{p%02d}:nodes:leases', p), "
      "0, -1)) do"
      "    if not all[node] then names[#names + 1] = node end"
      "    all[node] = (all[node] or 0) + 1 end end "
      "table.sort(names) local text = '' "
      "for _, node in ipairs(names) do text = text .. node .. ':' .. all[node] .. ' ' end return "
      "text";
    return raw(by, {"EVAL", script, "0"});
  }

  std::string key(std::string_view kind, std::string_view rest, std::string_view room) {
    return redis_key("test", partition_of(room), kind, rest);
  }

  std::chrono::steady_clock::time_point next_tick{};
};

} // namespace canang::cluster
