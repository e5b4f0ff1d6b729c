#include "cluster/moderation/book.hpp"

#include "base/memory_cost.hpp"
#include "base/name_map.hpp"

#include <algorithm>
#include <array>
#include <tuple>

namespace canang::cluster {

namespace {

constexpr auto never = moderation_book::clock::time_point::max();

/// The same decision, whoever tells of it.
bool is_same(const act_ptr& one, const act_ptr& other) {
  return one == other
         || (one && other && one->made_ms == other->made_ms && one->reason == other->reason);
}

/// Made later; of one decision, that which goes on for longer: each Redis tells an end of its own.
bool is_earlier(const moderation_act& one, const moderation_act& other) {
  return std::tie(one.made_ms, one.ends_at) < std::tie(other.made_ms, other.ends_at);
}

/// With its record in the book, its places in the table and among the ends.
std::size_t memory_of(const moderation_act& act) noexcept {
  constexpr std::size_t nodes = 3 * allocated(96); // of map, set, and what ways have of it
  return allocated(sizeof(moderation_act) + 16) + nodes + 24 + heap_of_text(act.text.size()) * 2
         + heap_of_text(act.reason.size()) + heap_of_text(act.key.place.size())
         + heap_of_text(act.key.subject.size());
}

} // namespace

moderation_book::outcome moderation_book::take(std::size_t way, act_news&& news,
                                               clock::time_point now) {
  outcome result;
  std::vector<act_change> changed;
  for (const auto& key : missing(way, news)) {
    if (news.was_lost && known_of(way, key, now).made_ms != 0) {
      at(way).lost.insert(key); // and it stays in force
    } else if (!at(way).lost.contains(key)) {
      set(key, way, nullptr);
      settle(key, result, changed);
    }
  }
  for (auto& one : news.changes) {
    auto& from = at(way);
    if (goes_back(way, one, news.was_lost, now)) {
      from.lost.insert(one.key);
      continue;
    }
    from.lost.erase(one.key);
    from.lifts.erase(one.key);
    if (one.lifted_ms != 0)
      from.lifts.set(one.key, one.lifted_ms);
    set(one.key, way, one.act && !one.act->is_over(now) ? one.act : nullptr);
    settle(one.key, result, changed);
  }
  publish(changed);
  return result;
}

/// What a Redis had, and has not any more; with other data, also what was lifted there.
std::vector<std::string> moderation_book::missing(std::size_t way, const act_news& news) const {
  std::vector<std::string> keys;
  if (!news.is_whole)
    return keys;
  name_view_map<bool> told;
  for (const auto& one : news.changes)
    told.emplace(one.key, true);
  for (const auto& [key, of] : acts_)
    if (!told.contains(key) && had_by(way, key))
      keys.push_back(key);
  if (news.was_lost && way < ways_.size())
    for (const auto& [key, made_ms] : ways_[way].lifts.all())
      if (!told.contains(key))
        keys.push_back(key);
  return keys;
}

/// Whether a Redis that has lost something tells what was before what it had told. Of one that has lost nothing, what it
/// says last counts, whatever clocks say.
bool moderation_book::goes_back(std::size_t way, const act_change& told, bool was_lost,
                                clock::time_point now) {
  if (!was_lost && !at(way).lost.contains(told.key))
    return false;
  const auto made_ms = told.act ? told.act->made_ms : told.lifted_ms;
  return made_ms != 0 && made_ms < known_of(way, told.key, now).made_ms;
}

moderation_book::way_state& moderation_book::at(std::size_t way) {
  if (way >= ways_.size())
    ways_.resize(way + 1);
  return ways_[way];
}

act_ptr moderation_book::had_by(std::size_t way, std::string_view key) const {
  const auto found = acts_.find(key);
  if (found == acts_.end())
    return nullptr;
  for (const auto& [from, act] : found->second.had)
    if (from == way)
      return act;
  return nullptr;
}

/// What the Redis of a way had told last of a key, if that counts still; `made_ms` is 0 where nothing does.
lost_act moderation_book::known_of(std::size_t way, const std::string& key, clock::time_point now) {
  auto act = had_by(way, key);
  if (act && act->is_over(now))
    return {};
  const auto made_ms = act ? act->made_ms : at(way).lifts.made_ms(key);
  return {.key = key, .act = std::move(act), .made_ms = made_ms};
}

bool moderation_book::has_lost(std::size_t way) const {
  return way < ways_.size() && !ways_[way].lost.empty();
}

std::vector<lost_act> moderation_book::lost(std::size_t way, std::string_view after,
                                            std::size_t limit, clock::time_point now) {
  std::vector<lost_act> found;
  auto& keys = at(way).lost;
  for (auto one = keys.upper_bound(after); one != keys.end() && found.size() < limit;) {
    auto known = known_of(way, *one, now);
    if (known.made_ms == 0) {
      one = keys.erase(one); // it is over, or forgotten
      continue;
    }
    found.push_back(std::move(known));
    ++one;
  }
  return found;
}

void moderation_book::given_back(std::size_t way, const lost_act& what) {
  const auto own = had_by(way, what.key);
  if ((own ? own->made_ms : at(way).lifts.made_ms(what.key)) == what.made_ms)
    at(way).lost.erase(what.key);
}

bool moderation_book::goes_by(std::string_view key, std::uint64_t made_ms, bool is_lifted) const {
  const auto found = acts_.find(key);
  if (found == acts_.end())
    return is_lifted;
  const auto own = found->second.in_force->made_ms;
  return is_lifted ? own > made_ms : own >= made_ms;
}

std::uint64_t moderation_book::last_made_ms(std::string_view key) const {
  const auto found = acts_.find(key);
  auto last = found == acts_.end() ? 0 : found->second.in_force->made_ms;
  for (const auto& way : ways_)
    last = std::max(last, way.lifts.made_ms(key));
  return last;
}

/// What the Redis of a way has of a key.
void moderation_book::set(const std::string& key, std::size_t way, const act_ptr& act) {
  if (!act && acts_.find(key) == acts_.end())
    return;
  auto& had = acts_.try_emplace(key).first->second.had;
  const auto own =
    std::find_if(had.begin(), had.end(), [way](const auto& one) { return one.first == way; });
  if (own == had.end()) {
    if (act)
      had.emplace_back(way, act);
  } else if (act) {
    own->second = act;
  } else {
    had.erase(own);
  }
}

/// The latest of those that there are is in force.
void moderation_book::settle(const std::string& key, outcome& into,
                             std::vector<act_change>& changed) {
  const auto found = acts_.find(key);
  if (found == acts_.end())
    return;
  auto& of = found->second;
  const auto latest =
    std::max_element(of.had.begin(), of.had.end(),
                     [](const auto& a, const auto& b) { return is_earlier(*a.second, *b.second); });
  const auto next = latest == of.had.end() ? nullptr : latest->second;
  const bool is_known = is_same(of.in_force, next);
  if (!is_known || (next && of.in_force->ends_at != next->ends_at)) {
    if (of.in_force) {
      remove_end(*found);
      count(*of.in_force, -1);
    }
    of.in_force = next;
    changed.push_back({key, next});
    if (next) {
      add_end(*found);
      count(*next, 1);
      if (!is_known)
        into.begun.push_back(next);
    }
  }
  if (of.had.empty())
    acts_.erase(found);
}

void moderation_book::publish(const std::vector<act_change>& changed) {
  if (changed.empty())
    return;
  source_.set(source_.get()->with(changed));
  for (std::size_t kind = 0; kind < counts_.size(); ++kind)
    metrics_.in_force[kind].set(counts_[kind]);
  metrics_.memory_bytes.set(memory_bytes_);
}

/// Where Redis differ, one that was made earlier may go on for longer.
moderation_book::outcome moderation_book::end_due(clock::time_point now) {
  outcome result;
  std::vector<act_change> changed;
  while (!ends_.empty() && ends_.begin()->first <= now) {
    const auto key = *ends_.begin()->second;
    ends_.erase(ends_.begin()); // whatever follows, it is not due a second time
    std::erase_if(acts_.find(key)->second.had,
                  [now](const auto& one) { return one.second->is_over(now); });
    settle(key, result, changed);
  }
  publish(changed);
  return result;
}

std::optional<moderation_book::clock::time_point> moderation_book::next_end() const {
  return ends_.empty() ? std::nullopt : std::optional{ends_.begin()->first};
}

act_list moderation_book::list(const act_list_request& wanted, clock::time_point now) const {
  act_list page;
  page.total = acts_.size();
  for (auto at = acts_.upper_bound(wanted.after); at != acts_.end(); ++at) {
    const auto& act = at->second.in_force;
    const auto& key = act->key;
    const bool is_of_user =
      wanted.user.empty() || (key.target == act_target::user && key.subject == wanted.user);
    if (act->is_over(now) || !is_of_user || (wanted.kind && *wanted.kind != key.kind)
        || (!wanted.place.empty() && wanted.place != key.place))
      continue;
    if (page.acts.size() == wanted.limit) {
      page.next = page.acts.empty() ? std::string{} : page.acts.back()->text;
      break;
    }
    page.acts.push_back(act);
  }
  return page;
}

void moderation_book::add_end(const record_map::value_type& of) {
  if (of.second.in_force->ends_at != never)
    ends_.emplace(of.second.in_force->ends_at, &of.first);
}

void moderation_book::remove_end(const record_map::value_type& of) {
  ends_.erase({of.second.in_force->ends_at, &of.first});
}

void moderation_book::count(const moderation_act& act, int by) {
  counts_[static_cast<std::size_t>(act.key.kind)] += static_cast<std::uint64_t>(by);
  memory_bytes_ += static_cast<std::uint64_t>(by) * memory_of(act); // wraps as it should
}

} // namespace canang::cluster
