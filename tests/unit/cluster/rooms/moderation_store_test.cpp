// The acts of moderators on a real redis-server, by two nodes.

#include "cluster/rooms/moderation_store.hpp"

#include "tests/unit/support/presence_fixture.hpp"

#include <unistd.h>

#include <cstdio>
#include <set>

namespace canang::cluster {
namespace {

struct moderation_store_test : presence_fixture {
  /// What a node has been told.
  struct reader {
    node_under_test& node;
    std::map<std::string, act_ptr> acts{};
    std::map<std::string, std::uint64_t> lifted{};
    int wholes = 0;
    int lost = 0;
    int news = 0;
    std::size_t bad = 0;
  };
  std::deque<reader> readers;

  reader& listen(node_under_test& node) {
    auto& own = readers.emplace_back(reader{node});
    node.broker->moderation().listen({.on_news =
                                        [&own](act_news&& news) {
                                          ++own.news;
                                          own.wholes += news.is_whole;
                                          own.lost += news.was_lost;
                                          if (news.is_whole)
                                            own.acts.clear();
                                          for (auto& [key, act, lifted_ms] : news.changes)
                                            if (act)
                                              own.acts[key] = act;
                                            else
                                              own.acts.erase(key), own.lifted[key] = lifted_ms;
                                        },
                                      .on_bad = [&own](std::size_t count) { own.bad += count; }});
    EXPECT_TRUE(until([&] { return own.wholes == 1; }));
    return own;
  }

  static std::string key_of(const std::string& user) { return to_text(act_key{.subject = user}); }

  static act_write put(const std::string& user, std::chrono::milliseconds lasts = 0ms,
                       const std::string& reason = {}) {
    return {.key = key_of(user), .made_ms = 7, .lasts = lasts, .reason = reason};
  }

  static act_write drop(const std::string& user, std::uint64_t made_ms = 8) {
    return {.does = act_write::what::drop, .key = key_of(user), .made_ms = made_ms};
  }

  static act_write given_back(act_write::what does, const std::string& user,
                              std::uint64_t made_ms) {
    return {.does = does, .key = key_of(user), .made_ms = made_ms};
  }

  std::vector<act_stored> write(reader& by, std::vector<act_write> what) {
    std::optional<std::vector<act_stored>> came;
    by.node.broker->moderation().write(
      std::move(what), [&](std::vector<act_stored>&& answer) { came = std::move(answer); });
    EXPECT_TRUE(until([&] { return came.has_value(); }));
    return *came;
  }

  void reread(reader& by) {
    bool is_done = false;
    by.node.broker->moderation().reread([&] { is_done = true; });
    EXPECT_TRUE(until([&] { return is_done; }));
  }

  static std::set<std::string> users_of(const reader& of) {
    std::set<std::string> users;
    for (const auto& [key, act] : of.acts)
      users.insert(act->key.subject);
    return users;
  }
};

using users = std::set<std::string>;

TEST_F(moderation_store_test, what_one_node_writes_the_other_reads) {
  auto& a = listen(start("n1"));
  auto& b = listen(start("n2"));
  EXPECT_EQ(write(a, {put("ann", 60s, "spam and more"), put("bob")}),
            (std::vector{act_stored::done, act_stored::done}));
  reread(b);
  ASSERT_EQ(users_of(b), (users{"ann", "bob"}));
  const auto& ann = *b.acts.at(key_of("ann"));
  EXPECT_EQ(ann.reason, "spam and more");
  EXPECT_EQ(ann.made_ms, 7U);
  const auto left = ann.ends_at - std::chrono::steady_clock::now();
  EXPECT_TRUE(left > 50s && left <= 61s);
  EXPECT_EQ(b.acts.at(key_of("bob"))->ends_at, moderation_act::clock::time_point::max());
  EXPECT_EQ(write(b, {drop("ann"), drop("nobody")}),
            (std::vector{act_stored::done, act_stored::absent}));
  reread(a);
  EXPECT_EQ(users_of(a), users{"bob"});
}

TEST_F(moderation_store_test, a_node_that_was_told_nothing_reads_it_all_the_same) {
  auto& a = listen(start("n1"));
  auto& b = listen(start("n2"));
  write(a, {put("ann")});
  b.node.ahead += 1s;
  EXPECT_TRUE(until([&] { return users_of(b) == users{"ann"}; }));
}

TEST_F(moderation_store_test, reads_only_what_has_changed) {
  auto& a = listen(start("n1"));
  auto& b = listen(start("n2"));
  write(a, {put("ann")});
  reread(b); // the data's first life: all
  const auto wholes = b.wholes;
  const auto news = b.news;
  reread(b);
  EXPECT_EQ(b.news, news) << "nothing is new";
  write(a, {put("bob"), drop("ann"), put("eve")});
  reread(b);
  EXPECT_EQ(b.wholes, wholes);
  EXPECT_EQ(users_of(b), (users{"bob", "eve"}));
}

TEST_F(moderation_store_test, a_node_that_comes_reads_all_in_pages) {
  auto& a = listen(start("n1"));
  std::vector<act_write> some;
  for (int i = 0; i < 1300; ++i) {
    some.push_back(put("user" + std::to_string(i)));
    if (some.size() == 100)
      write(a, std::exchange(some, {}));
  }
  auto& b = listen(start("n2"));
  EXPECT_EQ(b.acts.size(), 1300U);
  EXPECT_EQ(b.news, 1);
}

TEST_F(moderation_store_test, one_that_missed_too_much_reads_all) {
  auto& a = listen(start("n1"));
  auto& b = listen(start("n2"));
  write(a, {put("ann"), put("bob")});
  reread(b);
  const auto wholes = b.wholes;
  const auto lost = b.lost;
  b.node.ahead -= 1h; // reads nothing of itself
  for (int round = 0; round < 12; ++round) {
    std::vector<act_write> some;
    for (int i = 0; i < 100; ++i) {
      some.push_back(put("x" + std::to_string(round * 100 + i)));
      some.push_back(drop("x" + std::to_string(round * 100 + i)));
    }
    write(a, std::move(some));
  }
  write(a, {drop("bob")});
  b.node.ahead += 1h;
  reread(b);
  EXPECT_EQ(users_of(b), users{"ann"});
  EXPECT_EQ(b.wholes, wholes + 1);
  EXPECT_EQ(b.lost, lost) << "Redis has lost nothing";
}

TEST_F(moderation_store_test, an_act_that_is_over_is_not_there) {
  auto& a = listen(start("n1"));
  write(a, {put("ann", 50ms), put("bob", 60s)});
  rest();
  auto& b = listen(start("n2"));
  EXPECT_EQ(users_of(b), users{"bob"});
  EXPECT_EQ(raw(a.node, {"HLEN", "test:{moderation}:acts"}), "1");
  EXPECT_EQ(raw(a.node, {"ZCARD", "test:{moderation}:numbers"}), "1");
  EXPECT_EQ(raw(a.node, {"ZCARD", "test:{moderation}:ends"}), "1");
}

TEST_F(moderation_store_test, a_redis_that_takes_no_writes_is_read) {
  auto& a = listen(start("n1"));
  a.node.ahead -= 1h; // reads nothing of itself
  write(a, {put("ann", 50ms), put("bob")});
  EXPECT_EQ(raw({"CONFIG", "SET", "min-replicas-to-write", "1"}), "OK");
  rest();
  reread(a);
  EXPECT_EQ(users_of(a), (users{"ann", "bob"})) << "it cannot clean up";
  EXPECT_TRUE(a.acts.at(key_of("ann"))->is_over(std::chrono::steady_clock::now()));
}

TEST_F(moderation_store_test, a_redis_that_has_lost_its_data_is_noticed_and_takes_it_back) {
  auto& a = listen(start("n1"));
  write(a, {put("ann"), put("bob")});
  reread(a);
  const auto lost = a.lost;
  raw(a.node, {"FLUSHALL"});
  reread(a);
  EXPECT_EQ(a.lost, lost + 1);
  EXPECT_TRUE(a.acts.empty()) << "what is kept is the book's business";
  auto back = put("ann");
  back.does = act_write::what::restore;
  EXPECT_EQ(write(a, {back}), std::vector{act_stored::done});
  EXPECT_EQ(write(a, {back}), std::vector{act_stored::absent}) << "it is there again";
  write(a, {drop("ann")});
  EXPECT_EQ(write(a, {back}), std::vector{act_stored::absent}) << "it was lifted";
  reread(a);
  EXPECT_TRUE(a.acts.empty());
}

TEST_F(moderation_store_test, after_a_loss_also_what_others_give_back_meanwhile_is_news_of_one) {
  auto& a = listen(start("n1"));
  auto& b = listen(start("n2"));
  write(a, {put("ann"), put("bob")});
  reread(b);
  raw(a.node, {"FLUSHALL"});
  reread(b);
  const auto lost = b.lost;
  write(a, {given_back(act_write::what::restore, "ann", 7)});
  reread(b);
  EXPECT_EQ(b.lost, lost + 1) << "what is not told yet is not to be dropped";
}

TEST_F(moderation_store_test, what_is_given_back_undoes_nothing_that_was_ordered_later) {
  using what = act_write::what;
  auto& a = listen(start("n1"));
  const auto gives = [&](what does, std::uint64_t made_ms) {
    return write(a, {given_back(does, "ann", made_ms)}).at(0) == act_stored::done;
  };
  write(a, {put("ann")});
  EXPECT_FALSE(gives(what::restore, 7)) << "it is there";
  EXPECT_FALSE(gives(what::restore, 6));
  EXPECT_FALSE(gives(what::redrop, 7));
  EXPECT_TRUE(gives(what::restore, 9));
  reread(a);
  EXPECT_EQ(a.acts.at(key_of("ann"))->made_ms, 9U);
  EXPECT_TRUE(gives(what::redrop, 10));
  reread(a);
  EXPECT_TRUE(a.acts.empty());
  EXPECT_EQ(a.lifted.at(key_of("ann")), 10U);
  EXPECT_FALSE(gives(what::restore, 10));
  EXPECT_FALSE(gives(what::redrop, 10));
  EXPECT_TRUE(gives(what::restore, 11));
  EXPECT_EQ(raw(a.node, {"HLEN", "test:{moderation}:lifted"}), "0");
  EXPECT_EQ(raw(a.node, {"ZCARD", "test:{moderation}:dropped"}), "0");
  EXPECT_EQ(raw(a.node, {"HGET", "test:{moderation}:about", "g"}), "0");
}

TEST_F(moderation_store_test, what_was_lifted_leaves_a_mark_though_it_was_not_there) {
  auto& a = listen(start("n1"));
  auto& b = listen(start("n2"));
  EXPECT_EQ(write(a, {drop("ann", 8), drop("ann", 9)}),
            (std::vector{act_stored::absent, act_stored::absent}));
  reread(b);
  EXPECT_EQ(b.lifted.at(key_of("ann")), 9U);
  EXPECT_EQ(write(b, {given_back(act_write::what::restore, "ann", 9)}),
            std::vector{act_stored::absent});
  EXPECT_EQ(raw(a.node, {"HGET", "test:{moderation}:about", "g"}), "1");
}

TEST_F(moderation_store_test, marks_of_what_was_lifted_are_bounded) {
  auto& a = listen(start("n1"));
  for (int round = 0; round < 11; ++round) {
    std::vector<act_write> some;
    for (int i = 0; i < 100; ++i)
      some.push_back(drop("x" + std::to_string(round * 100 + i)));
    write(a, std::move(some));
  }
  for (const auto* const of : {"numbers", "dropped"})
    EXPECT_EQ(raw(a.node, {"ZCARD", std::string{"test:{moderation}:"} + of}), "1024");
  EXPECT_EQ(raw(a.node, {"HLEN", "test:{moderation}:lifted"}), "1024");
}

TEST_F(moderation_store_test, a_number_is_not_used_again_when_the_data_have_gone_back) {
  auto& a = listen(start("n1"));
  const auto number_of = [&](const std::string& user) {
    return std::stod(raw(a.node, {"ZSCORE", "test:{moderation}:numbers", key_of(user)}));
  };
  write(a, {put("ann"), put("bob")});
  EXPECT_GT(number_of("bob"), number_of("ann"));
  raw(a.node, {"HSET", "test:{moderation}:about", "r", "1"});
  write(a, {put("eve")});
  EXPECT_GT(number_of("eve"), number_of("bob"));
}

/// As with a replica that lagged, was promoted, and has taken more orders than were lost.
TEST_F(moderation_store_test, a_redis_whose_data_have_gone_back_is_noticed_though_it_went_on) {
  const auto file = "moderation_store_test." + std::to_string(::getpid());
  auto arguments = test::documented_acl("test");
  arguments.insert(arguments.end(), {"--dbfilename", file});
  process->kill();
  process = std::make_unique<redis_process>(process->port(), arguments);
  auto& a = listen(start("n1"));
  write(a, {put("ann")});
  EXPECT_EQ(raw({"SAVE"}), "OK");
  auto later = put("ann");
  later.made_ms = 9;
  write(a, {later, put("bob")});
  reread(a);
  EXPECT_EQ(users_of(a), (users{"ann", "bob"}));
  const auto lost = a.lost;
  redis_process other{test::free_port(), arguments};
  admin = std::make_unique<administrator>(io, other.port());
  write(listen(start("n2", other.port())), {put("x"), put("y"), put("z")});
  EXPECT_EQ(raw({"SAVE"}), "OK");
  process->kill();
  process->start();
  EXPECT_TRUE(until([&] { return a.lost == lost + 1; }));
  std::remove((testing::TempDir() + file).c_str());
  EXPECT_EQ(users_of(a), (users{"ann", "x", "y", "z"}));
  EXPECT_EQ(a.acts.at(key_of("ann"))->made_ms, 7U) << "what came later is the book's business";
}

TEST_F(moderation_store_test, what_is_no_act_is_left_out_and_counted) {
  auto& a = listen(start("n1"));
  write(a, {put("ann"), put("bob"), put("eve")});
  raw(a.node, {"HSET", "test:{moderation}:acts", key_of("bob"), "garbage"});
  raw(a.node, {"HSET", "test:{moderation}:acts", key_of("eve"), "2 1 0 newer"});
  auto& b = listen(start("n2"));
  EXPECT_EQ(users_of(b), users{"ann"});
  EXPECT_EQ(b.bad, 2U);
}

TEST_F(moderation_store_test, a_read_that_waits_is_answered_when_redis_is_back) {
  auto& a = listen(start("n1"));
  write(a, {put("ann")});
  process->signal(SIGSTOP);
  bool is_done = false;
  a.node.broker->moderation().reread([&] { is_done = true; });
  rest();
  EXPECT_FALSE(is_done);
  process->signal(SIGCONT);
  EXPECT_TRUE(until([&] { return is_done; }));
  EXPECT_EQ(users_of(a), users{"ann"});
}

} // namespace
} // namespace canang::cluster
