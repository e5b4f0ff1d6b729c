#pragma once

#include "cluster/envelope.hpp"
#include "cluster/feed.hpp"
#include "cluster/redis/shard.hpp"
#include "cluster/rooms/broker_metrics.hpp"
#include "cluster/rooms/redis_room.hpp"

#include <charconv>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace canang::cluster {

/// The scripts of cluster/rooms/scripts/ as they are run, and what they answer.
struct room_script_set {
  redis_script publish;
  redis_script read;
  redis_script positions;
  redis_script presence;
  redis_script leave;
  redis_script reap;
  redis_script lease;
  redis_script sweep;
  redis_script bury;
  redis_script release;
  redis_script unordered;
  redis_script history;
  redis_script remove;
  redis_script acts_read;
  redis_script acts_write;
};

[[nodiscard]] const room_script_set& room_scripts();

/// A number as an argument of a command.
class decimal {
public:
  explicit decimal(std::uint64_t number) noexcept
    : end_(std::to_chars(digits_, digits_ + sizeof digits_, number).ptr) {}
  explicit decimal(std::chrono::milliseconds time) noexcept
    : decimal(static_cast<std::uint64_t>(time.count())) {}
  decimal(const decimal&) = delete;
  decimal& operator=(const decimal&) = delete;

  [[nodiscard]] std::string_view text() const noexcept {
    return {digits_, static_cast<std::size_t>(end_ - digits_)};
  }

private:
  char digits_[20];
  char* end_;
};

/// How long a room's position is kept after its last use.
[[nodiscard]] std::chrono::milliseconds meta_ttl(const redis_broker_options& options,
                                                 const room_settings& settings) noexcept;

/// One call of publish.lua: gathers keys and arguments, and holds what they refer to.
class publish_call {
public:
  publish_call(const redis_broker_options& options, const room_settings& settings,
               const batch_id& id);

  void set_keys(std::string_view meta, std::string_view stream, std::string_view channel);

  /// Nothing up to this offset has to be kept.
  void set_trim(std::uint64_t offset) { trim_ = offset; }

  /// An earlier try may have been stored, behind the offset `seen`.
  void set_second_try(std::uint64_t seen) { seen_ = std::to_string(seen); }

  /// Adds a publication; `key` is that of its idempotency, or empty.
  void add(const publication& message, std::string key);

  /// Valid until the next `add`.
  [[nodiscard]] std::span<const std::string_view> keys();
  [[nodiscard]] std::span<const std::string_view> arguments();

private:
  const redis_broker_options& options_;
  const room_settings& settings_;
  std::string epoch_;
  std::string header_;
  std::string meta_;
  std::string stream_;
  std::string channel_;
  std::uint64_t trim_ = 0;
  std::string seen_;
  std::string body_;
  std::vector<std::size_t> ends_; // of each publication in `body_`
  std::vector<std::string> keys_; // of each publication, may be empty
  bool has_keys_ = false;
  std::vector<std::string> texts_; // numbers among the arguments
  std::vector<std::string_view> key_views_;
  std::vector<std::string_view> argument_views_;
};

/// `EPOCH:OFFSET`; an empty epoch when it is none.
[[nodiscard]] position read_position(std::string_view text);

/// Reads the answer of read.lua or history.lua. Entries that cannot be read are left out, with all that is older; what was
/// wrong with them is returned. Without a `top` in `into` nothing could be read.
[[nodiscard]] envelope_errc read_stored_page(const redis_reply& reply, std::uint64_t own_origin,
                                             stored_page& into);

/// Whether an error reply says that this server cannot answer as a master does: it is a replica, or is
/// still loading its data.
[[nodiscard]] bool is_not_master(std::string_view error) noexcept;

/// Whether an error reply is of those that pass by themselves, or when an operator does something about it.
[[nodiscard]] bool is_temporary(std::string_view error) noexcept;

/// What an error reply is told as.
[[nodiscard]] broker_errc error_of(std::string_view error) noexcept;

/// Counts and logs a publish that Redis refused.
void note_refused_publish(const redis_room_services& services, std::string_view error);

void count_bad(broker_metrics& metrics, envelope_errc fault) noexcept;

} // namespace canang::cluster
