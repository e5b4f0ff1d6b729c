#pragma once

#include "actors/ids.hpp"
#include "cluster/publication.hpp"
#include "net/loop_context.hpp"

#include <cstddef>
#include <list>
#include <unordered_map>

namespace canang::actors {

/// The publications that the next ones of their rooms are told as changes of: the last one of each room with members
/// that are told changes. It is charged as what waits for clients is. Over their limit the one of the room that was
/// quiet longest is let go, whose next publication is then told whole.
///
/// Owned by the loop's `fanout`, used on its thread.
class change_bases {
public:
  explicit change_bases(net::loop_context& context) : context_(context) {}
  change_bases(const change_bases&) = delete;
  change_bases& operator=(const change_bases&) = delete;
  ~change_bases() { let_go_all(); }

  /// That of a room, or null.
  [[nodiscard]] const cluster::publication* of(room_id room) const;

  /// In place of that of before. One that is too large is not held: the room has none then.
  void set(room_id room, const cluster::publication_ptr& message);

  void let_go(room_id room);

  /// Memory is short.
  void let_go_all();

private:
  struct held {
    room_id room;
    cluster::publication_ptr message;
  };
  using place = std::list<held>::iterator;

  [[nodiscard]] static std::size_t cost_of(const cluster::publication& message) noexcept;
  void let_go(place at);

  net::loop_context& context_;
  std::list<held> all_; // the longest held first
  std::unordered_map<room_id, place> by_room_;
  std::size_t bytes_ = 0;
};

} // namespace canang::actors
