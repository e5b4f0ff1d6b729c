#include "cluster/moderation/book.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace canang::cluster {
namespace {

using namespace std::chrono_literals;
using clock = moderation_act::clock;
using strings = std::vector<std::string>;

struct moderation_book_test : testing::Test {
  moderation_source source;
  moderation_metrics metrics;
  moderation_book book{source, metrics};
  clock::time_point now{1h};

  static act_change ban(const std::string& user, std::uint64_t made = 1,
                        clock::time_point ends_at = clock::time_point::max()) {
    auto act = make_act({.subject = user}, "", made, ends_at);
    return {act->text, act};
  }

  static act_change lifted(const std::string& user) {
    return {to_text(act_key{.subject = user}), nullptr};
  }

  static act_change lifted(const std::string& user, std::uint64_t made) {
    return {to_text(act_key{.subject = user}), nullptr, made};
  }

  /// What the Redis of a way lacks: `ann 1`, or `-ann 1` that it was lifted.
  std::vector<std::string> lost(std::size_t way, std::string_view after = {},
                                std::size_t limit = 9) {
    std::vector<std::string> found;
    for (const auto& one : book.lost(way, after, limit, now))
      found.push_back((one.act ? "" : "-") + read_act_key(one.key)->subject + " "
                      + std::to_string(one.made_ms));
    return found;
  }

  moderation_book::outcome take(std::size_t way, std::vector<act_change> changes,
                                bool is_whole = false, bool was_lost = false) {
    return book.take(way, {std::move(changes), is_whole, was_lost}, now);
  }

  [[nodiscard]] bool is_banned(std::string_view user) const {
    return source.get()->find(act_kind::ban, {.user = user}, now) != nullptr;
  }
};

TEST_F(moderation_book_test, tells_what_has_begun_once) {
  EXPECT_EQ(take(0, {ban("ann")}).begun.size(), 1U);
  EXPECT_TRUE(is_banned("ann"));
  EXPECT_TRUE(take(0, {ban("ann")}).begun.empty()) << "it is the same";
  EXPECT_TRUE(take(1, {ban("ann")}).begun.empty()) << "from another Redis";
  EXPECT_EQ(take(0, {ban("ann", 2)}).begun.size(), 1U) << "decided anew";
  EXPECT_EQ(metrics.in_force[0].value(), 1U);
  EXPECT_GT(metrics.memory_bytes.value(), 0U);
}

TEST_F(moderation_book_test, what_no_redis_has_any_more_is_over) {
  take(0, {ban("ann"), ban("bob")});
  take(1, {ban("ann")});
  take(0, {lifted("ann")});
  EXPECT_TRUE(is_banned("ann")) << "the other one still has it";
  take(1, {lifted("ann")});
  EXPECT_FALSE(is_banned("ann"));
  EXPECT_TRUE(is_banned("bob"));
  take(0, {}, true);
  EXPECT_FALSE(is_banned("bob")) << "not among all that there are";
  EXPECT_EQ(book.size(), 0U);
  EXPECT_EQ(metrics.memory_bytes.value(), 0U);
}

TEST_F(moderation_book_test, the_later_decision_counts_whoever_tells_of_it) {
  take(0, {ban("ann", 5, now + 1min)});
  take(1, {ban("ann", 3)});
  now += 2min;
  EXPECT_FALSE(is_banned("ann"));
  take(1, {ban("ann", 7)});
  EXPECT_TRUE(is_banned("ann"));
}

TEST_F(moderation_book_test, ends_what_is_over_and_nothing_else) {
  take(0, {ban("ann", 1, now + 10s), ban("bob", 1, now + 20s), ban("eve")});
  EXPECT_EQ(book.next_end(), now + 10s);
  const auto before = source.generation();
  book.end_due(now + 9s);
  EXPECT_EQ(source.generation(), before) << "nothing has changed";
  book.end_due(now + 10s);
  EXPECT_GT(source.generation(), before);
  EXPECT_EQ(book.size(), 2U);
  EXPECT_EQ(book.next_end(), now + 20s);
  book.end_due(now + 1h);
  EXPECT_EQ(book.size(), 1U);
  EXPECT_EQ(book.next_end(), std::nullopt);
  EXPECT_TRUE(is_banned("eve"));
}

TEST_F(moderation_book_test, a_longer_time_takes_the_place_of_a_shorter_one) {
  take(0, {ban("ann", 1, now + 10s)});
  take(0, {ban("ann", 2, now + 1h)});
  book.end_due(now + 10s);
  now += 11s;
  EXPECT_TRUE(is_banned("ann"));
}

TEST_F(moderation_book_test, ends_of_one_decision_differ_by_redis_and_the_last_one_counts) {
  for (const auto& [first, second] : {std::pair{10ms, 11ms}, std::pair{11ms, 10ms}}) {
    take(0, {ban("ann", 1, now + first)});
    EXPECT_TRUE(take(1, {ban("ann", 1, now + second)}).begun.empty()) << "it is the same";
    EXPECT_EQ(book.next_end(), now + 11ms);
    book.end_due(now + 10ms);
    EXPECT_EQ(book.size(), 1U);
    book.end_due(now + 11ms);
    EXPECT_EQ(book.size(), 0U);
    EXPECT_EQ(book.next_end(), std::nullopt);
    EXPECT_TRUE(source.get()->empty());
    EXPECT_EQ(metrics.memory_bytes.value(), 0U);
  }
}

TEST_F(moderation_book_test, an_end_that_is_told_anew_is_the_end) {
  take(0, {ban("ann", 1, now + 10ms), ban("bob", 1, now + 10ms)});
  EXPECT_TRUE(take(0, {ban("ann", 1, now + 11ms), ban("bob", 1, now + 9ms)}, true).begun.empty());
  EXPECT_EQ(book.next_end(), now + 9ms);
  book.end_due(now + 10ms);
  EXPECT_EQ(book.size(), 1U);
  now += 10ms;
  EXPECT_TRUE(is_banned("ann"));
  EXPECT_FALSE(is_banned("bob"));
  book.end_due(now + 1ms);
  EXPECT_EQ(book.size(), 0U);
}

TEST_F(moderation_book_test, news_of_what_is_over_are_none) {
  EXPECT_TRUE(take(0, {ban("ann", 1, now)}).begun.empty());
  EXPECT_EQ(book.size(), 0U);
}

TEST_F(moderation_book_test, what_a_redis_has_lost_stays_and_is_given_back) {
  take(0, {ban("ann"), ban("bob"), ban("eve")});
  take(0, {lifted("bob", 2), ban("new")}, true, true);
  EXPECT_EQ(lost(0), (strings{"ann 1", "eve 1"}));
  EXPECT_TRUE(is_banned("ann"));
  EXPECT_FALSE(is_banned("bob")) << "that one was lifted";
  EXPECT_TRUE(is_banned("new"));
  EXPECT_EQ(lost(0, ban("ann").key), strings{"eve 1"});
  EXPECT_EQ(lost(0, {}, 1), strings{"ann 1"});
  EXPECT_FALSE(book.has_lost(1)) << "it had nothing";
}

TEST_F(moderation_book_test, what_is_lost_stays_lost_until_redis_has_it) {
  take(0, {ban("ann"), ban("bob", 1), ban("eve"), ban("zoe")});
  take(0, {}, true, true);
  take(0, {ban("new")}, true, true);
  take(0, {}, true);
  EXPECT_EQ(lost(0), (strings{"ann 1", "bob 1", "eve 1", "zoe 1"})) << "whatever is read";
  EXPECT_TRUE(is_banned("ann"));
  EXPECT_FALSE(is_banned("new")) << "that one it tells nothing of any more";
  book.given_back(0, book.lost(0, {}, 1, now).at(0));
  take(0, {ban("bob", 1)});
  take(0, {lifted("eve", 2)});
  EXPECT_EQ(lost(0), strings{"zoe 1"});
  EXPECT_TRUE(is_banned("ann"));
  EXPECT_TRUE(is_banned("bob"));
  EXPECT_FALSE(is_banned("eve"));
  take(0, {ban("ann"), ban("bob")}, true);
  EXPECT_EQ(lost(0), strings{"zoe 1"});
  take(0, {lifted("zoe")});
  EXPECT_FALSE(book.has_lost(0));
}

TEST_F(moderation_book_test, what_is_lost_is_not_given_back_when_it_is_over) {
  take(0, {ban("ann", 1, now + 10s), ban("bob")});
  take(0, {}, true, true);
  now += 10s;
  EXPECT_EQ(lost(0), strings{"bob 1"});
  book.end_due(now);
  EXPECT_EQ(lost(0), strings{"bob 1"});
  EXPECT_FALSE(is_banned("ann"));
}

TEST_F(moderation_book_test, a_redis_that_has_gone_back_is_told_what_came_later) {
  take(0, {ban("ann", 5), lifted("bob", 6), ban("eve", 7), ban("zoe", 8)});
  const auto came = take(
    0, {ban("ann", 3, now + 10s), ban("bob", 4), lifted("eve", 5), ban("zoe", 9), ban("new", 1)},
    true, true);
  ASSERT_EQ(came.begun.size(), 2U);
  EXPECT_EQ(lost(0), (strings{"ann 5", "-bob 6", "eve 7"}));
  EXPECT_EQ(book.next_end(), std::nullopt) << "for good, as was decided last";
  EXPECT_FALSE(is_banned("bob"));
  EXPECT_TRUE(is_banned("eve"));
  take(0, {ban("ann", 4), ban("bob", 5)});
  EXPECT_EQ(lost(0), (strings{"ann 5", "-bob 6", "eve 7"})) << "what another node gave back";
  EXPECT_FALSE(is_banned("bob"));
  take(0, {ban("ann", 6), lifted("bob", 6), ban("eve", 7)});
  EXPECT_FALSE(book.has_lost(0));
  EXPECT_TRUE(is_banned("ann"));
}

TEST_F(moderation_book_test, a_redis_that_has_lost_nothing_says_what_holds_whatever_clocks_say) {
  take(0, {ban("ann", 5), ban("bob", 5)});
  take(0, {lifted("ann", 3), ban("bob", 3, now + 10s)});
  EXPECT_FALSE(is_banned("ann"));
  EXPECT_EQ(book.next_end(), now + 10s);
  EXPECT_FALSE(book.has_lost(0));
}

TEST_F(moderation_book_test, that_an_act_was_lifted_is_given_back_too_as_far_as_it_is_remembered) {
  take(0, {lifted("ann", 5), lifted("bob", 6)}, true);
  take(0, {ban("bob", 7)});
  take(0, {}, true, true);
  EXPECT_EQ(lost(0), (strings{"-ann 5", "bob 7"})) << "a node that missed it may give back the ban";
  std::vector<act_change> many;
  for (std::size_t i = 0; i < moderation_lifts::max_remembered; ++i)
    many.push_back(lifted("user" + std::to_string(i), 10));
  take(0, std::move(many));
  EXPECT_EQ(lost(0), strings{"bob 7"}) << "the oldest is forgotten";
}

TEST_F(moderation_book_test, goes_by_an_order_or_by_one_that_came_later) {
  const auto key = ban("ann").key;
  EXPECT_TRUE(book.goes_by(key, 5, true));
  EXPECT_FALSE(book.goes_by(key, 5, false));
  take(0, {ban("ann", 5)});
  EXPECT_TRUE(book.goes_by(key, 5, false));
  EXPECT_FALSE(book.goes_by(key, 6, false));
  EXPECT_FALSE(book.goes_by(key, 6, true));
  EXPECT_TRUE(book.goes_by(key, 4, true)) << "banned again";
  EXPECT_EQ(book.last_made_ms(key), 5U);
  take(0, {lifted("ann", 9)});
  EXPECT_EQ(book.last_made_ms(key), 9U);
}

TEST_F(moderation_book_test, is_listed_in_pages) {
  take(0, {ban("ann"), ban("bob"), ban("eve")});
  auto mute =
    make_act({.kind = act_kind::mute, .scope = act_scope::room, .place = "r", .subject = "ann"}, "",
             1, clock::time_point::max());
  take(0, {{mute->text, mute}});
  const auto first = book.list({.limit = 2}, now);
  ASSERT_EQ(first.acts.size(), 2U);
  EXPECT_EQ(first.total, 4U);
  const auto second = book.list({.after = first.next, .limit = 2}, now);
  ASSERT_EQ(second.acts.size(), 2U);
  EXPECT_EQ(second.acts[0]->key.subject, "eve");
  EXPECT_EQ(second.acts[1], mute);
  EXPECT_EQ(second.next, "");
  EXPECT_EQ(book.list({.user = "ann", .limit = 9}, now).acts.size(), 2U);
  EXPECT_EQ(book.list({.kind = act_kind::ban, .user = "ann", .limit = 9}, now).acts.size(), 1U);
  EXPECT_EQ(book.list({.place = "r", .limit = 9}, now).acts.size(), 1U);
  EXPECT_TRUE(book.list({.user = "nobody", .limit = 9}, now).acts.empty());
}

} // namespace
} // namespace canang::cluster
