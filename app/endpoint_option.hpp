#pragma once

#include "net/hooks/hook_settings.hpp"

#include <optional>
#include <string>
#include <string_view>

/// What options that name a server of somebody else's have in common. Those that take throw what the command line tells.

namespace canang::app {

/// Reads a URL of http or https.
void take_endpoint(const std::string& flag, const std::string& text,
                   std::optional<net::hook_endpoint>& into);

/// Whether a header field, in lower case, says how a request is sent: such are no operator's and no client's to give.
[[nodiscard]] bool says_how_it_is_sent(std::string_view name) noexcept;

/// Takes the path of a file with certificates in PEM.
void take_authorities(const std::string& flag, const std::string& path, std::string& into);

} // namespace canang::app
