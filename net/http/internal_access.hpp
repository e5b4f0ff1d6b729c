#pragma once

#include "net/http/request.hpp"

#include <optional>
#include <string>
#include <vector>

namespace canang::net {

/// What an operator may say of the internal port.
struct internal_access_options {
  std::string key;                             ///< empty: none
  std::vector<std::string> hosts{"localhost"}; ///< names under which it may be asked without a key
};

/// Who may ask the internal port what, apart from the probes and the metrics, which are for everyone that
/// reaches it: they are open routes. All else, which tells of members and drains the node, needs the key (RFC 6750:
/// `Authorization: Bearer KEY`). Without a key it is for this machine only, and there not for web pages whose name
/// was made to lead to it (DNS rebinding): the request has to name an address, or a host of the list. What changes
/// something is not for web pages at all: any site's page may make its reader's browser post to this machine.
/// Immutable.
class internal_access {
public:
  internal_access(internal_access_options options, bool is_loopback);

  /// The answer to one who may not.
  [[nodiscard]] std::optional<page_response> refusal(const http_request& request) const;

private:
  [[nodiscard]] std::optional<page_response> refuse_who(const http_request& request) const;
  [[nodiscard]] bool has_key(std::string_view authorization) const;
  [[nodiscard]] bool is_own_host(std::string_view host) const;

  internal_access_options options_;
  bool is_loopback_;
};

} // namespace canang::net
