#include "cluster/rooms/housekeeping_faults.hpp"

#include "cluster/redis/refusal.hpp"
#include "cluster/rooms/broker_metrics.hpp"

#include <fmt/format.h>

#include <utility>

namespace canang::cluster {

namespace {

constexpr std::chrono::minutes line_interval{1};

/// An error may quote what it was told.
constexpr std::size_t most_error_bytes = 200;

} // namespace

refusal refusal_of(std::string_view error) noexcept {
  static constexpr std::pair<std::string_view, refusal> table[]{
    {"OOM", refusal::memory},
    {"NOREPLICAS", refusal::replicas},
    {"MISCONF", refusal::disk},
    {"BUSY", refusal::busy},
    {"READONLY", refusal::not_master},
    {"LOADING", refusal::not_master},
    {"MASTERDOWN", refusal::not_master},
    {"CLUSTERDOWN", refusal::not_master},
    {"NOPERM", refusal::acl},
    {"NOAUTH", refusal::acl},
    {"WRONGTYPE", refusal::wrong_type}};
  for (const auto& [word, reason] : table)
    if (error.starts_with(word))
      return reason;
  // A refusal within a script: "ERR Error running script ...: NOPERM ..." before Redis 7
  if (is_acl_refusal(error) || error.find("NOPERM") != std::string_view::npos)
    return refusal::acl;
  return error.find("WRONGTYPE") != std::string_view::npos ? refusal::wrong_type : refusal::other;
}

void housekeeping_faults::note(housekeeping what, std::string_view error) {
  const auto script = static_cast<std::size_t>(what);
  const auto reason = static_cast<std::size_t>(refusal_of(error));
  metrics_.refused[script][reason].add(1);
  ++unsaid_[script][reason];
  last_error_ = error.empty() ? "no reason" : error.substr(0, most_error_bytes);
}

std::string housekeeping_faults::line(clock::time_point now) {
  if (last_error_.empty() || (has_said_ && now - said_at_ < line_interval))
    return {};
  has_said_ = true;
  said_at_ = now;
  std::string text = "housekeeping is refused: ";
  std::string_view separator;
  const auto counts = std::exchange(unsaid_, {});
  for (std::size_t script = 0; script < counts.size(); ++script)
    for (std::size_t reason = 0; reason < counts[script].size(); ++reason)
      if (const auto count = counts[script][reason]; count != 0) {
        text += fmt::format("{}{} {} times ({})", separator, housekeeping_names[script], count,
                            refusal_names[reason]);
        separator = ", ";
      }
  return text + fmt::format("; the last: {}", std::exchange(last_error_, {}));
}

} // namespace canang::cluster
