#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace canang::net {

/// A request target and its parts (RFC 9112, 3.2). Views into the target.
struct request_target {
  std::string_view path;
  std::string_view query;
  std::string_view authority{}; ///< `host[:port]` of the absolute form, else empty
};

/// Splits a path at its question mark.
[[nodiscard]] request_target split_target(std::string_view target) noexcept;

/// Reads a target in the origin form (`/ws?echo=false`), in the absolute form (`http://host/ws`, also with
/// https, ws and wss) or `*`.
/// @returns nothing when it is none of these.
[[nodiscard]] std::optional<request_target> read_target(std::string_view target);

/// Decodes %XX (RFC 3986, 2.1). `+` stays `+`.
/// @returns nothing when a percent sign is not followed by two hexadecimal digits.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text);

/// The decoded value of `name` in a query string, or nothing when it is absent; `+` is a space, as browsers
/// write it (WHATWG URL, 5.1). One that is badly encoded comes as it stands, to be refused as a value.
[[nodiscard]] std::optional<std::string> query_value(std::string_view query, std::string_view name);

/// The same of all that are there, in their order.
[[nodiscard]] std::vector<std::string> query_values(std::string_view query, std::string_view name);

/// A target as logs have it: with the value of `token`, a secret, taken out.
[[nodiscard]] std::string without_token(std::string_view target);

/// Whether `name` may be a user: 1 to 255 bytes of UTF-8 without control characters
/// (U+0000..U+001F, U+007F..U+009F).
[[nodiscard]] bool is_user_name(std::string_view name) noexcept;

/// Whether `name` may be a room: as a user, but not `.` or `..`, which no browser can put into a path,
/// encoded or not (WHATWG URL, 4.1: single-dot and double-dot path segments).
[[nodiscard]] bool is_room_name(std::string_view name) noexcept;

/// What `is_room_name` asks for, for error texts.
inline constexpr std::string_view room_name_rule =
  "a room name is 1 to 255 bytes of UTF-8 without control characters and not . or .., "
  "percent-encoded "
  "in the path";

} // namespace canang::net
