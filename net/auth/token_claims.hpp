#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace canang::net {

/// One entry of the claim `caps`, for one of its channels: what may be done in the rooms of a pattern.
struct token_grant {
  enum class kind : std::uint8_t {
    exact,   ///< the room of that name
    wildcard ///< `*` is any number of bytes
  };

  /// A bit each.
  enum right : std::uint8_t {
    subscribe = 1,
    publish = 2,
    presence = 4,
    history = 8,
    moderate =
      16 ///< rules for chats do not bind it there: slow mode, lockdown, how many members there may be
  };

  std::string pattern;
  kind match = kind::exact;
  std::uint8_t rights = 0;

  /// Whether it grants `what` in a room; in time that grows with the length of both multiplied, at most.
  [[nodiscard]] bool covers(std::string_view room, right what) const noexcept;

  friend bool operator==(const token_grant&, const token_grant&) = default;
};

/// What a token says whose signature holds, with Centrifugo's names of the claims.
struct token_claims {
  std::string user{}; ///< `sub`; empty: anonymous
  /// When the connection or membership ends, in seconds of Unix time: `expire_at`, or where that is absent `exp`.
  /// Nothing: never, as `expire_at` 0 says. It may be up to the leeway ago.
  std::optional<std::int64_t> expires_at{};
  std::string info{}; ///< `info` or `b64info`: JSON without white space; empty: none
  std::optional<std::string> channel{}; ///< of subscription tokens alone: the room
  std::string client{};                 ///< deprecated; whoever takes the token compares it
  std::vector<std::string> rooms{};     ///< `channels` and the keys of `subs`, each once
  std::vector<token_grant> grants{};    ///< `caps`
};

/// The claims that say whether a token counts at all.
struct token_conditions {
  std::optional<std::int64_t> expires_at; ///< `exp`, rounded down
  std::optional<std::int64_t> not_before; ///< the later of `nbf`, rounded up, and `iat`
  std::vector<std::string> audiences;
  std::string issuer;
};

struct read_claims {
  token_claims claims;
  token_conditions conditions;
};

/// Reads the payload of a token. Types are strict: a number in quotes is none, and `null` is no absence. Members that
/// are not known may be anything.
/// @returns nothing where it is malformed.
[[nodiscard]] std::optional<read_claims> parse_claims(std::string_view json);

} // namespace canang::net
