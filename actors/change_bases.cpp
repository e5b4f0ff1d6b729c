#include "actors/change_bases.hpp"

#include "net/limits.hpp"

namespace canang::actors {

const cluster::publication* change_bases::of(room_id room) const {
  const auto found = by_room_.find(room);
  return found == by_room_.end() ? nullptr : found->second->message.get();
}

void change_bases::set(room_id room, const cluster::publication_ptr& message) {
  let_go(room);
  if (message->data.size() > net::max_change_bytes)
    return;
  by_room_[room] = all_.insert(all_.end(), {room, message});
  const auto cost = cost_of(*message);
  bytes_ += cost;
  context_.metrics.outbox_memory_bytes.add(cost);
  while (bytes_ > net::max_change_bases_bytes)
    let_go(all_.begin());
}

void change_bases::let_go(room_id room) {
  if (const auto found = by_room_.find(room); found != by_room_.end())
    let_go(found->second);
}

void change_bases::let_go_all() {
  while (!all_.empty())
    let_go(all_.begin());
}

void change_bases::let_go(place at) {
  const auto cost = cost_of(*at->message);
  bytes_ -= cost;
  context_.metrics.outbox_memory_bytes.subtract(cost);
  by_room_.erase(at->room);
  all_.erase(at);
}

/// With its places in the list and in the table.
std::size_t change_bases::cost_of(const cluster::publication& message) noexcept {
  return message.cost() + allocated(sizeof(held) + 2 * sizeof(void*))
         + allocated(sizeof(room_id) + 3 * sizeof(void*));
}

} // namespace canang::actors
