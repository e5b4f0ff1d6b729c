#pragma once

#include "cluster/moderation/act.hpp"
#include "cluster/moderation/lifts.hpp"
#include "cluster/moderation/metrics.hpp"
#include "cluster/moderation/source.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::cluster {

/// What one Redis tells of its acts: all that changed since it told last, or all that there are.
struct act_news {
  std::vector<act_change> changes{};
  bool is_whole = false; ///< what is not among them is not there
  bool was_lost =
    false; ///< of those: Redis may have lost it, or has gone back: it has other data than it had
};

/// What a Redis has lost, and is to be given again.
struct lost_act {
  std::string key;
  act_ptr act; ///< null: that it was lifted
  std::uint64_t made_ms = 0;
};

/// Acts that are looked at, in the order of their keys.
struct act_list_request {
  std::optional<act_kind> kind{};
  std::string user{};    ///< empty: of any
  std::string place{};   ///< a room or namespace; empty: any
  std::string after{};   ///< the key of the last one of the page before
  std::size_t limit = 0; ///< at most
};

struct act_list {
  std::vector<act_ptr> acts;
  std::string next;      ///< `after` of the next page; empty: this is the last one
  std::size_t total = 0; ///< acts in force, whatever was asked for
};

/// The acts in force on a node: those that any Redis has, of the same key the one that was made last; alone, those that
/// the book was told. Has them ended when their time is over, and tells the node's loops by its source. Knows no I/O.
///
/// What a Redis has lost counts as what it has, until it tells something of that key that was ordered then or later. Lost
/// is what its news do not tell, or tell as it was before, when its data are other data than they were.
///
/// Owned by the node's desk, on its thread.
class moderation_book {
public:
  using clock = moderation_act::clock;

  /// What news have made of it.
  struct outcome {
    std::vector<act_ptr> begun; ///< in force now, and before not or otherwise
  };

  /// Both outlive it.
  moderation_book(moderation_source& source, moderation_metrics& metrics)
    : source_(source), metrics_(metrics) {}

  /// What the Redis of that way tells; of a node that runs alone way 0 tells what is ordered.
  outcome take(std::size_t way, act_news&& news, clock::time_point now);

  /// Ends what is over.
  outcome end_due(clock::time_point now);

  /// Whether the Redis of that way lacks something.
  [[nodiscard]] bool has_lost(std::size_t way) const;

  /// What it lacks, in the order of the keys, from behind one on.
  [[nodiscard]] std::vector<lost_act> lost(std::size_t way, std::string_view after,
                                           std::size_t limit, clock::time_point now);

  /// It has this again.
  void given_back(std::size_t way, const lost_act& what);

  /// Whether this node goes by an order, or one that came later.
  [[nodiscard]] bool goes_by(std::string_view key, std::uint64_t made_ms, bool is_lifted) const;

  /// When that was ordered which is known last of a key; 0: nothing is known.
  [[nodiscard]] std::uint64_t last_made_ms(std::string_view key) const;

  /// When something is over next.
  [[nodiscard]] std::optional<clock::time_point> next_end() const;

  [[nodiscard]] act_list list(const act_list_request& wanted, clock::time_point now) const;

  [[nodiscard]] bool has(std::string_view key) const { return acts_.find(key) != acts_.end(); }
  [[nodiscard]] std::size_t size() const noexcept { return acts_.size(); }

private:
  struct record {
    act_ptr in_force;                                 // the latest of those
    std::vector<std::pair<std::size_t, act_ptr>> had; // by way, seldom more than a few
  };
  using record_map = std::map<std::string, record, std::less<>>;

  /// Of one Redis.
  struct way_state {
    moderation_lifts lifts;
    std::set<std::string, std::less<>> lost; // keys; some may be over or forgotten by now
  };

  way_state& at(std::size_t way);
  void set(const std::string& key, std::size_t way, const act_ptr& act);
  [[nodiscard]] act_ptr had_by(std::size_t way, std::string_view key) const;
  [[nodiscard]] lost_act known_of(std::size_t way, const std::string& key, clock::time_point now);
  [[nodiscard]] bool goes_back(std::size_t way, const act_change& told, bool was_lost,
                               clock::time_point now);
  [[nodiscard]] std::vector<std::string> missing(std::size_t way, const act_news& news) const;
  void settle(const std::string& key, outcome& into, std::vector<act_change>& changed);
  void publish(const std::vector<act_change>& changed);
  void add_end(const record_map::value_type& of);
  void remove_end(const record_map::value_type& of);
  void count(const moderation_act& act, int by);

  moderation_source& source_;
  moderation_metrics& metrics_;
  record_map acts_;
  std::vector<way_state> ways_;
  std::set<std::pair<clock::time_point, const std::string*>> ends_; // of those that end
  std::array<std::uint64_t, 3> counts_{};
  std::uint64_t memory_bytes_ = 0;
};

} // namespace canang::cluster
