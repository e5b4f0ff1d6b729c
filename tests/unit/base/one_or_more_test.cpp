#include "base/one_or_more.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <set>

namespace canang {
namespace {

struct thing {
  int number = 0;
  explicit operator bool() const { return number != 0; }
};

std::set<int> all_of(const one_or_more<thing>& things) {
  std::set<int> numbers;
  things.for_each([&](const thing& one) { numbers.insert(one.number); });
  EXPECT_EQ(numbers.size(), things.size());
  return numbers;
}

thing* find(one_or_more<thing>& things, int number) {
  return things.find_if([number](const thing& one) { return one.number == number; });
}

TEST(one_or_more, is_as_small_as_one_and_a_pointer) {
  EXPECT_EQ(sizeof(one_or_more<thing>), 2 * sizeof(void*));
}

TEST(one_or_more, keeps_what_was_added_and_not_erased) {
  one_or_more<thing> things;
  EXPECT_TRUE(things.empty());
  EXPECT_EQ(find(things, 1), nullptr);
  for (int i = 1; i <= 5; ++i)
    EXPECT_EQ(things.add({i}).number, i);
  EXPECT_EQ(all_of(things), (std::set{1, 2, 3, 4, 5}));
  things.erase(*find(things, 1));
  things.erase(*find(things, 3));
  things.erase(*find(things, 5));
  EXPECT_EQ(all_of(things), (std::set{2, 4}));
  things.erase(*find(things, 2));
  EXPECT_EQ(things.front().number, 4);
  things.erase(things.front());
  EXPECT_TRUE(things.empty());
  things.add({7});
  EXPECT_EQ(all_of(things), std::set{7});
  things.add({8});
  things.clear();
  EXPECT_EQ(things.size(), 0U);
}

} // namespace
} // namespace canang
