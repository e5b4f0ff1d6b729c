#include "actors/hub_bans.hpp"

#include "tests/unit/support/fanout_fixture.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::actors {
namespace {

/// Of a connection that is ended when it is looked at first.
class banned_owner final : public membership_owner {
public:
  bool on_added(const add_member&) override { return true; }
  void on_removed(subscription_id) override {}
  void on_broken(subscription_id) override {}

  std::size_t on_moderated() override {
    ++asked;
    return std::exchange(left, 0);
  }

  std::size_t left = 1;
  std::size_t asked = 0;
};

struct hub_bans_test : test::fanout_fixture {
  std::map<std::uint64_t, std::uint64_t> told; // by order: what it has ended
  std::deque<banned_owner> owners;             // by the order of the connections
  std::uint64_t orders = 0;
  hub_bans bans{members, [this](const control_ticket& of, std::uint64_t ended) {
                  EXPECT_TRUE(told.emplace(of.id, ended).second) << "twice";
                }};

  void connect(std::size_t count, const std::string& address, std::string_view user = {}) {
    for (; count > 0; --count) {
      const auto id = owners.size() + 1;
      auto session = test::make_fake_session();
      session->address = address + ":4321";
      members.attach(id, session, &owners.emplace_back());
      if (!user.empty())
        members.note_user(id, user);
    }
  }

  /// @returns its number.
  std::uint64_t ban(const std::vector<std::string>& keys) {
    std::vector<cluster::act_ptr> acts;
    for (const auto& one : keys) {
      cluster::act_key key{.subject = one};
      if (one.find('/') != std::string::npos)
        key.target = cluster::act_target::address;
      acts.push_back(
        cluster::make_act(key, {}, 0, cluster::moderation_act::clock::time_point::max()));
    }
    bans.add(
      {std::make_shared<const std::vector<cluster::act_ptr>>(std::move(acts)), {{}, ++orders}});
    return orders;
  }

  [[nodiscard]] std::size_t asked() const {
    std::size_t sum = 0;
    for (const auto& one : owners)
      sum += one.asked;
    return sum;
  }

  std::size_t ticks_until_through() {
    std::size_t ticks = 0;
    for (; bans.waiting() > 0 && ticks < 10'000; ++ticks)
      bans.on_tick();
    return ticks;
  }
};

constexpr std::size_t many = 3 * hub_bans::max_looks_a_turn;

TEST_F(hub_bans_test, are_carried_out_at_once_where_there_is_little_to_do) {
  connect(2, "10.0.0.1", "ann");
  connect(3, "10.0.0.2", "bob");
  EXPECT_EQ(ban({"ann"}), 1U);
  EXPECT_EQ(ban({"10.0.0.0/8"}), 2U);
  EXPECT_EQ(ban({"nobody"}), 3U);
  EXPECT_EQ(told, (std::map<std::uint64_t, std::uint64_t>{{1, 2}, {2, 3}, {3, 0}}));
  EXPECT_EQ(bans.waiting(), 0U);
}

TEST_F(hub_bans_test, of_users_wait_for_none_of_addresses) {
  connect(many, "10.0.0.1");
  connect(3, "192.0.2.1", "ann");
  for (int i = 0; i < 100; ++i)
    ban({"10.1.0." + std::to_string(i) + "/32"});
  EXPECT_TRUE(told.empty()) << "all connections have to be looked at";
  const auto of_user = ban({"ann"});
  EXPECT_EQ(told, (std::map<std::uint64_t, std::uint64_t>{{of_user, 3}})) << "in the same turn";
}

TEST_F(hub_bans_test, of_users_that_wait_for_the_next_turn_are_its_first) {
  connect(many, "10.0.0.1", "bob");
  ban({"10.0.0.1/32"});
  connect(400, "192.0.2.1", "ann");
  const auto of_user = ban({"ann"});
  EXPECT_EQ(told.count(of_user), 0U) << "it has more connections than a turn ends";
  bans.on_tick();
  EXPECT_EQ(told.count(of_user), 0U);
  bans.on_tick();
  EXPECT_EQ(told[of_user], 400U);
}

TEST_F(hub_bans_test, of_addresses_that_wait_are_one_search_and_each_is_told_its_own) {
  connect(many, "192.0.2.1");
  for (int i = 0; i < 100; ++i)
    connect(static_cast<std::size_t>(i % 3), "10.0.0." + std::to_string(i));
  for (int i = 0; i < 100; ++i)
    ban({"10.0.0." + std::to_string(i) + "/32"});
  EXPECT_EQ(bans.waiting(), 100U);
  EXPECT_LE(ticks_until_through(), 8U) << "two searches, of four turns each";
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(told[static_cast<std::uint64_t>(i + 1)], static_cast<std::uint64_t>(i % 3)) << i;
}

TEST_F(hub_bans_test, have_one_budget_a_turn_whatever_they_are) {
  connect(1000, "10.0.0.1", "ann");
  connect(1000, "10.0.0.2", "bob");
  for (const auto* const key : {"10.0.0.1/32", "10.0.0.2/32", "ann", "bob"})
    ban({key});
  EXPECT_EQ(asked(), net::max_disconnected_a_turn);
  bans.on_tick();
  EXPECT_EQ(asked(), 2 * net::max_disconnected_a_turn);
  ticks_until_through();
  EXPECT_EQ(told.size(), 4U);
  std::uint64_t sum = 0;
  for (const auto& [order, ended] : told)
    sum += ended;
  EXPECT_EQ(sum, 2000U) << "each is counted once";
}

TEST_F(hub_bans_test, look_at_no_more_a_turn_however_many_orders_come) {
  connect(hub_bans::max_looks_a_turn / 4, "10.0.0.1");
  for (int i = 0; i < 100; ++i)
    ban({"192.0.2." + std::to_string(i) + "/32"});
  EXPECT_EQ(told.size(), 3U) << "with the fourth the turn is over";
  bans.on_tick();
  EXPECT_EQ(told.size(), 100U) << "the rest has been one search";
}

TEST_F(hub_bans_test, count_what_several_forbid_for_the_first) {
  connect(many, "192.0.2.1");
  connect(2, "10.0.0.1");
  connect(3, "10.0.0.2");
  ban({"198.51.100.1/32"}); // the others wait for it
  ban({"10.0.0.2/32"});
  ban({"10.0.0.0/24", "10.0.0.1/32"});
  ban({"10.0.0.1/32"});
  ticks_until_through();
  EXPECT_EQ(told, (std::map<std::uint64_t, std::uint64_t>{{1, 0}, {2, 3}, {3, 2}, {4, 0}}));
}

TEST_F(hub_bans_test, end_who_comes_before_a_search_begins_and_none_that_is_gone) {
  connect(many, "192.0.2.1");
  ban({"198.51.100.1/32"});
  ban({"10.0.0.1/32"});
  connect(2, "10.0.0.1"); // before it is let in it is told of the ban, too
  members.detach(owners.size());
  ticks_until_through();
  EXPECT_EQ(told[2], 1U);
}

TEST_F(hub_bans_test, are_forgotten_when_the_loop_ends) {
  connect(many, "10.0.0.1", "ann");
  ban({"10.0.0.1/32"});
  ban({"ann"});
  ban({"10.0.0.0/8"});
  EXPECT_EQ(bans.waiting(), 3U);
  bans.clear();
  EXPECT_EQ(bans.waiting(), 0U);
  bans.on_tick();
  EXPECT_TRUE(told.empty());
}

} // namespace
} // namespace canang::actors
