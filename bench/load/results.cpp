#include "bench/load/results.hpp"

#include <algorithm>
#include <span>

namespace canang::load {

namespace {

void add(std::map<std::string, std::uint64_t>& to,
         const std::map<std::string, std::uint64_t>& from) {
  for (const auto& [key, n] : from)
    to[key] += n;
}

void add_findings(const worker_findings& f, results& r) {
  r.latency.merge(f.latency);
  r.connect_latency.merge(f.connect_latency);
  add(r.connect_errors, f.connect_errors);
  add(r.closes, f.closes);
  add(r.stalled_closes, f.stalled_closes);
  r.retyped += f.retyped;
  r.given_up += f.given_up;
}

/// Members in a room that saw everything but not in the order that most of them saw.
std::uint64_t count_in_other_order(std::vector<std::uint64_t>& hashes) {
  std::sort(hashes.begin(), hashes.end());
  std::size_t most = 0;
  for (auto at = hashes.begin(); at != hashes.end();) {
    const auto end = std::upper_bound(at, hashes.end(), *at);
    most = std::max(most, static_cast<std::size_t>(end - at));
    at = end;
  }
  return hashes.size() - most;
}

} // namespace

std::uint64_t results::closed() const noexcept {
  std::uint64_t n = 0;
  for (const auto& [code, count] : closes)
    n += count;
  return n;
}

int results::exit_code() const noexcept {
  if (connected < wanted_connections)
    return exit_unreachable;
  const auto faults = lost + odd.doubled + odd.reordered + odd.misrouted + odd.corrupt
                      + members_in_other_order + retyped + closed();
  return faults == 0 ? exit_ok : exit_faulty;
}

void judge(const run_state& state, const std::vector<std::unique_ptr<worker>>& workers,
           results& r) {
  const auto& layout = state.layout;
  std::vector<std::vector<std::uint64_t>> orders(layout.rooms.size());
  for (auto sent : state.sent)
    r.sent += sent;
  for (const auto& w : workers) {
    add_findings(w->findings(), r);
    for (const auto& c : w->connections()) {
      const auto& member = layout.members[c.member];
      if (member.stalled)
        continue;
      const std::span<const std::uint32_t> sent{
        state.sent.data() + std::size_t{member.room} * layout.publishers, layout.publishers};
      std::uint64_t sent_in_room = 0;
      for (auto s : sent)
        sent_in_room += s;
      const auto missing = c.checker.missing();
      const auto behind = c.checker.behind(sent);
      const auto& odd = c.checker.odd();
      r.expected += sent_in_room;
      r.received += c.checker.received();
      // --checks count sees a double only as one too many.
      if (!state.opts.full_checks && c.checker.received() > sent_in_room)
        r.odd.doubled += c.checker.received() - sent_in_room;
      r.lost += missing;
      (c.was_closed ? r.missed_after_close : r.lost) += behind;
      r.odd.add(odd);
      if (missing + behind + odd.reordered + odd.doubled == 0)
        orders[member.room].push_back(c.checker.order_hash());
    }
  }
  if (!state.opts.full_checks)
    return;
  for (auto& hashes : orders)
    r.members_in_other_order += count_in_other_order(hashes);
}

} // namespace canang::load
