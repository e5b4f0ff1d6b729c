#pragma once

#include "cluster/room_settings.hpp"

#include <string_view>

namespace canang::net {
class hook_source;
} // namespace canang::net

namespace canang::actors {

/// Tells the operator's program which rooms have members on this node, where the rooms' settings say so. Each room of the
/// loop tells of itself. Owned by the loop's home, on its loop.
class room_events {
public:
  /// Those that are referred to outlive it.
  /// @param hooks null: nobody is told.
  room_events(net::hook_source* hooks, const cluster::room_settings_source& settings,
              std::string_view node) noexcept;

  /// A room has its first member.
  /// @returns whether somebody is told; whoever is told of that is told of its end, too.
  [[nodiscard]] bool note_occupied(std::string_view room) const;

  /// It has ended, a while after its last member has left.
  void note_vacated(std::string_view room) const;

private:
  void tell(std::string_view room, bool is_occupied) const;

  net::hook_source* hooks_; // null: nobody is told
  const cluster::room_settings_source& settings_;
  std::string_view node_;
};

} // namespace canang::actors
