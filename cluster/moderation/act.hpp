#pragma once

#include "base/address_prefix.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

/// What moderators have decided: bans, mutes and lockdowns.

namespace canang::cluster {

/// Acts in force at the same time. Every node knows all of them: with the longest names they take 40 MiB of it, with
/// usual ones 12 MiB, and 8 MiB of Redis. A node that comes reads them in 64 pages.
inline constexpr std::size_t max_acts = 32'768;

/// Longest name of a user, a room or a namespace, in bytes: that of the protocols.
inline constexpr std::size_t max_act_name_bytes = 255;

/// Longest reason, in bytes: with the word in front of it, it has to fit into a close frame (RFC 6455, 5.5).
inline constexpr std::size_t max_act_reason_bytes = 100;

/// Longest time of an act that ends, ten years: what is meant longer is meant for good.
inline constexpr std::chrono::seconds max_act_time{std::int64_t{10} * 365 * 24 * 3600};

enum class act_kind : std::uint8_t {
  ban,      ///< is not let in
  mute,     ///< may not publish
  lockdown, ///< nobody but moderators may publish
};

enum class act_target : std::uint8_t {
  user,
  address, ///< or a range of them
  all,     ///< of a lockdown
};

enum class act_scope : std::uint8_t { everywhere, name_space, room };

/// What an act is about. There is one act at most of each: a later one takes the place of an earlier one.
struct act_key {
  act_kind kind = act_kind::ban;
  act_target target = act_target::user;
  act_scope scope = act_scope::everywhere;
  std::string place{};   ///< the room or namespace; empty: everywhere
  std::string subject{}; ///< the user, or `to_text` of the addresses; empty: all

  friend bool operator==(const act_key&, const act_key&) = default;
};

/// Whether it can be one: names are there where they have to be, and are names.
[[nodiscard]] bool is_valid(const act_key& key);

/// Its one text: a letter each for kind, target and scope, the place, a line break and the subject. By this acts are
/// known in Redis, between nodes, and in the list.
[[nodiscard]] std::string to_text(const act_key& key);

/// Nothing where it is no valid one.
[[nodiscard]] std::optional<act_key> read_act_key(std::string_view text);

/// Longest such text, in bytes.
inline constexpr std::size_t max_act_key_bytes = 2 * max_act_name_bytes + 4;

/// The addresses of an act. Nothing where they are none, or so many that it is a slip: below /8 of IPv4 and /16 of IPv6,
/// and what has that much of IPv4 in it.
[[nodiscard]] std::optional<address_prefix> read_act_addresses(std::string_view text);

/// An act in force. Never changed.
struct moderation_act {
  using clock = std::chrono::steady_clock;

  act_key key;
  std::string text; ///< of the key
  std::string reason{};
  std::uint64_t made_ms = 0; ///< Unix time by who made it: of two the later one counts
  clock::time_point ends_at = clock::time_point::max(); ///< that: for good

  /// Of an act about addresses.
  address_prefix addresses{};

  [[nodiscard]] bool is_over(clock::time_point now) const noexcept { return ends_at <= now; }
};

using act_ptr = std::shared_ptr<const moderation_act>;

/// @param key a valid one.
[[nodiscard]] act_ptr make_act(act_key key, std::string reason, std::uint64_t made_ms,
                               moderation_act::clock::time_point ends_at);

/// What a client is told that it concerns: `banned`, `muted: spam`. At most 123 bytes.
[[nodiscard]] std::string told_to_client(const moderation_act& act);

/// An act as Redis has it behind its key: `1 MADE END REASON`, times in ms of Unix time, END by the clock of that Redis
/// and 0 where there is none.
struct stored_act {
  std::uint64_t made_ms = 0;
  std::uint64_t ends_ms = 0;
  std::string_view reason{}; ///< of the text that was read
};

/// Nothing where it is none, or of a version that this node does not read.
[[nodiscard]] std::optional<stored_act> read_stored_act(std::string_view text);

/// When an act was lifted that Redis tells of as `0 ORDERED`, in ms of Unix time. Nothing where it is no such text.
[[nodiscard]] std::optional<std::uint64_t> read_lifted(std::string_view text);

/// Whether a text may be a reason: short, and without control characters.
[[nodiscard]] bool is_act_reason(std::string_view text) noexcept;

} // namespace canang::cluster
