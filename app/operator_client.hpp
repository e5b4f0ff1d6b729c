#pragma once

#include "net/loop_context.hpp"
#include "net/tls/tls_source.hpp"

#include <string>
#include <string_view>

namespace canang::app {

/// `canang health` and `canang drain`: one request to a node's internal port, so that a probe needs no
/// shell and an operator no curl. They print the answer's body and give the exit code: 0 for a status of
/// 2xx, 1 for another or none. Both wait 5 seconds at most, looking up a name apart. An empty `url` means
/// the node that would listen at `internal` on this machine; a URL without a path means the path that is
/// asked for by default. Whoever is asked gets `key`, where there is one. With certificates for the internal port the
/// node is asked over TLS: it has to have the very certificate of the file, and is shown it where it asks for one.
/// For a URL with https and no certificate here the system's authorities count.
struct operator_order {
  std::string url;
  net::tcp_endpoint internal;
  std::string_view key;
  net::tls_files tls{};
};
[[nodiscard]] int ask_health(const operator_order& order);
[[nodiscard]] int order_drain(const operator_order& order);

} // namespace canang::app
