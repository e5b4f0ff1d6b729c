#include "net/websocket/subprotocol.hpp"

#include "net/http/fields.hpp"

#include <algorithm>

namespace canang::net {

bool subprotocol_rules::add(std::string_view name) {
  if (!is_token(name)) // `*` is one too
    return false;
  names_.emplace_back(name);
  return true;
}

std::optional<std::string>
subprotocol_rules::choose(const std::vector<std::string_view>& offered) const {
  const auto may_be = [this](std::string_view name) {
    return names_.empty() || std::any_of(names_.begin(), names_.end(), [&](const auto& allowed) {
             return allowed == "*" || allowed == name;
           });
  };
  const auto found = std::find_if(offered.begin(), offered.end(), may_be);
  return found == offered.end() ? std::nullopt : std::optional{std::string{*found}};
}

} // namespace canang::net
