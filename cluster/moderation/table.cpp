#include "cluster/moderation/table.hpp"

#include "base/name_hash.hpp"

#include <algorithm>

namespace canang::cluster {

namespace {

constexpr std::array all_scopes{act_scope::everywhere, act_scope::name_space, act_scope::room};

std::size_t index_of(act_kind kind, act_scope scope) noexcept {
  return 3 * static_cast<std::size_t>(kind) + static_cast<std::size_t>(scope);
}

/// Where an act of that scope has to be, to concern the room. Nothing: none does.
std::optional<std::string_view> place_in(act_scope scope, std::string_view room) noexcept {
  switch (scope) {
  case act_scope::everywhere: return std::string_view{};
  case act_scope::name_space:
    if (const auto colon = room.find(':'); colon != std::string_view::npos && colon > 0)
      return room.substr(0, colon);
    return std::nullopt;
  case act_scope::room: break;
  }
  return room.empty() ? std::nullopt : std::optional{room};
}

} // namespace

std::shared_ptr<const moderation_table>
moderation_table::with(std::span<const act_change> changes) const {
  auto next = std::make_shared<moderation_table>(*this);
  std::array<std::shared_ptr<bucket>, bucket_count> copies;
  for (const auto& one : changes) {
    const auto hash = hash_of_name(one.key);
    const auto at = hash % bucket_count;
    auto& copy = copies[at];
    if (!copy)
      copy = next->buckets_[at] ? std::make_shared<bucket>(*next->buckets_[at])
                                : std::make_shared<bucket>();
    next->change(*copy, hash, one);
  }
  for (std::size_t at = 0; at < bucket_count; ++at)
    if (copies[at])
      next->buckets_[at] = copies[at]->empty() ? nullptr : std::move(copies[at]);
  return next;
}

void moderation_table::change(bucket& in, std::uint64_t hash, const act_change& what) {
  auto at = std::lower_bound(in.begin(), in.end(), hash,
                             [](const auto& one, std::uint64_t than) { return one.first < than; });
  while (at != in.end() && at->first == hash && at->second->text != what.key)
    ++at;
  const bool is_there = at != in.end() && at->first == hash;
  if (is_there)
    count(*at->second, -1);
  if (what.act)
    count(*what.act, 1);
  if (is_there && what.act)
    at->second = what.act;
  else if (is_there)
    in.erase(at);
  else if (what.act)
    in.emplace(at, hash, what.act);
}

void moderation_table::count(const moderation_act& act, int by) noexcept {
  const auto step = static_cast<std::uint32_t>(by); // wraps as it should
  size_ += static_cast<std::size_t>(by);
  kinds_[index_of(act.key.kind, act.key.scope)] += step;
  if (act.key.target != act_target::address)
    return;
  address_count_ += static_cast<std::size_t>(by);
  lengths_[act.addresses.bits] += step;
}

act_ptr moderation_table::get(const act_key& key, clock::time_point now) const {
  const auto text = to_text(key);
  const auto hash = hash_of_name(text);
  const auto& in = buckets_[hash % bucket_count];
  if (!in)
    return nullptr;
  auto at = std::lower_bound(in->begin(), in->end(), hash,
                             [](const auto& one, std::uint64_t than) { return one.first < than; });
  for (; at != in->end() && at->first == hash; ++at)
    if (at->second->text == text)
      return at->second->is_over(now) ? nullptr : at->second;
  return nullptr;
}

/// `key` has the kind, the scope and the place.
act_ptr moderation_table::find_in(act_key& key, const act_question& asked,
                                  clock::time_point now) const {
  if (!asked.user.empty()) {
    key.target = act_target::user;
    key.subject = asked.user;
    if (auto found = get(key, now))
      return found;
  }
  if (!asked.address || address_count_ == 0)
    return nullptr;
  key.target = act_target::address;
  for (std::size_t bits = 0; bits < lengths_.size(); ++bits) {
    if (lengths_[bits] == 0)
      continue;
    key.subject = to_text(prefix_of(*asked.address, static_cast<std::uint8_t>(bits)));
    if (auto found = get(key, now))
      return found;
  }
  return nullptr;
}

act_ptr moderation_table::find(act_kind kind, const act_question& asked,
                               clock::time_point now) const {
  act_key key{.kind = kind};
  for (const auto scope : all_scopes) {
    const auto place = place_in(scope, asked.room);
    if (kinds_[index_of(kind, scope)] == 0 || !place)
      continue;
    key.scope = scope;
    key.place = *place;
    if (auto found = find_in(key, asked, now))
      return found;
  }
  return nullptr;
}

act_ptr moderation_table::find_lockdown(std::string_view room, clock::time_point now) const {
  act_key key{.kind = act_kind::lockdown, .target = act_target::all};
  for (const auto scope : all_scopes) {
    const auto place = place_in(scope, room);
    if (kinds_[index_of(key.kind, scope)] == 0 || !place)
      continue;
    key.scope = scope;
    key.place = *place;
    if (auto found = get(key, now))
      return found;
  }
  return nullptr;
}

} // namespace canang::cluster
