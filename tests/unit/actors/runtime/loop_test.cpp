#include "actors/runtime/loop.hpp"

#include "actors/messages.hpp"
#include "actors/runtime/pinned.hpp"
#include "net/limits.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>
#include <gtest/gtest.h>

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <utility>

namespace canang::actors {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 10s;

class counter final : public pinned {
public:
  counter(caf::actor_config& config, std::atomic<int>& count) : pinned(config), count_(count) {}

private:
  caf::behavior make_behavior() override {
    return {[this](const deliver&) { ++count_; }};
  }

  std::atomic<int>& count_;
};

/// Two loops, and an actor on the far one that counts its mail.
struct loop_test : testing::Test {
  caf::actor_system_config config;
  caf::actor_system system{config};
  std::atomic<int> handled{0};
  loop near{system, 0, net::session_limits{}};
  loop far{system, 1, net::session_limits{}};
  caf::actor target = spawn_pinned<counter>(system, far, std::ref(handled));

  ~loop_test() override {
    caf::anon_send_exit(target, caf::exit_reason::user_shutdown);
    target = nullptr;
    system.await_all_actors_done(); // it ends on its loop
    near.stop();
    far.stop();
  }

  void send_from_here(int count) {
    for (int i = 0; i < count; ++i)
      caf::anon_send(target, deliver{1, nullptr});
  }

  bool waits_until_handled(int count) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (handled < count && std::chrono::steady_clock::now() < deadline)
      std::this_thread::yield();
    return handled >= count;
  }

  /// Whether the far loop came round to a handler that was posted now.
  bool far_has_a_turn() {
    const auto promise = std::make_shared<std::promise<void>>(); // may outlive this call
    auto reached = promise->get_future();
    far.post([promise] { promise->set_value(); });
    return reached.wait_for(patience) == std::future_status::ready;
  }
};

TEST_F(loop_test, mail_from_any_thread_arrives_at_once) {
  far.start();
  near.start();
  send_from_here(3);
  EXPECT_TRUE(waits_until_handled(3));
}

TEST_F(loop_test, mail_for_another_loop_goes_there_before_the_turn_writes) {
  std::promise<bool> promise;
  auto was_handled = promise.get_future();
  bool is_first = true;
  bool has_sent = false;
  near.on_turn_end([&] {
    if (has_sent && std::exchange(is_first, false))
      promise.set_value(waits_until_handled(3));
  });
  far.start();
  near.start();
  near.post([&] {
    send_from_here(3);
    has_sent = true;
  });
  EXPECT_TRUE(was_handled.get());
  near.stop(); // what is above is asked at the end of each turn
}

TEST_F(loop_test, mail_for_another_loop_goes_there_all_at_once) {
  std::promise<int> promise;
  auto early = promise.get_future();
  far.start();
  near.start();
  near.post([&] {
    send_from_here(100);
    promise.set_value(far_has_a_turn() && far_has_a_turn() ? handled.load() : -1);
  });
  EXPECT_EQ(early.get(), 0) << "the other loop was given a part of the turn's mail";
  near.stop();
  EXPECT_TRUE(waits_until_handled(100));
}

TEST_F(loop_test, mail_between_two_loops_is_never_forgotten) {
  far.start();
  near.start();
  constexpr int rounds = 20'000;
  for (int i = 0; i < rounds; ++i) // both fall asleep and wake all the time
    near.post([this] { send_from_here(1); });
  EXPECT_TRUE(waits_until_handled(rounds));
  for (int i = 1; i <= 2'000; ++i) {
    near.post([this] { send_from_here(1); });
    ASSERT_TRUE(waits_until_handled(rounds + i));
  }
}

/// A flood of what is not read by sessions: each handler brings as much as a half of a turn may.
TEST_F(loop_test, handlers_that_read_much_leave_the_turn_to_others) {
  constexpr int handlers = 50;
  std::atomic<int> left{handlers};
  std::promise<std::uint64_t> promise;
  auto turns = promise.get_future();
  for (int i = 0; i < handlers; ++i)
    near.post([&] {
      near.context().sockets.charge_next(net::max_cost_a_turn / 2);
      if (--left == 0)
        promise.set_value(near.context().metrics.turns_total.value());
    });
  far.start();
  near.start();
  ASSERT_EQ(turns.wait_for(patience), std::future_status::ready);
  EXPECT_GE(turns.get(), static_cast<std::uint64_t>(handlers) - 2);
  near.stop();
}

/// A session that always has more to do than a turn may cost.
struct storm final : net::readiness::listener {
  explicit storm(net::readiness& set) : set(set) {}
  void on_ready(std::uint32_t) override {
    ++told;
    set.charge(net::max_cost_a_turn);
    set.again(0);
  }
  void on_removed() noexcept override { removed.set_value(); }

  net::readiness& set;
  std::atomic<int> told{0};
  std::promise<void> removed;
};

TEST_F(loop_test, a_storm_of_events_starves_neither_handlers_nor_timers_nor_actors) {
  std::atomic<int> ticks{0};
  far.on_tick([&](loop::clock::time_point) { ++ticks; });
  const int descriptor = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  ASSERT_GE(descriptor, 0);
  auto& set = far.context().sockets;
  storm endless{set};
  far.start();
  far.post([&] {
    EXPECT_TRUE(set.add(0, descriptor, endless));
    set.again(0);
  });
  send_from_here(100);
  EXPECT_TRUE(waits_until_handled(100));
  EXPECT_TRUE(far_has_a_turn());
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (ticks < 3 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  EXPECT_GE(ticks, 3);
  const int before = endless.told; // nor do they starve it
  while (endless.told == before && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  EXPECT_GT(endless.told, before);

  far.post([&] { set.remove(0); });
  EXPECT_EQ(endless.removed.get_future().wait_for(patience), std::future_status::ready);
  ::close(descriptor);
}

TEST_F(loop_test, a_loop_that_ends_hands_over_what_it_has) {
  far.start();
  near.start();
  std::promise<void> promise;
  auto has_sent = promise.get_future();
  near.post([&] {
    send_from_here(5);
    promise.set_value();
  });
  has_sent.wait();
  near.stop();
  EXPECT_TRUE(waits_until_handled(5));
}

} // namespace
} // namespace canang::actors
