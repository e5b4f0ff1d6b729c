#include "actors/node/rebalance.hpp"

#include <simdjson.h>

#include <algorithm>
#include <numeric>
#include <optional>

namespace canang::actors {

namespace {

constexpr double begins_above = 1.2;
constexpr double ends_at = 1.05;
constexpr std::uint64_t part_a_second = 100; // one of so many,
constexpr std::uint64_t least_a_second = 10; // but no fewer than this

constexpr std::chrono::minutes pause_when_vain{5};

/// The connections that a node tells of itself, if it serves; one of an older version does not say.
std::optional<std::uint64_t> connections_in(simdjson::dom::parser& parser,
                                            const std::string& description) {
  const auto told = parser.parse(description);
  std::string_view state;
  std::uint64_t count = 0;
  if (told["state"].get(state) != simdjson::SUCCESS || state != "ready"
      || told["connections"].get(count) != simdjson::SUCCESS)
    return std::nullopt;
  return count;
}

} // namespace

std::vector<std::uint64_t> connections_of_others(shard_list shards, std::string_view own) {
  simdjson::dom::parser parser;
  std::vector<std::uint64_t> counts;
  for (const auto& entry : living_nodes(shards)) {
    if (entry.node == own)
      continue;
    if (const auto count = connections_in(parser, entry.description))
      counts.push_back(*count);
  }
  return counts;
}

std::uint64_t rebalance::due(clock::time_point now, std::uint64_t own,
                             std::span<const std::uint64_t> others) {
  if (after_ == clock::duration::zero() || others.empty())
    return 0;
  const auto all = std::accumulate(others.begin(), others.end(), own);
  const double mean = static_cast<double>(all) / static_cast<double>(others.size() + 1);
  const auto target = static_cast<std::uint64_t>(mean * ends_at);
  if (own <= target || now < pause_until_) {
    budget_ = 0;
    over_since_ = {};
    return 0;
  }
  if (budget_ == 0) {
    if (static_cast<double>(own) <= mean * begins_above || own - target < least_excess) {
      over_since_ = {};
      return 0;
    }
    if (over_since_ == clock::time_point{})
      over_since_ = now;
    if (now - over_since_ < after_)
      return 0;
    budget_ = 2 * (own - target); // a balancer that knows of no loads sends some of them back
  }
  const auto count =
    std::min({std::max(own / part_a_second, least_a_second), own - target, budget_});
  budget_ -= count;
  if (budget_ == 0) // were it of use, it would be done
    pause_until_ = now + pause_when_vain;
  return count;
}

} // namespace canang::actors
