#include "cluster/room_rules.hpp"

#include "base/glob.hpp"

#include <algorithm>

namespace canang::cluster {

namespace {

bool matches_any(const std::vector<std::string>& globs, std::string_view room) noexcept {
  return std::any_of(globs.begin(), globs.end(),
                     [&](const std::string& glob) { return matches_glob(glob, room); });
}

} // namespace

bool room_rules::keeps_presence(std::string_view room) const noexcept {
  return matches_any(presence, room);
}

bool room_rules::announces(std::string_view room) const noexcept {
  return matches_any(join_leave, room);
}

} // namespace canang::cluster
