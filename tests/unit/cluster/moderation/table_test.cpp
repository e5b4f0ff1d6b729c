#include "cluster/moderation/table.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace canang::cluster {
namespace {

using namespace std::chrono_literals;
using clock = moderation_act::clock;

const clock::time_point now{1h};

act_change put(act_key key, clock::time_point ends_at = clock::time_point::max()) {
  auto act = make_act(std::move(key), "why", 1, ends_at);
  auto text = act->text;
  return {std::move(text), std::move(act)};
}

struct moderation_table_test : testing::Test {
  std::shared_ptr<const moderation_table> table = std::make_shared<const moderation_table>();

  void add(act_change change) { table = table->with(std::span{&change, 1}); }
  void remove(const act_key& key) { add({to_text(key), nullptr}); }

  [[nodiscard]] bool bans(std::string_view user, const char* address, std::string_view room) const {
    act_question asked{.user = user, .room = room};
    if (address != nullptr)
      asked.address = boost::asio::ip::make_address(address);
    return table->find(act_kind::ban, asked, now) != nullptr;
  }
};

TEST_F(moderation_table_test, knows_nothing_at_first) {
  EXPECT_TRUE(table->empty());
  EXPECT_FALSE(bans("ann", "192.0.2.1", "chat:1"));
  EXPECT_FALSE(table->find_lockdown("chat:1", now));
}

TEST_F(moderation_table_test, finds_a_user_in_the_scope_alone) {
  add(put({.scope = act_scope::room, .place = "chat:1", .subject = "ann"}));
  EXPECT_TRUE(bans("ann", nullptr, "chat:1"));
  EXPECT_FALSE(bans("ann", nullptr, "chat:2"));
  EXPECT_FALSE(bans("ann", nullptr, ""));
  EXPECT_FALSE(bans("bob", nullptr, "chat:1"));
  add(put({.scope = act_scope::name_space, .place = "talk", .subject = "ann"}));
  EXPECT_TRUE(bans("ann", nullptr, "talk:x"));
  EXPECT_FALSE(bans("ann", nullptr, "talk")) << "a room without a namespace";
  EXPECT_FALSE(bans("ann", nullptr, ":talk"));
  add(put({.subject = "bob"}));
  EXPECT_TRUE(bans("bob", nullptr, ""));
  EXPECT_TRUE(bans("bob", nullptr, "any"));
  EXPECT_EQ(table->size(), 3U);
}

TEST_F(moderation_table_test, finds_addresses_by_any_length_that_is_there) {
  EXPECT_FALSE(table->has_addresses());
  add(put({.target = act_target::address, .subject = "192.0.2.0/24"}));
  add(put({.target = act_target::address, .subject = "10.0.0.0/8"}));
  add(put({.target = act_target::address, .subject = "2001:db8::/32"}));
  EXPECT_TRUE(table->has_addresses());
  EXPECT_TRUE(bans("", "192.0.2.77", ""));
  EXPECT_TRUE(bans("", "::ffff:192.0.2.77", ""));
  EXPECT_TRUE(bans("ann", "10.9.8.7", "room"));
  EXPECT_TRUE(bans("", "2001:db8:1::1", ""));
  EXPECT_FALSE(bans("", "192.0.3.1", ""));
  EXPECT_FALSE(bans("", nullptr, ""));
  remove({.target = act_target::address, .subject = "192.0.2.0/24"});
  EXPECT_FALSE(bans("", "192.0.2.77", ""));
  EXPECT_TRUE(bans("", "10.9.8.7", ""));
}

TEST_F(moderation_table_test, a_user_without_a_name_is_nobody_who_could_be_banned_by_name) {
  add(put({.subject = "ann"}));
  EXPECT_FALSE(bans("", nullptr, ""));
}

TEST_F(moderation_table_test, an_act_that_is_over_is_none) {
  add(put({.subject = "ann"}, now + 1ms));
  add(put({.subject = "bob"}, now));
  EXPECT_TRUE(bans("ann", nullptr, ""));
  EXPECT_FALSE(bans("bob", nullptr, ""));
}

TEST_F(moderation_table_test, kinds_do_not_mix) {
  add(put({.kind = act_kind::mute, .subject = "ann"}));
  EXPECT_FALSE(bans("ann", nullptr, ""));
  EXPECT_TRUE(table->find(act_kind::mute, {.user = "ann"}, now));
  add(put({.kind = act_kind::lockdown,
           .target = act_target::all,
           .scope = act_scope::name_space,
           .place = "chat"}));
  EXPECT_TRUE(table->find_lockdown("chat:1", now));
  EXPECT_FALSE(table->find_lockdown("talk:1", now));
}

TEST_F(moderation_table_test, an_earlier_one_stays_what_it_was) {
  add(put({.subject = "ann"}));
  const auto before = table;
  remove({.subject = "ann"});
  EXPECT_FALSE(bans("ann", nullptr, ""));
  EXPECT_TRUE(before->find(act_kind::ban, {.user = "ann"}, now));
  EXPECT_TRUE(table->empty());
  remove({.subject = "ann"}); // again
  EXPECT_TRUE(table->empty());
}

TEST_F(moderation_table_test, holds_many) {
  std::vector<act_change> changes;
  for (int i = 0; i < 5000; ++i)
    changes.push_back(put({.subject = "user" + std::to_string(i)}));
  table = table->with(changes);
  EXPECT_EQ(table->size(), 5000U);
  for (int i = 0; i < 5000; ++i)
    ASSERT_TRUE(bans("user" + std::to_string(i), nullptr, "")) << i;
  EXPECT_FALSE(bans("user5000", nullptr, ""));
  for (auto& one : changes)
    one.act = nullptr;
  EXPECT_TRUE(table->with(changes)->empty());
}

} // namespace
} // namespace canang::cluster
