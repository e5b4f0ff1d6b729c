#pragma once

#include "cluster/rooms/redis_roster.hpp"
#include "net/emulation.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace canang::actors {

/// What nodes tell each other with their leases besides what everybody may read. Each field may be missing: a node of an
/// older release does not tell it, and one of a newer release tells more.
struct announcement {
  /// By which others tell whether a session can be one of this node.
  std::optional<net::emulation_key> key{};
  /// It reads publications with tags and authors (`cluster::publication::notes`).
  bool reads_notes = false;
};

/// Adds it to what a node tells of itself, a JSON object.
[[nodiscard]] std::string announce(std::string description, const announcement& told);

/// What is in a description.
[[nodiscard]] announcement announcement_in(const std::string& description);

/// A description as everybody may read it.
[[nodiscard]] std::string without_announcement(std::string description);

/// Whether all nodes of a Redis read publications with notes. Owned by a bridge, on its thread.
class notes_agreement {
public:
  using clock = std::chrono::steady_clock;

  /// How long a node that does not is believed to be there after it was seen last: a Redis that has lost its data
  /// tells of nodes only as they come back.
  static constexpr std::chrono::seconds memory{30};

  /// To be asked whenever the nodes that live are known anew.
  [[nodiscard]] bool all_read(const cluster::redis_roster::roster& living, clock::time_point now);

private:
  std::optional<clock::time_point> seen_one_that_does_not_at_;
};

} // namespace canang::actors
