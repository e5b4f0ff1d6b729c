#include "actors/liveness.hpp"

#include "tests/unit/support/clock.hpp"
#include "tests/unit/support/fake_session.hpp"
#include "tests/unit/support/seed.hpp"

#include <gtest/gtest.h>

#include <array>

namespace canang::actors {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using test::fake_session;

constexpr auto tick = 100ms;

struct liveness_test : testing::Test {
  test::moving_clock clock;

  test::fake_session_ptr make_session() {
    auto session = test::make_fake_session();
    session->open();
    session->now = &clock.now;
    session->heard = clock.now;
    return session;
  }

  /// Moves time on in steps shorter than a tick; `each` runs before each look.
  template <class Each>
  void run(liveness& watcher, milliseconds length, Each each) {
    for (const auto end = clock.now + length; clock.now < end;) {
      clock.move(20ms);
      each();
      watcher.advance(clock.now);
    }
  }
  void run(liveness& watcher, milliseconds length) {
    run(watcher, length, [] {});
  }

  /// Connections that die at random moments, with a pong timeout of up to so many ping intervals.
  void expect_deaths_noticed_in_time(double most_intervals) {
    const auto seed = test::random_seed();
    test::dice random{seed};
    for (int round = 0; round < 300; ++round) {
      const milliseconds interval{random.roll(1000, 20'000)};
      const auto longest = static_cast<double>(interval.count()) * most_intervals;
      const milliseconds timeout{random.roll(200, static_cast<int>(longest))};
      liveness watcher{{interval, timeout}, clock.now, seed + static_cast<std::uint32_t>(round)};
      const auto session = make_session();
      beat item;
      watcher.watch(item, *session, clock.now);
      const auto dies_at = clock.now + milliseconds{random.roll(0, 60'000)};
      const milliseconds delay{random.roll(0, static_cast<int>(timeout.count()) - 100)};
      const bool is_talkative = random.one_in(2);
      while (session->aborts.empty() && clock.now < dies_at + 10min) {
        run(watcher, 20ms, [&] {
          if (clock.now >= dies_at)
            return;
          const bool answers = !session->pings.empty() && session->heard < session->pings.back()
                               && clock.now >= session->pings.back() + delay;
          if (answers || (is_talkative && random.one_in(100)))
            session->heard = clock.now;
        });
        ASSERT_TRUE(session->aborts.empty() || clock.now >= dies_at) << "alive, seed " << seed;
      }
      ASSERT_LE(clock.now - session->heard, interval + timeout + 2 * tick + 40ms)
        << "interval " << interval.count() << ", timeout " << timeout.count() << ", seed " << seed;
    }
  }

  /// Runs until `session` has its first ping.
  void run_to_ping(liveness& watcher, const fake_session& session) {
    while (session.pings.empty())
      run(watcher, 20ms);
  }
};

TEST_F(liveness_test, pings_a_connection_that_is_silent_since_it_came_once_in_the_first_interval) {
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    liveness watcher{{10s, 15s}, clock.now, seed};
    const auto session = make_session();
    beat item;
    watcher.watch(item, *session, clock.now);
    run(watcher, 10s + tick);
    ASSERT_EQ(session->pings.size(), 1U);
  }
}

TEST_F(liveness_test, ends_a_connection_that_leaves_its_ping_unanswered) {
  liveness watcher{{10s, 3s}, clock.now, 1};
  const auto session = make_session();
  beat item;
  watcher.watch(item, *session, clock.now);
  run_to_ping(watcher, *session);
  run(watcher, 2980ms);
  EXPECT_TRUE(session->aborts.empty()) << "not before the timeout";
  run(watcher, tick + 40ms);
  EXPECT_EQ(session->aborts, std::vector{net::close_reason::ping_timeout});
  run(watcher, 1min);
  EXPECT_EQ(session->aborts.size(), 1U);
  EXPECT_EQ(session->pings.size(), 1U);
}

TEST_F(liveness_test, pings_one_that_only_answers_about_once_an_interval) {
  for (const auto pong_timeout : {3s, 10s, 30s}) {
    liveness watcher{{10s, pong_timeout}, clock.now, 1};
    const auto session = make_session();
    beat item;
    watcher.watch(item, *session, clock.now);
    std::size_t answered = 0;
    run(watcher, 1000s, [&] {
      if (session->pings.size() > answered) {
        answered = session->pings.size();
        session->heard = clock.now;
      }
    });
    EXPECT_TRUE(session->aborts.empty());
    EXPECT_GE(session->pings.size(), 97U) << pong_timeout.count();
    EXPECT_LE(session->pings.size(), 102U) << pong_timeout.count();
  }
}

TEST_F(liveness_test, does_not_ping_one_that_is_heard) {
  for (const auto pong_timeout : {3s, 8s, 10s, 30s}) {
    liveness watcher{{10s, pong_timeout}, clock.now, 1};
    const auto session = make_session();
    beat item;
    watcher.watch(item, *session, clock.now);
    const auto first_heard = clock.now + 20ms;
    run(watcher, 1000s, [&] { session->heard = std::max(clock.now - 9s, first_heard); });
    EXPECT_EQ(session->pings.size(), 0U);
    EXPECT_TRUE(session->aborts.empty());
  }
}

TEST_F(liveness_test, pings_one_that_expects_it_whatever_is_heard) {
  liveness watcher{{10s, 3s}, clock.now, 1};
  const auto session = make_session();
  session->wants_pings = true;
  beat item;
  watcher.watch(item, *session, clock.now);
  run(watcher, 1000s, [&] { session->heard = clock.now; });
  EXPECT_GE(session->pings.size(), 97U);
  for (std::size_t i = 1; i < session->pings.size(); ++i)
    EXPECT_LE(session->pings[i] - session->pings[i - 1], 10s + 2 * tick + 40ms);
  EXPECT_TRUE(session->aborts.empty());
  run(watcher, 20s);
  EXPECT_EQ(session->aborts, std::vector{net::close_reason::ping_timeout});
}

TEST_F(liveness_test, pings_only_after_a_whole_interval_of_silence_once_the_first_ping_is_over) {
  for (const auto pong_timeout : {3s, 6s, 8s, 10s, 30s}) {
    liveness watcher{{10s, pong_timeout}, clock.now, 1};
    const auto session = make_session();
    beat item;
    watcher.watch(item, *session, clock.now);
    std::size_t seen = 0;
    run(watcher, 500s, [&] {
      if (session->pings.size() > seen) {
        if (seen > 0) {
          EXPECT_GE(session->pings.back() - session->heard, 10s) << pong_timeout.count();
        }
        seen = session->pings.size();
        session->heard = clock.now + 1s; // the answer comes a second later
      }
    });
  }
}

TEST_F(liveness_test, takes_any_byte_for_an_answer) {
  liveness watcher{{10s, 3s}, clock.now, 1};
  const auto session = make_session();
  beat item;
  watcher.watch(item, *session, clock.now);
  run_to_ping(watcher, *session);
  run(watcher, 2900ms);
  session->heard = clock.now;
  run(watcher, 5s);
  EXPECT_TRUE(session->aborts.empty());
}

TEST_F(liveness_test, ends_it_when_the_timeout_is_longer_than_the_interval) {
  liveness watcher{{2s, 7s}, clock.now, 1};
  const auto session = make_session();
  beat item;
  watcher.watch(item, *session, clock.now);
  run_to_ping(watcher, *session);
  run(watcher, 6900ms);
  EXPECT_TRUE(session->aborts.empty());
  EXPECT_EQ(session->pings.size(), 1U) << "one ping at a time";
  run(watcher, 300ms);
  EXPECT_EQ(session->aborts.size(), 1U);
}

TEST_F(liveness_test, gives_up_one_that_did_not_open_within_the_interval) {
  liveness watcher{{10s, 3s}, clock.now, 1};
  const auto session = make_session();
  session->opens = 0; // its join is lost
  session->heard = clock.now;
  beat item;
  watcher.watch(item, *session, clock.now);
  run(watcher, 9s);
  EXPECT_TRUE(session->aborts.empty());
  run(watcher, 2s);
  EXPECT_TRUE(session->pings.empty());
  EXPECT_EQ(session->aborts, std::vector{net::close_reason::handler_error});
}

TEST_F(liveness_test, forgets_one_whose_beat_is_cancelled_or_destroyed) {
  liveness watcher{{10s, 3s}, clock.now, 1};
  auto gone = make_session();
  auto kept = make_session();
  auto of_gone = std::make_unique<beat>();
  beat of_kept;
  watcher.watch(*of_gone, *gone, clock.now);
  watcher.watch(of_kept, *kept, clock.now);
  of_gone.reset();
  gone.reset();
  of_kept.cancel();
  run(watcher, 1min);
  EXPECT_TRUE(kept->pings.empty());
}

TEST_F(liveness_test, spreads_the_first_pings_evenly_over_the_interval) {
  constexpr std::size_t count = 10'000;
  const auto seed = test::random_seed();
  liveness watcher{{25s, 8s}, clock.now, seed};
  const auto start = clock.now;
  std::vector<test::fake_session_ptr> sessions;
  std::vector<beat> items(count);
  for (auto& item : items) {
    sessions.push_back(make_session());
    watcher.watch(item, *sessions.back(), clock.now);
  }
  run(watcher, 25s + tick);
  std::array<std::size_t, 10> tenths{};
  for (const auto& session : sessions) {
    ASSERT_EQ(session->pings.size(), 1U);
    const auto at = (session->pings[0] - start) / 2500ms;
    ++tenths[std::min<std::size_t>(static_cast<std::size_t>(at), 9)];
  }
  for (const auto share : tenths) {
    EXPECT_LE(share, count / 10 * 3 / 2) << "seed " << seed;
    EXPECT_GE(share, count / 10 / 2) << "seed " << seed;
  }
}

TEST_F(liveness_test, notices_a_death_within_interval_and_timeout_and_two_ticks) {
  expect_deaths_noticed_in_time(1);
}

TEST_F(liveness_test, notices_a_death_in_time_with_a_timeout_over_the_interval_too) {
  expect_deaths_noticed_in_time(5);
}

} // namespace
} // namespace canang::actors
