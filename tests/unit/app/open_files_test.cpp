#include "app/open_files.hpp"

#include "net/limits.hpp"

#include <gtest/gtest.h>

namespace canang::app {
namespace {

TEST(open_files, of_clients_never_touch_the_reserve) {
  for (const std::uint32_t workers : {1U, 2U, 7U, 64U, 256U}) {
    for (const std::size_t shards : {0U, 1U, 5U}) {
      const file_users users{workers, shards};
      for (const std::uint64_t more : {0U, 1U, 100U, 1000U, 50'000U, 1'000'000U}) {
        const auto limit = least_files(users) + more;
        for (const std::uint64_t wanted : std::initializer_list<std::uint64_t>{
               1, 3, 1000, 20'000, limit - reserved_files(users), all_connections}) {
          const auto shares = share_files(limit, users, wanted);
          EXPECT_GE(shares.connections, std::min<std::uint64_t>(wanted, 15));
          EXPECT_LE(shares.connections, wanted);
          EXPECT_GE(shares.http_connections_a_loop, 4U);
          EXPECT_LE(shares.http_connections_a_loop, net::max_http_connections_a_loop);
          EXPECT_LE(shares.connections + shares.http_connections_a_loop * workers
                      + reserved_files(users),
                    limit)
            << limit << " files, " << workers << " workers, " << wanted << " wanted";
        }
      }
    }
  }
}

TEST(open_files, are_nearly_all_for_websocket_connections) {
  EXPECT_GE(share_files(1'048'576, {4, 1}, all_connections).connections, 1'030'000U);
  EXPECT_GE(share_files(20'000, {2, 0}, all_connections).connections, 18'000U);
  EXPECT_GE(share_files(1024, {2, 1}, all_connections).connections, 750U);
}

TEST(open_files, that_are_not_wanted_for_the_ones_are_there_for_the_others) {
  const auto shares = share_files(20'000, {2, 0}, 50);
  EXPECT_EQ(shares.connections, 50U);
  EXPECT_EQ(shares.http_connections_a_loop, net::max_http_connections_a_loop);
}

TEST(open_files, are_enough_for_a_crowd_of_newcomers_where_there_are_few) {
  EXPECT_EQ(share_files(512, {1, 1}, all_connections).http_connections_a_loop, 64U);
  EXPECT_EQ(share_files(1024, {2, 1}, all_connections).http_connections_a_loop, 64U);
}

TEST(open_files, are_reserved_for_each_loop_and_each_redis) {
  EXPECT_GT(reserved_files({1, 0}), net::max_internal_connections + 32U);
  EXPECT_GE(reserved_files({5, 0}), reserved_files({1, 0}) + 4 * 7);
  EXPECT_GE(reserved_files({1, 3}), reserved_files({1, 0}) + 3 * 4);
}

TEST(open_files, have_a_limit_that_can_be_raised) { EXPECT_GT(raise_open_files_limit(), 100U); }

} // namespace
} // namespace canang::app
