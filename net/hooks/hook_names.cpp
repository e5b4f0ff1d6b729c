#include "net/hooks/hook_kind.hpp"
#include "net/hooks/hook_metrics.hpp"

#include <array>

namespace canang::net {

std::string_view to_string(hook_kind what) noexcept {
  static constexpr std::array<std::string_view, hook_count> names{
    "connect", "refresh", "subscribe", "publish", "sub_refresh", "rpc", "disconnect", "rooms"};
  return names[static_cast<std::size_t>(what)];
}

std::string_view to_string(hook_result_kind result) noexcept {
  static constexpr std::array<std::string_view, hook_result_count> names{
    "ok",         "error",     "disconnect", "timeout", "unreachable", "status",
    "bad_answer", "too_large", "busy",       "breaker", "gone"};
  return names[static_cast<std::size_t>(result)];
}

} // namespace canang::net
