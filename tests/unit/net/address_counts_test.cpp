#include "net/address_counts.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace canang::net {
namespace {

using boost::asio::ip::make_address;
using verdict = address_counts::verdict;

std::uint64_t key(const std::string& address) {
  return address_counts::key_of(make_address(address));
}

TEST(address_counts, serves_up_to_the_limit_tells_an_eighth_more_and_shuts_out_the_rest) {
  address_counts counts{16};
  const auto from = make_address("192.0.2.7");
  std::vector<address_counts::arrival> in;
  for (int i = 0; i < 18; ++i) {
    in.push_back(counts.arrive(from));
    EXPECT_EQ(in.back().what, i < 16 ? verdict::served : verdict::told) << i;
    EXPECT_TRUE(in.back().ticket);
  }
  const auto over = counts.arrive(from);
  EXPECT_EQ(over.what, verdict::shut);
  EXPECT_FALSE(over.ticket);
  EXPECT_EQ(counts.arrive(make_address("192.0.2.8")).what, verdict::served);
  in.pop_back();
  in.pop_back();
  in.pop_back();
  EXPECT_EQ(counts.arrive(from).what, verdict::served) << "a place is free again";
}

TEST(address_counts, tells_one_more_also_where_the_limit_is_low) {
  address_counts counts{1};
  const auto from = make_address("192.0.2.7");
  const auto first = counts.arrive(from);
  const auto second = counts.arrive(from);
  EXPECT_EQ(second.what, verdict::told);
  EXPECT_EQ(counts.arrive(from).what, verdict::shut);
}

TEST(address_counts, forgets_an_address_with_its_last_connection) {
  address_counts counts{10};
  std::vector<address_counts::arrival> in;
  for (int i = 0; i < 200; ++i)
    in.push_back(counts.arrive(make_address("10.0.0." + std::to_string(i % 100))));
  EXPECT_EQ(counts.size(), 100U);
  in.resize(100);
  EXPECT_EQ(counts.size(), 100U);
  in.clear();
  EXPECT_EQ(counts.size(), 0U);
}

TEST(address_counts, give_back_a_ticket_once_however_it_moves) {
  address_counts counts{10};
  auto first = counts.arrive(make_address("192.0.2.1")).ticket;
  auto second = counts.arrive(make_address("192.0.2.2")).ticket;
  auto moved = std::move(first);
  EXPECT_EQ(counts.size(), 2U);
  moved = std::move(second);
  second = address_ticket{};
  moved = address_ticket{};
  EXPECT_EQ(counts.size(), 0U);
}

TEST(address_counts, take_ipv6_by_64_bits_and_ipv4_as_it_is_in_either_form) {
  EXPECT_EQ(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff:ffff:ffff:ffff"));
  EXPECT_NE(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
  EXPECT_EQ(key("192.0.2.1"), key("::ffff:192.0.2.1"));
  EXPECT_NE(key("192.0.2.1"), key("192.0.2.2"));
  EXPECT_NE(key("::ffff:192.0.2.1"), key("::ffff:192.0.2.2"));
  EXPECT_NE(key("0.0.0.1"), key("::1"));
  EXPECT_NE(key("192.0.2.1"), key("::c000:201"));
}

TEST(address_counts, count_over_all_threads) {
  address_counts counts{1000};
  const auto from = make_address("192.0.2.7");
  const auto held = counts.arrive(from);
  std::vector<std::thread> loops;
  for (int loop = 0; loop < 4; ++loop)
    loops.emplace_back([&] {
      std::vector<address_counts::arrival> in;
      for (int i = 0; i < 2000; ++i) {
        in.push_back(counts.arrive(from));
        in.push_back(counts.arrive(make_address("10.0.0." + std::to_string(i % 7))));
        if (in.size() > 100)
          in.clear();
      }
    });
  for (auto& loop : loops)
    loop.join();
  EXPECT_EQ(counts.size(), 1U);
}

TEST(lane_tickets, are_kept_until_the_lane_is_free) {
  address_counts counts{10};
  lane_tickets tickets;
  tickets.keep(3, {});
  tickets.drop(3);
  tickets.keep(7, counts.arrive(make_address("192.0.2.1")).ticket);
  tickets.keep(2, counts.arrive(make_address("192.0.2.2")).ticket);
  tickets.drop(3);
  tickets.drop(100);
  EXPECT_EQ(counts.size(), 2U);
  tickets.drop(7);
  EXPECT_EQ(counts.size(), 1U);
  tickets.drop(2);
  EXPECT_EQ(counts.size(), 0U);
}

} // namespace
} // namespace canang::net
