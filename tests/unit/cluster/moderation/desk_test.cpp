#include "cluster/moderation/desk.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <set>

namespace canang::cluster {
namespace {

using namespace std::chrono_literals;
using clock = moderation_act::clock;

/// Notes what the desk wants; commands are executed on this node alone.
struct noting_staff final : moderation_staff {
  struct written {
    std::size_t way;
    std::uint64_t ticket;
    std::vector<act_write> what;
  };

  std::size_t ways() const override { return ups.size(); }
  bool is_up(std::size_t way) const override { return ups[way]; }
  void write(std::size_t way, std::uint64_t ticket, std::vector<act_write> what) override {
    writes.push_back({way, ticket, std::move(what)});
  }
  void reread(std::size_t way, std::uint64_t ticket) override { rereads.emplace_back(way, ticket); }
  void end_connections(std::uint64_t ticket, const std::vector<act_ptr>& acts) override {
    endings.emplace_back(ticket, acts);
  }
  void tell_all(const control_command& command, const control_handler& handler) override {
    told.push_back(std::get<read_acts>(command));
    desk->execute(std::get<read_acts>(command), [handler](std::uint64_t count) {
      handler({.nodes = {{.node = "own", .outcome = control_outcome::done, .count = count}}});
    });
  }
  void wake_at(clock::time_point when) override { wakes.push_back(when); }

  moderation_desk* desk = nullptr;
  std::vector<bool> ups;
  std::vector<written> writes;
  std::vector<std::pair<std::size_t, std::uint64_t>> rereads;
  std::vector<std::pair<std::uint64_t, std::vector<act_ptr>>> endings;
  std::vector<read_acts> told;
  std::vector<clock::time_point> wakes;
};

struct moderation_desk_test : testing::Test {
  clock::time_point now{1h};
  moderation_source source;
  moderation_metrics metrics;
  noting_staff staff;
  moderation_desk desk{staff, source, metrics, [this] { return now; }};
  std::vector<moderation_result> results;

  void SetUp() override { staff.desk = &desk; }

  void order(moderation_wish wish) {
    desk.order(std::move(wish), [this](moderation_result&& came) { results.push_back(came); });
  }

  void ban(const std::string& user, std::chrono::milliseconds lasts = 0ms) {
    order({.key = {.subject = user}, .lasts = lasts});
  }

  void unban(const std::string& user) { order({.key = {.subject = user}, .is_lifted = true}); }

  /// The Redis of that way answers the write that is `index`-th.
  void answer(std::size_t index, act_stored what) {
    desk.on_written(staff.writes.at(index).ticket, {what});
  }

  static act_change change(const std::string& user, std::uint64_t made = 1) {
    auto act = make_act({.subject = user}, "", made, clock::time_point::max());
    return {act->text, act};
  }

  [[nodiscard]] bool is_banned(std::string_view user) const {
    return source.get()->find(act_kind::ban, {.user = user}, now) != nullptr;
  }
};

TEST_F(moderation_desk_test,
       alone_an_order_is_in_force_at_once_and_answered_when_it_has_ended_all) {
  source.set_known();
  ban("ann");
  EXPECT_TRUE(is_banned("ann"));
  EXPECT_TRUE(results.empty());
  ASSERT_EQ(staff.endings.size(), 1U);
  desk.on_ended(staff.endings[0].first, 3);
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].nodes.nodes.at(0).count, 3U);
  EXPECT_EQ(metrics.ended.value(), 3U);
  unban("ann");
  EXPECT_FALSE(is_banned("ann"));
  ASSERT_EQ(results.size(), 2U);
  EXPECT_TRUE(results[1].was_there);
  unban("ann");
  EXPECT_FALSE(results.at(2).was_there);
}

TEST_F(moderation_desk_test, a_mute_and_a_lockdown_end_nothing) {
  source.set_known();
  order({.key = {.kind = act_kind::mute, .subject = "ann"}});
  order({.key = {.kind = act_kind::lockdown, .target = act_target::all}});
  EXPECT_TRUE(staff.endings.empty());
  EXPECT_EQ(results.size(), 2U);
}

TEST_F(moderation_desk_test, of_a_cluster_stores_in_each_redis_and_tells_all_nodes) {
  staff.ups = {true, true};
  desk.on_news(0, {.is_whole = true});
  ban("ann", 60s);
  ASSERT_EQ(staff.writes.size(), 2U);
  EXPECT_EQ(staff.writes[0].what.at(0).lasts, 60s);
  EXPECT_EQ(staff.writes[0].what.at(0).made_ms, staff.writes[1].what.at(0).made_ms);
  answer(0, act_stored::done);
  EXPECT_TRUE(staff.told.empty()) << "one is missing";
  answer(1, act_stored::done);
  ASSERT_EQ(staff.told.size(), 1U);
  ASSERT_EQ(staff.rereads.size(), 2U);
  EXPECT_FALSE(is_banned("ann")) << "what Redis tells counts";
  desk.on_news(0, {.changes = {change("ann")}});
  EXPECT_TRUE(is_banned("ann"));
  desk.on_reread(staff.rereads[0].second);
  desk.on_reread(staff.rereads[1].second);
  EXPECT_TRUE(results.empty()) << "its connections are being ended";
  desk.on_ended(staff.endings.at(0).first, 2);
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].nodes.nodes.at(0).count, 2U);
}

TEST_F(moderation_desk_test, one_redis_that_has_it_is_enough_for_a_ban) {
  staff.ups = {true, false};
  ban("ann");
  answer(1, act_stored::failed);
  answer(0, act_stored::done);
  EXPECT_EQ(staff.told.size(), 1U);
  EXPECT_EQ(staff.rereads.size(), 1U) << "those that are up";
}

TEST_F(moderation_desk_test, all_redis_have_to_drop_what_is_lifted) {
  staff.ups = {true, true};
  unban("ann");
  answer(0, act_stored::done);
  answer(1, act_stored::failed);
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].error, moderation_errc::unavailable);
  EXPECT_TRUE(staff.told.empty());
  unban("ann");
  answer(2, act_stored::absent);
  answer(3, act_stored::done);
  EXPECT_EQ(staff.told.size(), 1U);
}

TEST_F(moderation_desk_test, says_why_an_order_failed) {
  staff.ups = {true};
  ban("ann");
  answer(0, act_stored::full);
  ban("bob");
  answer(1, act_stored::failed);
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[0].error, moderation_errc::full);
  EXPECT_EQ(results[1].error, moderation_errc::unavailable);
  EXPECT_EQ(metrics.failed.value(), 2U);
}

TEST_F(moderation_desk_test, orders_that_wait_are_bounded) {
  staff.ups = {true};
  for (std::size_t i = 0; i <= moderation_desk::max_orders; ++i)
    ban("user" + std::to_string(i));
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].error, moderation_errc::busy);
  EXPECT_EQ(staff.writes.size(), moderation_desk::max_orders);
}

TEST_F(moderation_desk_test, alone_acts_are_bounded) {
  source.set_known();
  std::vector<act_change> all;
  for (std::size_t i = 0; i < max_acts; ++i)
    all.push_back(change("user" + std::to_string(i)));
  desk.on_news(0, {.changes = std::move(all)});
  results.clear();
  ban("one too many");
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].error, moderation_errc::full);
  EXPECT_FALSE(is_banned("one too many"));
}

TEST_F(moderation_desk_test, a_node_that_is_cut_off_does_not_say_that_it_knows) {
  staff.ups = {false};
  bool is_done = false;
  desk.execute({.key = "bu*\nann"}, [&](std::uint64_t) { is_done = true; });
  EXPECT_FALSE(is_done);
  EXPECT_TRUE(staff.rereads.empty());
}

TEST_F(moderation_desk_test, a_node_that_is_cut_off_from_some_redis_says_only_what_it_knows) {
  staff.ups = {true, true};
  desk.on_news(0, {.changes = {change("ann", 5), change("bob", 5)}, .is_whole = true});
  desk.on_news(1, {.changes = {change("bob", 5)}, .is_whole = true});
  staff.ups = {false, true};
  std::vector<std::string> done;
  const auto execute = [&](const std::string& user, std::uint64_t made, bool is_lifted) {
    desk.execute({.key = change(user).key, .made_ms = made, .is_lifted = is_lifted},
                 [&done, user](std::uint64_t) { done.push_back(user); });
    desk.on_reread(staff.rereads.back().second);
  };
  execute("ann", 6, true);
  EXPECT_TRUE(done.empty()) << "the Redis that it does not reach had that one";
  execute("new", 6, false);
  EXPECT_TRUE(done.empty()) << "only the other Redis may have stored it";
  execute("bob", 5, false);
  EXPECT_EQ(done, std::vector<std::string>{"bob"});
  desk.on_news(1, {.changes = {change("new", 6)}});
  desk.on_ended(staff.endings.at(0).first, 0);
  EXPECT_EQ(done, (std::vector<std::string>{"bob", "new"})) << "as soon as it is told";
  execute("new", 6, false);
  EXPECT_EQ(done.size(), 3U);
  staff.ups = {true, true};
  execute("short", 7, false);
  desk.on_reread(staff.rereads.back().second);
  EXPECT_EQ(done.size(), 4U) << "it was over before it was read";
  desk.on_news(0, {.changes = {{change("ann").key, nullptr, 6}}});
  EXPECT_EQ(done.size(), 5U) << "that one is back";
  EXPECT_EQ(done.back(), "ann");
}

TEST_F(moderation_desk_test, a_command_says_what_was_ordered) {
  staff.ups = {true};
  ban("ann");
  answer(0, act_stored::done);
  unban("ann");
  answer(1, act_stored::done);
  ASSERT_EQ(staff.told.size(), 2U);
  EXPECT_EQ(staff.told[0].made_ms, staff.writes[0].what[0].made_ms);
  EXPECT_FALSE(staff.told[0].is_lifted);
  EXPECT_EQ(staff.told[1].made_ms, staff.writes[1].what[0].made_ms);
  EXPECT_TRUE(staff.told[1].is_lifted);
}

TEST_F(moderation_desk_test, an_order_comes_after_what_it_is_about_also_when_a_clock_is_ahead) {
  staff.ups = {true};
  const std::uint64_t ahead = 1ULL << 50U;
  desk.on_news(0, {.changes = {change("ann", ahead)}, .is_whole = true});
  unban("ann");
  EXPECT_EQ(staff.writes.at(0).what.at(0).made_ms, ahead + 1);
  desk.on_news(0, {.changes = {{change("ann").key, nullptr, ahead + 9}}});
  ban("ann");
  EXPECT_EQ(staff.writes.at(1).what.at(0).made_ms, ahead + 10);
}

TEST_F(moderation_desk_test, what_a_redis_has_lost_is_found_when_it_is_lifted) {
  staff.ups = {true};
  desk.on_news(0, {.changes = {change("ann")}, .is_whole = true});
  unban("ann");
  answer(0, act_stored::absent);
  desk.on_news(0, {.changes = {{change("ann").key, nullptr, staff.writes[0].what[0].made_ms}},
                   .is_whole = true,
                   .was_lost = true});
  desk.on_reread(staff.rereads.at(0).second);
  ASSERT_EQ(results.size(), 1U);
  EXPECT_TRUE(results[0].was_there);
  EXPECT_FALSE(is_banned("ann"));
  EXPECT_EQ(staff.writes.size(), 1U) << "it is not given back";
}

TEST_F(moderation_desk_test, what_the_first_news_bring_ends_nobody_since_nobody_was_let_in) {
  staff.ups = {true};
  EXPECT_FALSE(source.is_known());
  desk.on_news(0, {.changes = {change("ann")}, .is_whole = true});
  EXPECT_TRUE(source.is_known());
  EXPECT_TRUE(staff.endings.empty());
  desk.on_news(0, {.changes = {change("bob")}});
  EXPECT_EQ(staff.endings.size(), 1U);
}

TEST_F(moderation_desk_test, an_earlier_read_may_have_ended_the_connections) {
  staff.ups = {true};
  desk.on_news(0, {.is_whole = true});
  desk.on_news(0, {.changes = {change("ann")}});
  desk.on_ended(staff.endings.at(0).first, 4);
  std::uint64_t count = 0;
  desk.execute({.key = change("ann").key}, [&](std::uint64_t ended) { count = ended; });
  desk.on_reread(staff.rereads.at(0).second);
  EXPECT_EQ(count, 4U);
}

TEST_F(moderation_desk_test, many_addresses_at_once_are_looked_for_at_once) {
  source.set_known();
  std::vector<act_change> changes;
  for (int i = 0; i < 20; ++i) {
    auto act =
      make_act({.target = act_target::address, .subject = "192.0.2." + std::to_string(i) + "/32"},
               "", 1, clock::time_point::max());
    changes.push_back({act->text, act});
  }
  desk.on_news(0, {.changes = std::move(changes)});
  ASSERT_EQ(staff.endings.size(), 1U);
  EXPECT_EQ(staff.endings[0].second.size(), 20U);
}

TEST_F(moderation_desk_test, gives_a_redis_back_what_it_has_lost) {
  staff.ups = {true};
  desk.on_news(0, {.changes = {change("ann"), change("bob")}, .is_whole = true});
  desk.on_news(0, {.changes = {change("ann")}, .is_whole = true, .was_lost = true});
  ASSERT_EQ(staff.writes.size(), 1U);
  const auto& back = staff.writes[0].what.at(0);
  EXPECT_EQ(back.does, act_write::what::restore);
  EXPECT_EQ(back.key, change("bob").key);
  EXPECT_EQ(back.lasts, 0ms) << "for good";
  EXPECT_TRUE(is_banned("bob"));
  EXPECT_EQ(metrics.put_back.value(), 0U) << "not yet";
  answer(0, act_stored::done);
  EXPECT_EQ(metrics.put_back.value(), 1U);
  now += moderation_desk::give_back_interval;
  desk.on_due();
  EXPECT_EQ(staff.writes.size(), 1U) << "it has it";
}

TEST_F(moderation_desk_test, tries_again_to_give_back_what_a_redis_does_not_take) {
  staff.ups = {true};
  desk.on_news(0, {.changes = {change("ann")}, .is_whole = true});
  desk.on_news(0, {.is_whole = true, .was_lost = true});
  EXPECT_EQ(staff.wakes.back(), now + moderation_desk::give_back_interval);
  for (const auto what : {act_stored::failed, act_stored::full, act_stored::absent}) {
    answer(staff.writes.size() - 1, what);
    const auto before = staff.writes.size();
    desk.on_due();
    EXPECT_EQ(staff.writes.size(), before) << "not at once";
    now += moderation_desk::give_back_interval;
    desk.on_due();
    EXPECT_EQ(staff.writes.size(), before + 1);
    now += moderation_desk::give_back_interval;
    desk.on_due();
    EXPECT_EQ(staff.writes.size(), before + 1) << "that has no answer yet";
  }
  desk.on_news(0, {.changes = {change("new", 2)}, .is_whole = true, .was_lost = true});
  EXPECT_TRUE(is_banned("ann")) << "an order in between does not end it";
  answer(staff.writes.size() - 1, act_stored::failed);
  staff.ups = {false};
  const auto before = staff.writes.size();
  now += moderation_desk::give_back_interval;
  desk.on_due();
  EXPECT_EQ(staff.writes.size(), before) << "nobody is there";
  staff.ups = {true};
  now += moderation_desk::give_back_interval;
  desk.on_due();
  EXPECT_EQ(staff.writes.size(), before + 1);
}

TEST_F(moderation_desk_test, gives_back_a_part_at_a_time) {
  staff.ups = {true, true};
  std::vector<act_change> all;
  for (int i = 0; i < 150; ++i)
    all.push_back(change("user" + std::to_string(i)));
  desk.on_news(0, {.changes = all, .is_whole = true});
  desk.on_news(1, {.changes = all, .is_whole = true});
  desk.on_news(1, {.is_whole = true, .was_lost = true});
  std::set<std::string> given;
  for (std::size_t i = 0; i < staff.writes.size(); ++i) {
    EXPECT_EQ(staff.writes[i].way, 1U);
    EXPECT_EQ(staff.writes.size(), i + 1) << "one at a time";
    for (const auto& one : staff.writes[i].what)
      given.insert(one.key);
    desk.on_written(staff.writes[i].ticket,
                    std::vector(staff.writes[i].what.size(), act_stored::done));
  }
  EXPECT_EQ(staff.writes.size(), 3U);
  EXPECT_EQ(given.size(), 150U);
  EXPECT_EQ(metrics.put_back.value(), 150U);
}

TEST_F(moderation_desk_test, gives_a_redis_back_that_an_act_was_lifted) {
  staff.ups = {true};
  desk.on_news(0, {.changes = {{change("ann").key, nullptr, 5}}, .is_whole = true});
  desk.on_news(0, {.changes = {change("ann", 4)}, .is_whole = true, .was_lost = true});
  ASSERT_EQ(staff.writes.size(), 1U);
  EXPECT_EQ(staff.writes[0].what.at(0).does, act_write::what::redrop);
  EXPECT_EQ(staff.writes[0].what.at(0).made_ms, 5U);
  EXPECT_FALSE(is_banned("ann"));
}

TEST_F(moderation_desk_test, of_an_act_that_is_ordered_again_its_last_end_is_remembered) {
  source.set_known();
  const auto ban_and_end = [&](const std::string& user, std::uint64_t made) {
    desk.on_news(0, {.changes = {change(user, made)}});
    desk.on_ended(staff.endings.back().first, 3);
  };
  ban_and_end("ann", 1);
  for (std::size_t i = 1; i < moderation_desk::max_remembered; ++i)
    ban_and_end("user" + std::to_string(i), 1);
  ban_and_end("ann", 2);
  ban_and_end("one more", 1);
  std::uint64_t count = 0;
  desk.execute({.key = change("ann").key}, [&](std::uint64_t ended) { count = ended; });
  EXPECT_EQ(count, 3U);
  desk.execute({.key = change("user1").key}, [&](std::uint64_t ended) { count = ended; });
  EXPECT_EQ(count, 0U) << "the oldest is forgotten";
}

TEST_F(moderation_desk_test, an_end_that_takes_long_keeps_no_others_remembered) {
  source.set_known();
  desk.on_news(0, {.changes = {change("slow")}});
  const auto slow = staff.endings.back().first;
  std::uint64_t count = 0;
  desk.execute({.key = change("slow").key}, [&](std::uint64_t ended) { count = ended; });
  for (std::size_t i = 0; i <= moderation_desk::max_remembered; ++i) {
    desk.on_news(0, {.changes = {change("user" + std::to_string(i))}});
    desk.on_ended(staff.endings.back().first, 2);
  }
  bool is_done = false;
  desk.execute({.key = change("user0").key}, [&](std::uint64_t ended) { is_done = ended == 0; });
  EXPECT_TRUE(is_done) << "it is forgotten";
  desk.on_ended(slow, 4);
  EXPECT_EQ(count, 4U) << "somebody waits for it";
}

TEST_F(moderation_desk_test, wakes_when_an_act_is_over) {
  source.set_known();
  order({.key = {.kind = act_kind::mute, .subject = "ann"}, .lasts = 10s});
  ASSERT_FALSE(staff.wakes.empty());
  EXPECT_EQ(staff.wakes.back(), now + 10s);
  const auto before = source.generation();
  now += 10s;
  desk.on_due();
  EXPECT_GT(source.generation(), before) << "connections ask again";
  EXPECT_TRUE(source.get()->empty());
}

} // namespace
} // namespace canang::cluster
