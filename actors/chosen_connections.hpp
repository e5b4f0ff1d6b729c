#pragma once

#include "actors/ids.hpp"

#include <algorithm>
#include <vector>

namespace canang::actors {

/// Which connections of a user a command is about, on this node.
struct chosen_connections {
  connection_id only = 0;              ///< 0: all of the user
  std::vector<connection_id> spared{}; ///< but these; few

  [[nodiscard]] bool has(connection_id who) const {
    return (only == 0 || who == only)
           && std::find(spared.begin(), spared.end(), who) == spared.end();
  }
};

} // namespace canang::actors
