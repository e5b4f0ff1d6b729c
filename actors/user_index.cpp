#include "actors/user_index.hpp"

#include <utility>

namespace canang::actors {

void user_index::add(std::string_view user, connection_id id) {
  if (user.empty())
    return;
  const auto [at, is_new] = by_id_.try_emplace(id);
  if (!is_new)
    return;
  auto known = by_user_.find(user);
  if (known == by_user_.end()) {
    known = by_user_.emplace(user, std::vector<connection_id>{}).first;
    names_cost_ += heap_of(known->first);
  }
  at->second = {&*known, known->second.size()};
  known->second.push_back(id);
}

/// The last one of its user takes its place, so that many connections of one user cost no more than those of many.
void user_index::remove(connection_id id) {
  if (by_id_.empty())
    return;
  const auto found = by_id_.find(id);
  if (found == by_id_.end())
    return;
  auto& [name, connections] = *found->second.user;
  const auto position = found->second.position;
  by_id_.erase(found);
  if (position + 1 != connections.size()) {
    connections[position] = connections.back();
    by_id_.find(connections[position])->second.position = position;
  }
  connections.pop_back();
  if (!connections.empty())
    return;
  names_cost_ -= heap_of(name);
  by_user_.erase(by_user_.find(name));
}

std::vector<user_index::connection_id> user_index::of(std::string_view user) const {
  const auto known = by_user_.find(user);
  return known == by_user_.end() ? std::vector<connection_id>{} : known->second;
}

bool user_index::is_of(std::string_view user, connection_id id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? user.empty() : found->second.user->first == user;
}

std::size_t user_index::cost() const noexcept {
  return names_cost_
         + by_user_.size()
             * name_map_entry_cost<std::vector<
               connection_id>> + by_id_.size() * (number_map_entry_cost<connection_id, place> + allocated(sizeof(connection_id)));
}

void user_index::shrink() {
  give_back_buckets(by_user_);
  give_back_buckets(by_id_);
}

} // namespace canang::actors
