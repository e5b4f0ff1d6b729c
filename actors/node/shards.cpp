#include "actors/node/shards.hpp"

#include "base/name_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace canang::actors {

namespace {

using roster_ptr = std::shared_ptr<const cluster::redis_roster::roster>;

/// What a shard said before it went away counts only where there is nothing newer.
std::vector<roster_ptr> rosters_that_count(shard_list shards) {
  const auto is_up = [](const auto& shard) { return shard->metrics.up.value() != 0; };
  const bool any_is_up = std::any_of(shards.begin(), shards.end(), is_up);
  std::vector<roster_ptr> all;
  for (const auto& shard : shards)
    if (auto roster = shard->roster.load(); roster && (!any_is_up || is_up(shard)))
      all.push_back(std::move(roster));
  return all;
}

} // namespace

cluster::redis_roster::roster living_nodes(shard_list shards) {
  cluster::redis_roster::roster all;
  name_set known;
  for (const auto& roster : rosters_that_count(shards))
    for (const auto& entry : *roster)
      if (known.insert(entry.node).second)
        all.push_back(entry);
  return all;
}

std::optional<std::string> description_of(shard_list shards, std::string_view node) {
  for (const auto& roster : rosters_that_count(shards)) {
    const auto found = std::find_if(roster->begin(), roster->end(),
                                    [&](const auto& entry) { return entry.node == node; });
    if (found != roster->end())
      return found->description;
  }
  return std::nullopt;
}

std::string cluster_fault(shard_list shards) {
  const std::chrono::nanoseconds now = std::chrono::steady_clock::now().time_since_epoch();
  for (const auto& shard : shards) {
    const std::chrono::nanoseconds last{shard->metrics.last_probe_ns.load()};
    if (last.count() != 0 && now - last <= unproven_after)
      continue;
    auto why = shard->metrics.why_down.get();
    if (why.empty())
      why = fmt::format("redis {}: not reachable", shard->identity);
    if (last.count() == 0)
      return why;
    return fmt::format("{}; delivery was last proved {} s ago", why,
                       std::chrono::duration_cast<std::chrono::seconds>(now - last).count());
  }
  return {};
}

std::string publishing_fault(shard_list shards) {
  for (const auto& shard : shards) {
    const auto& metrics = shard->metrics;
    auto why = metrics.up.value() != 0 ? metrics.why_refused.get() : metrics.why_down.get();
    if (!why.empty())
      return why;
  }
  return {};
}

} // namespace canang::actors
