#pragma once

#include "net/http/request.hpp"

#include <optional>
#include <string>
#include <utility>

namespace canang::admin {

/// Who may ask what the console's page asks: whoever has the internal key (`Authorization: Bearer KEY`), and is no
/// page of another site. Without such a key nobody may, not even on this machine: any page there could try. Immutable;
/// on the internal loop.
class console_access {
public:
  explicit console_access(std::string internal_key) : key_(std::move(internal_key)) {}

  /// The answer to one who may not.
  [[nodiscard]] std::optional<net::page_response> refusal(const net::http_request& request) const;

private:
  std::string key_;
};

/// What the console tells where there is no key.
[[nodiscard]] net::page_response console_needs_key();

} // namespace canang::admin
