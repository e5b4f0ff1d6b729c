#include "cluster/control/centre.hpp"
#include "cluster/epoch.hpp"
#include "tests/support/seeds.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

// Nodes that send each other commands over channels which lose, double, delay and reorder what they carry, and go up
// and down; nodes are stopped, killed, and come. Whatever happens, a command is executed at most once on each node,
// its sender is told of each node once and in time, and what it is told is true.

namespace canang::sim {
namespace {

using namespace std::chrono_literals;
using cluster::control_centre;
using cluster::control_command;
using cluster::control_outcome;
using cluster::control_result;
using clock = control_centre::clock;

constexpr auto tick = 100ms;
constexpr std::size_t no_way = ~std::size_t{0};

/// What the channels do to what they carry.
struct weather {
  std::size_t lost = 0;    ///< one in so many; 0: none
  std::size_t doubled = 0; ///< likewise
  std::chrono::milliseconds most_delay{50};
  std::size_t way_changes = 0;                  ///< one in so many ticks
  std::map<std::string, std::size_t> to_lose{}; ///< the first messages to a node
};

class network;

/// One node: a centre, what it executes, and what it is told.
class node final : cluster::control_carrier, cluster::control_executor {
public:
  node(network& net, std::string name);

  void command(const std::string& user);
  void on_message(std::size_t way, const std::string& bytes);
  void on_tick();

  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  bool is_stopped = false; ///< it gets no CPU, and has all that came when it goes on
  bool is_dead = false;
  bool has_lease = true;
  std::vector<std::pair<std::size_t, std::string>> unread; ///< while it is stopped
  cluster::control_metrics metrics;

private:
  std::vector<std::string> living() const override;
  std::size_t ways() const override;
  bool is_up(std::size_t way) const override;
  void carry(std::size_t way, std::string_view to, const std::string& message,
             std::uint64_t number) override;
  void execute(const control_command& command, done_handler done) override;

  network& net_;
  std::string name_;
  control_centre centre_;
};

/// Time, the channels, and what really happened.
class network {
public:
  network(std::uint64_t seed, std::size_t ways, weather conditions)
    : random(seed), up(ways, true), conditions_(std::move(conditions)) {}

  void set(weather conditions) { conditions_ = std::move(conditions); }

  node& add() {
    nodes.push_back(std::make_unique<node>(*this, cluster::make_epoch()));
    return *nodes.back();
  }

  void send(std::size_t way, const node& from, std::string_view to, const std::string& message,
            std::uint64_t number) {
    if (!up[way] || failing == way) {
      later(10ms, [this, &from, way, number] { failures_.emplace_back(&from, way, number); });
      return;
    }
    for (const auto& one : nodes)
      if (to.empty() || one->name() == to)
        deliver(way, *one, message);
  }

  void later(std::chrono::milliseconds delay, std::function<void()> what) {
    events_.emplace(now + delay, std::move(what));
  }

  void run(std::chrono::milliseconds span) {
    const auto end = now + span;
    while (now < end) {
      const auto next = events_.empty() ? next_tick_ : std::min(next_tick_, events_.begin()->first);
      now = std::max(now, next);
      while (!events_.empty() && events_.begin()->first <= now) {
        const auto event = std::move(events_.begin()->second);
        events_.erase(events_.begin());
        event();
      }
      if (now < next_tick_)
        continue;
      next_tick_ += tick;
      change_ways();
      for (std::size_t i = 0; i < nodes.size(); ++i)
        nodes[i]->on_tick();
    }
  }

  void resume(node& stopped) {
    stopped.is_stopped = false;
    for (auto& [way, message] : std::exchange(stopped.unread, {}))
      stopped.on_message(way, message);
  }

  /// Whose carrying has failed, and which command.
  std::vector<std::tuple<const node*, std::size_t, std::uint64_t>>
  take_failures_of(const node& who) {
    std::vector<std::tuple<const node*, std::size_t, std::uint64_t>> own;
    std::erase_if(failures_, [&](const auto& one) {
      if (std::get<0>(one) != &who)
        return false;
      own.push_back(one);
      return true;
    });
    return own;
  }

  /// As many connections as that are closed, on that node.
  static std::uint64_t connections_of(const std::string& user, const std::string& at) {
    return (user.size() + static_cast<unsigned char>(at.front())) % 5;
  }

  chance random;
  std::vector<bool> up;
  std::size_t failing = no_way; ///< this one carries nothing, though it is said to be up
  clock::time_point now{1h};
  std::vector<std::unique_ptr<node>> nodes;
  std::map<std::pair<std::string, std::string>, int> executed; // by node and user
  struct told {
    std::string by;
    clock::time_point asked_at;
    int times = 0;
    clock::time_point told_at{};
    control_result result{};
  };
  std::map<std::string, told> results; // by user: each command has another one

private:
  void deliver(std::size_t way, node& to, const std::string& message) {
    if (auto& losses = conditions_.to_lose; losses[to.name()] > 0) {
      --losses[to.name()];
      return;
    }
    if (conditions_.lost != 0 && random.one_in(conditions_.lost))
      return;
    const std::size_t copies =
      conditions_.doubled != 0 && random.one_in(conditions_.doubled) ? 2 : 1;
    for (std::size_t i = 0; i < copies; ++i) {
      const auto most = static_cast<std::size_t>(conditions_.most_delay.count());
      later(std::chrono::milliseconds{random.between(1, most)},
            [way, &to, message] { to.on_message(way, message); });
    }
  }

  void change_ways() {
    if (conditions_.way_changes == 0)
      return;
    for (std::size_t way = 0; way < up.size(); ++way)
      if (random.one_in(conditions_.way_changes))
        up[way] = !up[way];
  }

  weather conditions_;
  clock::time_point next_tick_ = now + tick;
  std::multimap<clock::time_point, std::function<void()>> events_;
  std::vector<std::tuple<const node*, std::size_t, std::uint64_t>> failures_;
};

node::node(network& net, std::string name)
  : net_(net),
    name_(std::move(name)),
    centre_(name_, *this, *this, metrics, [&net] { return net.now; }) {}

void node::command(const std::string& user) {
  auto& told = net_.results[user];
  told.by = name_;
  told.asked_at = net_.now;
  centre_.send(cluster::disconnect_user{user, 3503, "bye"}, [this, &told](control_result&& result) {
    ++told.times;
    told.told_at = net_.now;
    told.result = std::move(result);
  });
}

void node::on_message(std::size_t way, const std::string& bytes) {
  if (is_dead)
    return;
  if (is_stopped)
    unread.emplace_back(way, bytes);
  else
    centre_.on_message(way, bytes);
}

void node::on_tick() {
  if (is_dead || is_stopped)
    return;
  for (const auto& [who, way, number] : net_.take_failures_of(*this))
    centre_.on_carry_failed(number, way);
  centre_.tick();
}

std::vector<std::string> node::living() const {
  std::vector<std::string> all;
  for (const auto& one : net_.nodes)
    if (one->has_lease)
      all.push_back(one->name());
  return all;
}

std::size_t node::ways() const { return net_.up.size(); }
bool node::is_up(std::size_t way) const { return net_.up[way]; }

void node::carry(std::size_t way, std::string_view to, const std::string& message,
                 std::uint64_t number) {
  net_.send(way, *this, to, message, number);
}

/// Sometimes at once, sometimes after a while.
void node::execute(const control_command& command, done_handler done) {
  const auto& user = std::get<cluster::disconnect_user>(command).user;
  ++net_.executed[{name_, user}];
  const auto count = network::connections_of(user, name_);
  if (net_.random.one_in(2))
    done(count);
  else
    net_.later(std::chrono::milliseconds{net_.random.between(1, 200)},
               [done = std::move(done), count] { done(count); });
}

// --- what must hold -----------------------------------------------------------------------------

/// At most once everywhere, told once and in time, and nothing but the truth.
void judge(const network& net) {
  for (const auto& [where, times] : net.executed)
    EXPECT_EQ(times, 1) << where.second << " on " << where.first;
  for (const auto& [user, told] : net.results) {
    const auto sender = std::find_if(net.nodes.begin(), net.nodes.end(),
                                     [by = told.by](const auto& one) { return one->name() == by; });
    if ((*sender)->is_dead || (*sender)->is_stopped)
      continue;
    ASSERT_EQ(told.times, 1) << user;
    EXPECT_EQ(told.result.error, cluster::control_errc::none);
    EXPECT_EQ(told.result.nodes.front().node, told.by);
    std::set<std::string> named;
    for (const auto& one : told.result.nodes) {
      EXPECT_TRUE(named.insert(one.node).second) << "twice";
      if (one.outcome != control_outcome::done)
        continue;
      EXPECT_EQ(net.executed.count({one.node, user}), 1U) << "said to be done on " << one.node;
      EXPECT_EQ(one.count, network::connections_of(user, one.node));
    }
  }
}

void expect_in_time(const network& net) {
  for (const auto& [user, told] : net.results)
    EXPECT_LE(told.told_at - told.asked_at, cluster::control_sender::time_limit + 2 * tick) << user;
}

TEST(control, a_command_is_executed_once_everywhere_and_answered_by_all) {
  for_each_seed(100, [](std::uint64_t seed) {
    network net{seed, 1 + seed % 3, {}};
    for (std::size_t i = 0; i < 3 + seed % 4; ++i)
      net.add();
    for (int i = 0; i < 20; ++i) {
      net.nodes[net.random.between(0, net.nodes.size() - 1)]->command("user" + std::to_string(i));
      net.run(std::chrono::milliseconds{net.random.between(1, 400)});
    }
    net.run(6s);
    judge(net);
    expect_in_time(net);
    EXPECT_EQ(net.executed.size(), 20 * net.nodes.size());
    for (const auto& [user, told] : net.results) {
      EXPECT_TRUE(told.result.is_whole);
      EXPECT_EQ(told.result.nodes.size(), net.nodes.size());
      for (const auto& one : told.result.nodes)
        EXPECT_EQ(one.outcome, control_outcome::done);
    }
  });
}

TEST(control, whatever_channels_lose_double_and_reorder_it_is_executed_once_and_told_truly) {
  std::size_t done = 0;
  std::size_t all = 0;
  for_each_seed(300, [&](std::uint64_t seed) {
    network net{seed, 1 + seed % 3, {3 + seed % 5, 2 + seed % 4, 1500ms, seed % 2 == 0 ? 20U : 0U}};
    for (std::size_t i = 0; i < 5; ++i)
      net.add();
    for (int i = 0; i < 30; ++i) {
      net.nodes[net.random.between(0, 4)]->command("user" + std::to_string(i));
      net.run(std::chrono::milliseconds{net.random.between(1, 400)});
    }
    net.run(8s);
    judge(net);
    expect_in_time(net);
    for (const auto& [user, told] : net.results)
      for (const auto& one : told.result.nodes) {
        ++all;
        done += one.outcome == control_outcome::done ? 1U : 0U;
      }
  });
  if (!is_one_seed()) {
    EXPECT_GT(done, all * 8 / 10) << "it tries again";
  }
}

/// Three messages lost in a row, either way, are made up for by what follows.
TEST(control, three_losses_in_a_row_do_not_matter) {
  for_each_seed(100, [](std::uint64_t seed) {
    network net{seed, 1 + seed % 2, {}};
    auto& from = net.add();
    auto& to = net.add();
    weather bad;
    if (seed % 2 == 0)
      bad.to_lose[to.name()] = 3;
    else
      bad.to_lose[from.name()] = 4; // its own copy of the first one too
    net.set(bad);
    from.command("ann");
    net.run(6s);
    judge(net);
    ASSERT_EQ(net.results["ann"].result.nodes.size(), 2U);
    EXPECT_EQ(net.results["ann"].result.nodes[1].outcome, control_outcome::done);
    EXPECT_GT(from.metrics.retries.value(), 0U);
  });
}

TEST(control, nodes_that_are_stopped_killed_or_come_are_told_of_as_what_they_are) {
  for_each_seed(300, [](std::uint64_t seed) {
    network net{seed, 1 + seed % 3, {seed % 3 == 0 ? 10U : 0U, 5, 200ms}};
    for (std::size_t i = 0; i < 5; ++i)
      net.add();
    for (int i = 0; i < 40; ++i) {
      auto& one = *net.nodes[net.random.between(1, net.nodes.size() - 1)];
      switch (net.random.between(1, 8)) {
      case 1: one.is_stopped = true; break;
      case 2:
        if (!one.is_dead)
          net.resume(one);
        break;
      case 3: one.is_dead = true; break;
      case 4:
        if (one.is_dead || one.is_stopped)
          one.has_lease = false;
        break;
      case 5:
        if (net.nodes.size() < 9)
          net.add();
        break;
      default: break;
      }
      net.nodes.front()->command("user" + std::to_string(i));
      net.run(std::chrono::milliseconds{net.random.between(1, 1000)});
    }
    net.run(6s);
    judge(net);
    expect_in_time(net);
  });
}

TEST(control, a_stopped_node_is_timed_out_and_executes_once_when_it_goes_on) {
  network net{1, 2, {}};
  auto& from = net.add();
  auto& stopped = net.add();
  stopped.is_stopped = true;
  from.command("ann");
  net.run(6s);
  const auto& told = net.results["ann"].result;
  ASSERT_EQ(told.nodes.size(), 2U);
  EXPECT_EQ(told.nodes[0].outcome, control_outcome::done);
  EXPECT_EQ(told.nodes[1].outcome, control_outcome::timed_out);
  EXPECT_EQ(from.metrics.timed_out.value(), 1U);
  net.resume(stopped);
  net.run(1s);
  judge(net);
  EXPECT_EQ((net.executed[{stopped.name(), "ann"}]), 1);
  EXPECT_GT(stopped.metrics.repeated.value(), 0U);
  EXPECT_GT(from.metrics.late.value(), 0U);
}

TEST(control, a_node_whose_lease_ended_is_gone_and_one_that_came_is_told_too) {
  network net{1, 1, {}};
  auto& from = net.add();
  auto& killed = net.add();
  killed.is_dead = true;
  from.command("ann");
  net.run(200ms);
  auto& late = net.add();
  net.run(2s);
  killed.has_lease = false;
  net.run(4s);
  judge(net);
  const auto& told = net.results["ann"].result;
  ASSERT_EQ(told.nodes.size(), 3U);
  for (const auto& one : told.nodes)
    EXPECT_EQ(one.outcome,
              one.node == killed.name() ? control_outcome::gone : control_outcome::done);
  EXPECT_EQ((net.executed[{late.name(), "ann"}]), 1);
}

TEST(control, goes_by_another_way_at_once_when_one_fails) {
  network net{1, 2, {}};
  auto& from = net.add();
  net.add();
  net.failing = 0;
  for (const auto* const user : {"ann", "bob"}) { // one of them begins with the way that fails
    from.command(user);
    net.run(450ms);
    EXPECT_EQ(net.results[user].result.nodes.size(), 2U);
  }
  EXPECT_EQ(from.metrics.retries.value(), 0U);
  judge(net);
}

TEST(control, without_any_way_this_node_is_told_and_the_others_time_out) {
  network net{1, 2, {}};
  auto& from = net.add();
  net.add();
  net.up = {false, false};
  from.command("ann");
  net.run(6s);
  const auto& told = net.results["ann"].result;
  ASSERT_EQ(told.nodes.size(), 2U);
  EXPECT_EQ(told.nodes[0].outcome, control_outcome::done);
  EXPECT_EQ(told.nodes[1].outcome, control_outcome::timed_out);
}

TEST(control, a_node_alone_answers_at_once) {
  network net{1, 0, {}};
  auto& from = net.add();
  from.command("ann");
  net.run(400ms); // it may execute later
  EXPECT_EQ(net.results["ann"].times, 1);
  EXPECT_EQ(net.results["ann"].result.nodes.size(), 1U);
  EXPECT_TRUE(net.results["ann"].result.is_whole);
}

TEST(control, says_so_when_it_does_not_know_who_there_is) {
  network net{1, 1, {}};
  auto& from = net.add();
  from.has_lease = false;
  from.command("ann");
  net.run(4s);
  EXPECT_EQ(net.results["ann"].times, 0);
  net.run(2s);
  EXPECT_EQ(net.results["ann"].times, 1);
  EXPECT_FALSE(net.results["ann"].result.is_whole);
}

TEST(control, as_many_commands_may_wait_as_the_limit_says) {
  network net{1, 1, {}};
  auto& from = net.add();
  net.add().is_stopped = true;
  const auto most = cluster::control_sender::max_pending;
  for (std::size_t i = 0; i <= most; ++i)
    from.command("user" + std::to_string(i));
  const auto& refused = net.results["user" + std::to_string(most)];
  EXPECT_EQ(refused.times, 1);
  EXPECT_EQ(refused.result.error, cluster::control_errc::busy);
  EXPECT_EQ(from.metrics.refused.value(), 1U);
  net.run(6s);
  from.command("ann");
  net.run(6s);
  EXPECT_EQ(net.results["ann"].result.error, cluster::control_errc::none);
}

TEST(control, counts_what_is_not_a_command_and_answers_what_it_does_not_know) {
  network net{1, 1, {}};
  auto& here = net.add();
  here.on_message(0, "hello");
  here.on_message(0, "2 abcdefgh23 c 1 disconnect\n");
  here.on_message(0, "1 abcdefgh23 c 1 disconnect\n");
  EXPECT_EQ(here.metrics.bad_foreign.value(), 1U);
  EXPECT_EQ(here.metrics.bad_version.value(), 1U);
  EXPECT_EQ(here.metrics.bad_malformed.value(), 1U);
  here.on_message(0, "1 " + here.name() + " c 1 disconnect\n"
                       + std::string("\1\0a\4\0"
                                     "3503"
                                     "\0\0",
                                     11));
  EXPECT_EQ(here.metrics.received.value(), 0U) << "its own";
  here.on_message(0, "1 abcdefgh23 c 1 promote\n");
  here.on_message(0, "1 abcdefgh23 c 1 promote\n");
  EXPECT_EQ(here.metrics.received.value(), 1U);
  EXPECT_EQ(here.metrics.repeated.value(), 1U);
  EXPECT_TRUE(net.executed.empty());
}

} // namespace
} // namespace canang::sim
