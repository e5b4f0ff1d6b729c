#pragma once

#include "actors/messages.hpp"

#include <caf/send.hpp>

#include <cstdint>
#include <memory>
#include <utility>

namespace canang::actors {

/// Counts the connections of a loop that a command has made members of a room. Held by all that wait for that; when the
/// last one lets go, whatever became of it, the control actor is told. Used on that loop only.
class subscribe_tally {
public:
  explicit subscribe_tally(control_ticket told) : told_(std::move(told)) {}
  subscribe_tally(const subscribe_tally&) = delete;
  subscribe_tally& operator=(const subscribe_tally&) = delete;
  ~subscribe_tally() { caf::anon_send(told_.to, control_part{told_.id, members_}); }

  void add() noexcept { ++members_; }

private:
  control_ticket told_;
  std::uint64_t members_ = 0;
};

using subscribe_tally_ptr = std::shared_ptr<subscribe_tally>;

} // namespace canang::actors
