#include "bench/load/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace canang::load {

totals add_up(const run_clock& clock, const std::vector<std::unique_ptr<worker>>& workers) {
  constexpr auto relaxed = std::memory_order_relaxed;
  totals t;
  t.time_ns = clock.now_ns();
  for (const auto& w : workers) {
    const auto& c = w->counters();
    t.connected += c.connected.load(relaxed);
    t.failed += c.failed.load(relaxed);
    t.last_connected_ns = std::max(t.last_connected_ns, c.last_connected_ns.load(relaxed));
    t.closed += c.closed.load(relaxed);
    t.publishes += c.publishes.load(relaxed);
    t.deliveries += c.deliveries.load(relaxed);
    t.expected += c.expected.load(relaxed);
    t.bytes += c.bytes.load(relaxed);
    t.odd += c.odd.load(relaxed);
    t.unmeasured += c.unmeasured.load(relaxed);
  }
  return t;
}

void progress::tell(std::string_view label, const totals& now) {
  const double seconds = static_cast<double>(now.time_ns - last_.time_ns) / 1e9;
  if (seconds < 1.0)
    return;
  const auto rate = [seconds](std::uint64_t to, std::uint64_t from) {
    return static_cast<double>(to - from) / seconds;
  };
  say(fmt::format(
    "{:>6.1f} s {:<8} connections {}/{} (+{:.0f}/s)  publishes {:.0f}/s  deliveries {:.0f}/s  "
    "{:.1f} MB/s  pending {}  odd {}  closed {}",
    static_cast<double>(now.time_ns) / 1e9, label, now.connected - now.closed, wanted_,
    rate(now.connected, last_.connected), rate(now.publishes, last_.publishes),
    rate(now.deliveries, last_.deliveries), rate(now.bytes, last_.bytes) / 1e6,
    now.expected > now.deliveries ? now.expected - now.deliveries : 0, now.odd, now.closed));
  last_ = now;
}

void progress::say(std::string_view line) {
  if (!quiet_)
    fmt::print(stderr, "{}\n", line);
}

} // namespace canang::load
