#pragma once

#include "net/hooks/hook_settings.hpp"

#include <optional>
#include <string>

/// What options that name a server of somebody else's have in common. All throw what the command line tells.

namespace canang::app {

/// Reads a URL of http or https.
void take_endpoint(const std::string& flag, const std::string& text,
                   std::optional<net::hook_endpoint>& into);

/// Takes the path of a file with certificates in PEM.
void take_authorities(const std::string& flag, const std::string& path, std::string& into);

} // namespace canang::app
