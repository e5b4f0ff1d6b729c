#pragma once

#include "net/hooks/hook_kind.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace canang::net {

/// Where the operator's program listens.
struct hook_endpoint {
  bool uses_tls = false;
  std::string host{};   ///< a name, or an address without brackets
  std::string port{};   ///< in digits
  std::string target{}; ///< of the request, with the query
  std::string shown{};  ///< for logs: without the query, which may have a secret
  bool is_safe = true;  ///< uses TLS, or stays on this machine
};

/// What the operator says of hooks. Not to be shown: there is a secret in it.
struct hook_settings {
  std::array<std::optional<hook_endpoint>, hook_count> endpoints{}; ///< none: nobody is asked that
  std::chrono::milliseconds timeout{1000}; ///< from the question to the answer
  std::string secret{};                    ///< that signs requests; empty: they are not signed
  std::size_t in_flight = 128;             ///< questions of a kind at the same time; others wait
  bool fails_open = false; ///< without an answer clients may subscribe and publish, but not connect
  std::vector<std::string> headers{}; ///< of clients' requests, that are passed on; in lower case
  std::string ca_file{};              ///< empty: the system's authorities
  std::chrono::milliseconds event_gathering{
    100};                                      ///< events that come in that time go in one request
  std::chrono::milliseconds event_pause{1000}; ///< until one that has failed is tried again, first

  [[nodiscard]] const std::optional<hook_endpoint>& of(hook_kind what) const noexcept {
    return endpoints[static_cast<std::size_t>(what)];
  }

  [[nodiscard]] bool are_any() const noexcept {
    return std::any_of(endpoints.begin(), endpoints.end(),
                       [](const auto& one) { return one.has_value(); });
  }
};

} // namespace canang::net
