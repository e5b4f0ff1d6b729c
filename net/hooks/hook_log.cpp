#include "net/hooks/hook_log.hpp"

#include "net/log_text.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace canang::net {

void warn_of_hook(reason_log& reasons, hook_kind what, const hook_settings& settings,
                  std::string_view why) {
  if (const auto unsaid = reasons.note(why, reason_log::clock::now()))
    spdlog::warn("hook {}: {}: {}{}", to_string(what), settings.of(what)->shown, log_line(why),
                 *unsaid == 0 ? "" : fmt::format(" ({} times more)", *unsaid));
}

} // namespace canang::net
