#pragma once

#include "net/auth/api_keys.hpp"
#include "net/http/internal_access.hpp"
#include "net/http/request.hpp"

#include <optional>

namespace canang::admin {

/// Who may use the server API: whoever has one of its keys (`X-API-Key: KEY`, or `Authorization: apikey KEY`). They
/// open nothing else on the internal port, and the internal key does not open the API: one is for services that
/// publish, the other for those who run the node. Without any key of either kind the API is for this machine only, as
/// all of the internal port then is. From the internal loop.
class api_access {
public:
  /// `keys` outlives it, and may change.
  api_access(const net::api_keys& keys, const net::internal_access_options& internal,
             bool is_loopback);

  /// The answer to one who may not.
  [[nodiscard]] std::optional<net::page_response> refusal(const net::http_request& request) const;

private:
  [[nodiscard]] bool has_key(const net::http_request& request) const;

  const net::api_keys& keys_;
  net::internal_access internal_;
  bool has_internal_key_;
  bool is_loopback_;
};

} // namespace canang::admin
