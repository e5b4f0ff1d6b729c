#pragma once

#include "base/reason_log.hpp"
#include "net/hooks/hook_kind.hpp"
#include "net/hooks/hook_settings.hpp"

#include <string_view>

namespace canang::net {

/// A line in the log: of each reason once, and then once a minute.
/// @param reasons those of that hook
void warn_of_hook(reason_log& reasons, hook_kind what, const hook_settings& settings,
                  std::string_view why);

} // namespace canang::net
