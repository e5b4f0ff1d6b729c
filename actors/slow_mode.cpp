#include "actors/slow_mode.hpp"

#include "base/memory_cost.hpp"
#include "base/name_hash.hpp"

namespace canang::actors {

pace_verdict slow_mode::claim(std::string_view room, std::string_view who,
                              std::chrono::milliseconds interval, std::string_view key,
                              clock::time_point now) {
  expire(now);
  std::string name;
  name.reserve(room.size() + who.size() + 1);
  ((name += room) += '\n') += who;
  const auto key_hash = key.empty() ? 0 : hash_of_name(key);
  if (const auto known = waiting_.find(name); known != waiting_.end()) {
    auto& last = known->second;
    if (key_hash == 0 || last.key_hash != key_hash)
      return {.wait = std::chrono::ceil<std::chrono::milliseconds>(last.taken.first - now)};
    ++last.unanswered;
    return {.taken = last.taken};
  }
  if (waiting_.size() >= max_waiting)
    forget(ends_.begin());
  const turn taken{now + interval, ++last_number_};
  const auto added =
    waiting_.emplace(std::move(name), claimed{.taken = taken, .key_hash = key_hash}).first;
  ends_.emplace(taken, &*added);
  return {.taken = taken};
}

void slow_mode::settle(const turn& taken, bool is_stored) {
  const auto found = ends_.find(taken);
  if (found == ends_.end())
    return;
  auto& own = found->second->second;
  own.is_stored = own.is_stored || is_stored;
  --own.unanswered;
  if (own.unanswered == 0 && !own.is_stored)
    forget(found);
}

void slow_mode::expire(clock::time_point now) {
  while (!ends_.empty() && ends_.begin()->first.first <= now)
    forget(ends_.begin());
  if (waiting_.empty())
    give_back_buckets(waiting_);
}

void slow_mode::forget(end_map::iterator one) {
  waiting_.erase(waiting_.find(one->second->first));
  ends_.erase(one);
}

} // namespace canang::actors
