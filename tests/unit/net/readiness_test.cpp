#include "net/readiness.hpp"

#include "net/limits.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace canang::net {
namespace {

/// Two ends of a TCP connection of this machine, non-blocking.
std::pair<int, int> connected_sockets() {
  const auto open = [] { return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); };
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  const int listener = open();
  const int client = open();
  EXPECT_EQ(::bind(listener, any, size), 0);
  EXPECT_EQ(::listen(listener, 1), 0);
  EXPECT_EQ(::getsockname(listener, any, &size), 0);
  EXPECT_EQ(::connect(client, any, size), 0);
  const int server = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  EXPECT_GE(server, 0);
  ::close(listener);
  ::fcntl(client, F_SETFL, O_NONBLOCK);
  const int on = 1;
  ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return {server, client};
}

/// One end is watched, the other is the client's.
class watched final : public readiness::listener {
public:
  watched(readiness& set, std::uint32_t place) : set_(set), place_(place) {
    auto [accepted, connected] = connected_sockets();
    server = accepted;
    client = connected;
    EXPECT_TRUE(set_.add(place, server, *this));
  }
  watched(const watched&) = delete;
  watched& operator=(const watched&) = delete;

  ~watched() {
    ::close(server);
    ::close(client);
  }

  void on_ready(std::uint32_t events) override {
    told.push_back(events);
    if (action)
      action(events);
  }
  void on_removed() noexcept override { ++removals; }

  void send(std::size_t size = 1) const {
    const std::vector<char> bytes(size, 'x');
    EXPECT_EQ(::send(client, bytes.data(), size, MSG_NOSIGNAL), static_cast<ssize_t>(size));
  }

  ssize_t read(std::size_t size) const {
    std::vector<char> bytes(size);
    return ::recv(server, bytes.data(), size, 0);
  }

  int server = -1;
  int client = -1;
  std::vector<std::uint32_t> told;
  std::function<void(std::uint32_t)> action;
  int removals = 0;

private:
  readiness& set_;
  std::uint32_t place_;
};

struct readiness_test : testing::Test {
  std::vector<std::unique_ptr<watched>> all; // outlive the set
  readiness set;

  watched* watch(std::uint32_t place) {
    auto* const made = all.emplace_back(std::make_unique<watched>(set, place)).get();
    set.poll(); // that there is room to write is told at first
    made->told.clear();
    return made;
  }
};

TEST_F(readiness_test, tells_once_of_what_has_come_until_more_comes) {
  auto* const one = watch(0);
  one->send();
  EXPECT_EQ(set.poll(), 1U);
  ASSERT_EQ(one->told.size(), 1U);
  EXPECT_NE(one->told[0] & EPOLLIN, 0U);
  EXPECT_EQ(set.poll(), 0U) << "though it was not read";
  one->send();
  EXPECT_EQ(set.poll(), 1U);
}

TEST_F(readiness_test, tells_of_half_a_close_along_with_the_last_bytes) {
  auto* const one = watch(0);
  one->send(3);
  ::shutdown(one->client, SHUT_WR);
  EXPECT_EQ(set.poll(), 1U);
  ASSERT_EQ(one->told.size(), 1U);
  EXPECT_NE(one->told[0] & EPOLLRDHUP, 0U);
  EXPECT_EQ(one->read(100), 3) << "a short read, and yet";
  EXPECT_EQ(one->read(100), 0);
  EXPECT_EQ(set.poll(), 0U) << "it is told once";
}

TEST_F(readiness_test, tells_of_urgent_data_in_front_of_which_a_read_stops_short) {
  auto* const one = watch(0);
  one->send(3);
  EXPECT_EQ(::send(one->client, "!", 1, MSG_OOB), 1);
  one->send(2);
  EXPECT_EQ(set.poll(), 1U);
  ASSERT_EQ(one->told.size(), 1U);
  EXPECT_NE(one->told[0] & EPOLLPRI, 0U);
  EXPECT_EQ(one->read(100), 3) << "a short read, and yet";
  EXPECT_EQ(one->read(100), 2);
  EXPECT_EQ(set.poll(), 0U) << "it is told once";
}

TEST_F(readiness_test, tells_of_room_only_after_a_write_that_did_not_fit) {
  auto* const one = watch(0);
  const std::vector<char> block(64 * 1024, 'x');
  EXPECT_GT(::send(one->server, block.data(), 1, MSG_NOSIGNAL), 0);
  char byte = 0;
  EXPECT_EQ(::recv(one->client, &byte, 1, 0), 1);
  EXPECT_EQ(set.poll(), 0U) << "nothing was waiting for room";

  while (::send(one->server, block.data(), block.size(), MSG_NOSIGNAL) > 0) {
  }
  EXPECT_EQ(set.poll(), 0U);
  std::vector<char> into(block.size());
  while (::recv(one->client, into.data(), into.size(), 0) > 0) {
  }
  EXPECT_GE(set.poll(), 1U);
  ASSERT_FALSE(one->told.empty());
  EXPECT_NE(one->told[0] & EPOLLOUT, 0U);
}

TEST_F(readiness_test, tells_again_in_the_next_turn_where_it_was_asked_to) {
  auto* const one = watch(0);
  one->action = [&](std::uint32_t) {
    if (one->told.size() < 3)
      set.again(0);
  };
  one->send();
  set.poll();
  EXPECT_EQ(one->told.size(), 1U);
  EXPECT_TRUE(set.has_more());
  set.poll();
  EXPECT_EQ(one->told.size(), 2U);
  EXPECT_EQ(one->told[1], 0U);
  set.poll();
  EXPECT_EQ(one->told.size(), 3U);
  EXPECT_FALSE(set.has_more());
}

TEST_F(readiness_test, drops_what_had_happened_to_one_that_was_removed_meanwhile) {
  auto* const first = watch(0);
  auto* const second = watch(1);
  first->action = [&](std::uint32_t) { set.remove(1); };
  second->action = [&](std::uint32_t) { set.remove(0); };
  first->send();
  second->send();
  set.poll();
  EXPECT_EQ(first->told.size() + second->told.size(), 1U);
  EXPECT_EQ(first->removals + second->removals, 1);
}

TEST_F(readiness_test, does_not_tell_one_of_what_happened_to_an_earlier_one_at_its_place) {
  auto* const early = watch(0);
  set.again(0);
  early->send();
  set.remove(0);
  auto* const late = all.emplace_back(std::make_unique<watched>(set, 0)).get();
  set.poll();
  EXPECT_TRUE(early->told.empty());
  EXPECT_EQ(early->removals, 1);
  for (const auto events : late->told)
    EXPECT_EQ(events & EPOLLIN, 0U);
}

TEST_F(readiness_test, lets_go_never_from_inside_remove) {
  auto* const one = watch(0);
  set.remove(0);
  EXPECT_EQ(one->removals, 0);
  EXPECT_TRUE(set.has_more());
  set.poll();
  EXPECT_EQ(one->removals, 1);
  EXPECT_FALSE(set.has_more());
}

TEST_F(readiness_test, lets_go_of_all_when_it_is_destroyed) {
  auto own = std::make_unique<readiness>();
  watched one{*own, 0};
  watched two{*own, 1};
  own->remove(1);
  own.reset();
  EXPECT_EQ(one.removals, 1);
  EXPECT_EQ(two.removals, 1);
}

TEST_F(readiness_test, refuses_what_cannot_be_watched) {
  struct nobody final : readiness::listener {
    void on_ready(std::uint32_t) override { ADD_FAILURE(); }
    void on_removed() noexcept override { ADD_FAILURE(); }
  } who;
  EXPECT_FALSE(set.add(0, -1, who));
  set.poll();
}

TEST_F(readiness_test, ends_a_turn_that_has_cost_enough_and_tells_the_rest_in_the_next) {
  for (std::uint32_t place = 0; place < 10; ++place)
    watch(place);
  for (const auto& one : all) {
    one->action = [&](std::uint32_t) { set.charge(max_cost_a_turn / 4); };
    one->send();
  }
  std::size_t turns = 0;
  std::size_t told = 0;
  do {
    const auto now = set.poll();
    EXPECT_LE(now, 4U);
    told += now;
    ++turns;
  } while (set.has_more());
  EXPECT_EQ(told, 10U);
  EXPECT_EQ(turns, 3U);
  for (const auto& one : all)
    EXPECT_EQ(one->told.size(), 1U);
}

TEST_F(readiness_test, leaves_half_of_a_turn_to_others_than_those_that_go_on_and_on) {
  for (std::uint32_t place = 0; place < 100; ++place)
    watch(place);
  auto* const quiet = watch(100);
  for (std::uint32_t place = 0; place < 100; ++place) {
    all[place]->action = [&, place](std::uint32_t) {
      set.charge(max_cost_a_turn / 8);
      set.again(place);
    };
    set.again(place);
  }
  for (int i = 0; i < 20; ++i) { // each is told in the turn after it sent, whatever the others do
    quiet->send();
    set.poll();
    EXPECT_EQ(quiet->told.size(), static_cast<std::size_t>(i) + 1);
  }
  std::size_t least = SIZE_MAX;
  std::size_t most = 0;
  for (std::uint32_t place = 0; place < 100; ++place) {
    all[place]->action = {};
    least = std::min(least, all[place]->told.size());
    most = std::max(most, all[place]->told.size());
  }
  EXPECT_LE(most - least, 1U) << "oldest first";
}

TEST_F(readiness_test, has_half_of_a_turn_left_whatever_was_read_past_it) {
  for (std::uint32_t place = 0; place < 20; ++place)
    watch(place);
  for (std::uint32_t place = 0; place < 20; ++place) {
    all[place]->action = [&, place](std::uint32_t) {
      set.charge(max_cost_a_turn / 8);
      set.again(place);
    };
    set.again(place);
  }
  EXPECT_EQ(set.poll(), 4U) << "the half of those that go on";
  set.charge_next(max_cost_a_turn / 4);
  EXPECT_FALSE(set.is_next_charged());
  EXPECT_EQ(set.poll(), 3U);
  for (const std::size_t much : {1, 100}) {
    set.charge_next(much * max_cost_a_turn / 2);
    EXPECT_TRUE(set.is_next_charged());
    EXPECT_EQ(set.poll(), 2U) << "half of a half";
    EXPECT_FALSE(set.is_next_charged());
  }
  EXPECT_EQ(set.poll(), 4U);
}

TEST_F(readiness_test, wakes_an_io_context_that_waits_also_for_what_happened_before_it_was_armed) {
  boost::asio::io_context io{1};
  readiness_waker waker{io, set};
  auto* const one = watch(0);
  one->send();
  waker.arm();
  EXPECT_GE(io.run_one_for(std::chrono::seconds{10}), 1U);
  set.poll();
  EXPECT_EQ(one->told.size(), 1U);
  one->send();
  waker.arm();
  io.restart();
  EXPECT_GE(io.run_one_for(std::chrono::seconds{10}), 1U);
  set.poll();
  EXPECT_EQ(one->told.size(), 2U);
  waker.arm();
  io.restart();
  EXPECT_EQ(io.run_one_for(std::chrono::milliseconds{20}), 0U) << "nothing has happened";
}

} // namespace
} // namespace canang::net
