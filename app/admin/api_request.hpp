#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

/// What the server API is asked for, read from JSON. Fields and errors are those of Centrifugo's HTTP API
/// (https://centrifugal.dev/docs/server/server_api), so that its libraries can be used.

namespace canang::admin {

/// Deepest nesting of a request's JSON.
inline constexpr std::size_t max_api_depth = 64;

/// Longest idempotency key, in bytes: each is kept for 5 minutes.
inline constexpr std::size_t max_api_key_bytes = 255;

/// Codes of errors, as Centrifugo has them.
enum class api_errc : std::uint16_t {
  internal = 100,
  method_not_found = 104,
  limit_exceeded = 106,
  bad_request = 107,
  not_available = 108,
};

struct api_error {
  /// 400 where the request could not be read at all; 200 where it could, and cannot be done.
  unsigned status = 200;
  api_errc code = api_errc::bad_request;
  std::string message;
};

/// `POST /api/publish`.
struct api_publish {
  std::string channel;
  std::string data; ///< JSON as it was sent, without white space around its values
  std::string idempotency_key{};
  bool skip_history = false;
};

/// `POST /api/disconnect`.
struct api_disconnect {
  std::string user;
  std::uint16_t code = 0;
  std::string reason{};
};

/// `POST /api/unsubscribe`.
struct api_unsubscribe {
  std::string user;
  std::string channel;
};

template <class Request>
using api_parsed = std::variant<Request, api_error>;

[[nodiscard]] api_parsed<api_publish> parse_publish(std::string_view body);
[[nodiscard]] api_parsed<api_disconnect> parse_disconnect(std::string_view body);
[[nodiscard]] api_parsed<api_unsubscribe> parse_unsubscribe(std::string_view body);

/// `{"error":{"code":...,"message":...}}`.
[[nodiscard]] std::string to_json(const api_error& error);

} // namespace canang::admin
