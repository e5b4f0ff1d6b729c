#pragma once

#include <cstdint>
#include <string>
#include <variant>

namespace canang::admin {

/// Codes of errors, as Centrifugo's server API has them.
enum class api_errc : std::uint16_t {
  internal = 100,
  method_not_found = 104,
  limit_exceeded = 106,
  bad_request = 107,
  not_available = 108,
  unrecoverable_position = 112,
};

struct api_error {
  /// 400 where the request could not be read at all; 200 where it could, and cannot be done.
  unsigned status = 200;
  api_errc code = api_errc::bad_request;
  std::string message;
};

/// What was read, or what is wrong with it.
template <class Request>
using api_parsed = std::variant<Request, api_error>;

/// `{"error":{"code":...,"message":...}}`.
[[nodiscard]] std::string to_json(const api_error& error);

} // namespace canang::admin
