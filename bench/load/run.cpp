#include "bench/load/run.hpp"

#include "bench/load/progress.hpp"

#include <fmt/format.h>

#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <random>
#include <stdexcept>
#include <thread>

namespace canang::load {

namespace {

volatile std::sig_atomic_t interrupted = 0;
void on_signal(int) { interrupted = 1; }

double cpu_seconds() {
  rusage u{};
  getrusage(RUSAGE_SELF, &u);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(u.ru_utime) + seconds(u.ru_stime);
}

/// Raises the limit of open files as far as it goes and says when that is not enough.
void make_room_for(std::size_t connections, std::uint32_t threads) {
  const auto limit = raise_descriptor_limit();
  const std::uint64_t needed = connections + threads + 16;
  if (needed > limit)
    throw std::invalid_argument(
      fmt::format("--connections: {} connections need {} open files, the limit is {}", connections,
                  needed, limit));
}

/// Moves a run through its phases. Lives on the main thread for the length of carry_out().
class coordinator {
public:
  coordinator(const options& o, const plan& layout, const dialect& language)
    : opts_(o), state_{o, layout, language}, progress_(o, layout.members.size()) {
    state_.sent.resize(layout.rooms.size() * layout.publishers);
    for (std::uint32_t i = 0; i < o.threads; ++i)
      workers_.push_back(std::make_unique<worker>(state_, i, o.threads));
  }

  results run() {
    std::vector<std::thread> threads;
    for (auto& w : workers_)
      threads.emplace_back([&w] { w->run(); });
    if (connect()) {
      if (opts_.idle) {
        stay("idle", opts_.duration);
      } else {
        stay("settle", opts_.settle);
        state_.publish_from_ns = state_.clock.now_ns();
        if (opts_.once) {
          state_.record_from_ns = 0;
          begin_measurement();
          enter(phase::publishing);
          wait_for_first_publishes();
          drain();
          end_measurement();
        } else {
          state_.record_from_ns = ~std::uint64_t{0};
          enter(phase::publishing);
          stay("warmup", opts_.warmup);
          state_.record_from_ns = state_.clock.now_ns();
          begin_measurement();
          stay("measure", opts_.duration);
          end_measurement();
          drain();
        }
      }
      stay("hold", opts_.hold);
    }
    enter(phase::closing);
    for (auto& t : threads)
      t.join();
    judge(state_, workers_, results_);
    return std::move(results_);
  }

private:
  void enter(phase p) { state_.now_in.store(p, std::memory_order_release); }
  totals now() const { return add_up(state_.clock, workers_); }
  static void pause() { std::this_thread::sleep_for(milliseconds{5}); }

  /// True when all are connected.
  bool connect() {
    const auto wanted = state_.layout.members.size();
    results_.wanted_connections = static_cast<std::uint32_t>(wanted);
    results_.stalled_connections = state_.layout.stalled;
    auto t = now();
    while (t.connected < wanted && t.failed == 0 && interrupted == 0) {
      progress_.tell("connect", t);
      pause();
      t = now();
    }
    results_.connected = t.connected;
    results_.connect_s = static_cast<double>(t.last_connected_ns) / 1e9;
    if (t.connected < wanted)
      return false;
    enter(phase::waiting);
    progress_.say(fmt::format("connected {} in {:.2f} s", t.connected, results_.connect_s));
    return true;
  }

  void stay(const char* label, milliseconds length) {
    const auto end_ns =
      state_.clock.now_ns() + static_cast<std::uint64_t>(length.count()) * 1'000'000;
    while (state_.clock.now_ns() < end_ns && interrupted == 0) {
      progress_.tell(label, now());
      const auto left =
        static_cast<std::int64_t>(end_ns) - static_cast<std::int64_t>(state_.clock.now_ns());
      std::this_thread::sleep_for(
        std::chrono::nanoseconds{std::clamp<std::int64_t>(left, 0, std::int64_t{20'000'000})});
    }
  }

  void begin_measurement() {
    start_ = now();
    cpu_start_s_ = cpu_seconds();
  }

  void end_measurement() {
    const auto end = now();
    results_.measured_s = static_cast<double>(end.time_ns - start_.time_ns) / 1e9;
    results_.publishes = end.publishes - start_.publishes;
    results_.deliveries = end.deliveries - start_.deliveries - (end.unmeasured - start_.unmeasured);
    results_.bytes = end.bytes - start_.bytes;
    results_.cpu_s = cpu_seconds() - cpu_start_s_;
  }

  /// --once: until each room has sent its message, or can't since the publisher was closed.
  void wait_for_first_publishes() {
    while (now().publishes + now().closed < state_.layout.rooms.size() && interrupted == 0)
      pause();
  }

  /// Stops the traffic and waits for what is under way: until all has come, or nothing has for a
  /// time.
  void drain() {
    enter(phase::draining);
    const auto quiet_ns = static_cast<std::uint64_t>(opts_.drain.count()) * 1'000'000;
    auto seen = now();
    auto last_arrival_ns = seen.time_ns;
    // A worker may publish until it has noticed the phase: look for completeness only after that.
    const auto from_ns = seen.time_ns + 30'000'000;
    while (seen.time_ns < from_ns
           || (seen.deliveries < seen.expected && seen.time_ns - last_arrival_ns < quiet_ns)) {
      pause();
      const auto t = now();
      if (t.deliveries != seen.deliveries)
        last_arrival_ns = t.time_ns;
      seen = t;
      progress_.tell("drain", seen);
    }
  }

  const options& opts_;
  run_state state_;
  std::vector<std::unique_ptr<worker>> workers_;
  progress progress_;
  results results_;
  totals start_;
  double cpu_start_s_ = 0;
};

} // namespace

results carry_out(const options& o) {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  make_room_for(o.connections, o.threads);
  payload::reserve_filler(o.size_bytes);
  std::random_device entropy;
  const auto layout = make_plan(o, entropy() % (1U << 24));
  const auto language = make_dialect(o.dialect);
  return coordinator{o, layout, *language}.run();
}

} // namespace canang::load
