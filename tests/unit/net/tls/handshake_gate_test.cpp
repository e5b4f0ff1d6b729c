#include "net/tls/handshake_gate.hpp"

#include "net/limits.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace canang::net {
namespace {

using namespace std::chrono_literals;

/// Work that lasts so long.
void work(handshake_gate& gate, std::chrono::microseconds time) {
  gate.measure([&] {
    const auto until = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < until) {
    }
    return 0;
  });
}

TEST(handshake_gate, lets_in_at_once_while_there_is_time) {
  boost::asio::io_context io;
  handshake_gate gate{io};
  int in = 0;
  gate.enter([&] { ++in; });
  gate.enter([&] { ++in; });
  EXPECT_EQ(in, 2);
  EXPECT_EQ(gate.waiting(), 0U);
}

TEST(handshake_gate, has_those_wait_that_come_when_the_share_is_used_up) {
  boost::asio::io_context io;
  handshake_gate gate{io, 1h};
  gate.enter([&] { work(gate, tls_handshake_share + 100us); });
  for (int i = 0; i < 6; ++i)
    gate.enter([] { ADD_FAILURE(); });
  EXPECT_EQ(gate.waiting(), 6U);
}

TEST(handshake_gate, lets_in_one_a_period_in_their_order_when_one_uses_the_share_up) {
  boost::asio::io_context io;
  handshake_gate gate{io};
  std::vector<int> in;
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 7; ++i)
    gate.enter([&, i] {
      in.push_back(i);
      work(gate, tls_handshake_share + 100us);
    });
  io.run();
  EXPECT_EQ(in, (std::vector{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_GE(std::chrono::steady_clock::now() - began, 6 * tls_handshake_period);
}

TEST(handshake_gate, has_nobody_overtake_those_who_wait) {
  boost::asio::io_context io;
  handshake_gate gate{io};
  std::vector<int> in;
  gate.enter([&] { work(gate, tls_handshake_share + 100us); });
  gate.enter([&] { in.push_back(1); });
  const auto later = std::chrono::steady_clock::now() + tls_handshake_period;
  while (std::chrono::steady_clock::now() < later) {
  }
  gate.enter([&] { in.push_back(2); });
  io.run();
  EXPECT_EQ(in, (std::vector{1, 2}));
}

TEST(handshake_gate, drops_those_who_wait_when_it_goes) {
  boost::asio::io_context io;
  auto gate = std::make_unique<handshake_gate>(io, 1h);
  const auto kept = std::make_shared<int>();
  gate->enter([&] { work(*gate, tls_handshake_share + 100us); });
  gate->enter([kept] { ADD_FAILURE(); });
  EXPECT_EQ(kept.use_count(), 2);
  gate.reset();
  EXPECT_EQ(kept.use_count(), 1);
  io.run();
}

} // namespace
} // namespace canang::net
