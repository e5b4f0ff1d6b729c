#include "net/http/pool.hpp"
#include "net/limits.hpp"

#include <gtest/gtest.h>

#include <list>
#include <memory>
#include <string>
#include <vector>

namespace canang::net {
namespace {

using namespace std::chrono_literals;

struct http_pool_test : testing::Test {
  struct connection final : http_pool::member {
    connection(http_pool_test& in, char called) : test(in), name(called) {}
    ~connection() { test.pool.leave(*this); }
    void give_way() override {
      test.gone += name;
      test.pool.leave(*this);
    }
    http_pool_test& test;
    char name;
  };

  static constexpr http_pool::clock::time_point start{1h};

  http_pool::clock::time_point now = start;
  counter open;
  http_pool pool{3, open};
  std::string gone;
  std::vector<std::unique_ptr<connection>> all;

  connection& come(char name) {
    all.push_back(std::make_unique<connection>(*this, name));
    pool.enter(*all.back(), now);
    return *all.back();
  }
};

TEST_F(http_pool_test, has_the_first_ones_go_in_order_when_it_is_full) {
  for (const char name : {'a', 'b', 'c'})
    come(name);
  EXPECT_EQ(gone, "");
  EXPECT_EQ(open.value(), 3U);
  for (const char name : {'d', 'e', 'f', 'g'})
    come(name);
  EXPECT_EQ(gone, "abcd");
  EXPECT_EQ(pool.size(), 3U);
  EXPECT_EQ(open.value(), 3U);
}

TEST_F(http_pool_test, puts_one_that_makes_a_request_behind_all_others) {
  auto& first = come('a');
  come('b');
  come('c');
  pool.note_request(first, now);
  come('d');
  come('e');
  EXPECT_EQ(gone, "bc");
  come('f');
  EXPECT_EQ(gone, "bca");
}

TEST_F(http_pool_test, has_a_place_again_when_one_has_left) {
  come('a');
  auto& second = come('b');
  come('c');
  pool.leave(second);
  pool.leave(second);
  pool.note_request(second, now);
  come('d');
  EXPECT_EQ(gone, "");
  all.clear();
  EXPECT_EQ(pool.size(), 0U);
  EXPECT_EQ(open.value(), 0U);
}

/// Of a loop that may have as many descriptors as it likes.
struct large_http_pool_test : testing::Test {
  struct connection final : http_pool::member {
    explicit connection(http_pool& of) : pool(&of) {}
    ~connection() { pool->leave(*this); }
    void give_way() override { pool->leave(*this); }
    http_pool* pool;
  };

  http_pool::clock::time_point now{1h};
  counter open;
  http_pool pool{max_http_connections_a_loop, open};
  std::list<connection> all;

  void come(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
      pool.enter(all.emplace_back(pool), now);
  }
};

TEST_F(large_http_pool_test, spares_a_burst_of_newcomers_but_has_a_limit_for_it_too) {
  come(max_http_connections_a_loop);
  EXPECT_EQ(pool.size(), max_http_connections_a_loop);
  come(100);
  EXPECT_EQ(pool.size(), max_http_connections_a_loop);
}

TEST_F(large_http_pool_test, holds_those_that_stay_silent_to_a_lower_limit) {
  come(max_silent_connections_a_loop + 500);
  EXPECT_EQ(pool.size(), max_silent_connections_a_loop + 500);
  now += newcomer_time + 1ms;
  come(300);
  EXPECT_EQ(pool.size(), max_silent_connections_a_loop + 200) << "two go for each one that comes";
  come(10'000);
  EXPECT_LE(pool.size(), max_http_connections_a_loop);
  for (int second = 0; second < 60; ++second) {
    now += newcomer_time + 1ms;
    come(200);
  }
  EXPECT_EQ(pool.size(), max_silent_connections_a_loop);
}

} // namespace
} // namespace canang::net
