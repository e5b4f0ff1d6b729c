#include "actors/user_index.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>

namespace canang::actors {
namespace {

using ids = std::vector<std::uint64_t>;

ids sorted(ids some) {
  std::sort(some.begin(), some.end());
  return some;
}

TEST(user_index, finds_all_connections_of_a_user) {
  user_index index;
  index.add("ann", 1);
  index.add("bob", 2);
  index.add("ann", 3);
  EXPECT_EQ(sorted(index.of("ann")), (ids{1, 3}));
  EXPECT_EQ(index.of("bob"), (ids{2}));
  EXPECT_EQ(index.of("cid"), ids{});
  EXPECT_EQ(index.size(), 3U);
}

TEST(user_index, knows_whose_a_connection_is) {
  user_index index;
  index.add("ann", 1);
  EXPECT_TRUE(index.is_of("ann", 1));
  EXPECT_FALSE(index.is_of("an", 1));
  EXPECT_FALSE(index.is_of("", 1));
  EXPECT_FALSE(index.is_of("ann", 2));
  EXPECT_TRUE(index.is_of("", 2)) << "of nobody";
}

TEST(user_index, connections_without_a_user_are_not_in_it) {
  user_index index;
  index.add("", 1);
  EXPECT_EQ(index.size(), 0U);
  EXPECT_EQ(index.cost(), 0U);
  index.remove(1);
}

TEST(user_index, forgets_who_has_gone_and_costs_nothing_then) {
  user_index index;
  const std::string long_name(200, 'a');
  for (std::uint64_t id = 1; id <= 5; ++id)
    index.add(long_name, id);
  EXPECT_GT(index.cost(), 5 * sizeof(std::uint64_t) + 200);
  for (const std::uint64_t id : {3, 1, 5, 2})
    index.remove(id);
  EXPECT_EQ(index.of(long_name), (ids{4}));
  index.remove(4);
  index.remove(4);
  EXPECT_EQ(index.cost(), 0U);
}

TEST(user_index, agrees_with_a_model_whatever_comes_and_goes) {
  std::mt19937_64 engine{1};
  user_index index;
  std::map<std::string, std::set<std::uint64_t>> model;
  std::map<std::uint64_t, std::string> users;
  for (std::uint64_t step = 1; step <= 20'000; ++step) {
    const auto user = "user" + std::to_string(engine() % 20);
    switch (engine() % 8) {
    case 0: {
      const auto found = index.of(user);
      EXPECT_EQ(std::set<std::uint64_t>(found.begin(), found.end()), model[user]);
      for (const auto id : found) {
        EXPECT_TRUE(index.is_of(user, id));
        index.remove(id);
        users.erase(id);
      }
      model.erase(user);
      break;
    }
    case 1:
    case 2:
    case 3:
      if (!users.empty()) {
        const auto gone =
          std::next(users.begin(), static_cast<std::ptrdiff_t>(engine() % users.size()));
        index.remove(gone->first);
        model[gone->second].erase(gone->first);
        users.erase(gone);
      }
      break;
    default:
      index.add(user, step);
      model[user].insert(step);
      users.emplace(step, user);
    }
    ASSERT_EQ(index.size(), users.size());
  }
}

} // namespace
} // namespace canang::actors
