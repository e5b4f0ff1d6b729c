#pragma once

#include "net/close_code.hpp"
#include "net/metrics.hpp"
#include "net/protocol/commands.hpp"

#include <cstdint>
#include <string_view>

/// The numbers and texts of Centrifugo's protocol (https://centrifugal.dev/docs/server/codes).

namespace canang::net::centrifugo {

/// Of a command that failed. A client tries again by itself what is temporary.
struct error {
  std::uint32_t code;
  std::string_view message;
  bool is_temporary = false;
};

inline constexpr error internal_error{100, "internal server error", true};
inline constexpr error permission_denied{103, "permission denied"};
inline constexpr error method_not_found{104, "method not found"};
inline constexpr error already_subscribed{105, "already subscribed"};
inline constexpr error limit_exceeded{106, "limit exceeded"};
inline constexpr error bad_request{107, "bad request"};
inline constexpr error not_available{108, "not available"};
inline constexpr error token_expired{109, "token expired"};
inline constexpr error too_many_requests{111, "too many requests", true};
inline constexpr error slow_mode{111,
                                 "too many requests"}; // who tries again too soon is refused again
inline constexpr error unrecoverable_position{112, "unrecoverable position"};

/// What the client is told.
[[nodiscard]] const error& error_of(command_fault why) noexcept;

/// The end of a connection, or of a subscription. From 3500 (2500 downwards of a subscription) on the client does
/// not come back by itself.
struct ending {
  std::uint16_t code;
  std::string_view reason;
};

inline constexpr ending shutdown{3001, "shutdown"};
inline constexpr ending server_error{3004, "internal server error"};
inline constexpr ending connection_expired{net::connection_expired, "connection expired"};
inline constexpr ending membership_expired{net::membership_expired, "subscription expired"};
inline constexpr ending slow{3008, "slow"};
inline constexpr ending insufficient_state{3010, "insufficient state"};
inline constexpr ending requests_without_end{3013, "too many requests"};
inline constexpr ending invalid_token{net::invalid_token, "invalid token"};
inline constexpr ending malformed{3501, "bad request"};
inline constexpr ending stale{3502, "stale"};
inline constexpr ending forbidden{3507, "permission denied"};
inline constexpr ending nobody_there{3508, "not available"};

inline constexpr ending server_unsubscribe{2000, "server unsubscribe"};
inline constexpr ending come_back{2500, "insufficient state"};
inline constexpr ending renew{2501, "subscription expired"};

/// How the end of a connection is told, where it is to be told with `given`.
[[nodiscard]] ending ending_of(close_reason why, const ending& given) noexcept;

} // namespace canang::net::centrifugo
