#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace canang::cluster {

/// What rooms do beside handing on messages, by their names.
struct room_rules {
  std::vector<std::string> presence{"*"}; ///< who is in them is kept
  std::vector<std::string> join_leave;    ///< who comes and goes is published in them

  [[nodiscard]] bool keeps_presence(std::string_view room) const noexcept;
  [[nodiscard]] bool announces(std::string_view room) const noexcept;

  friend bool operator==(const room_rules&, const room_rules&) = default;
};

} // namespace canang::cluster
