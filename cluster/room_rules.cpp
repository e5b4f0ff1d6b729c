#include "cluster/room_rules.hpp"

#include <algorithm>

namespace canang::cluster {

namespace {

bool matches_any(const std::vector<std::string>& globs, std::string_view room) noexcept {
  return std::any_of(globs.begin(), globs.end(),
                     [&](const std::string& glob) { return matches_glob(glob, room); });
}

} // namespace

bool matches_glob(std::string_view glob, std::string_view text) noexcept {
  std::size_t g = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos; // the last one, to come back to
  std::size_t after_star = 0;                // where in `text` what it took ends
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      after_star = t;
    } else if (g < glob.size() && (glob[g] == '?' || glob[g] == text[t])) {
      ++g;
      ++t;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = ++after_star;
    } else {
      return false;
    }
  }
  return glob.find_first_not_of('*', g) == std::string_view::npos;
}

bool room_rules::keeps_presence(std::string_view room) const noexcept {
  return matches_any(presence, room);
}

bool room_rules::announces(std::string_view room) const noexcept {
  return matches_any(join_leave, room);
}

} // namespace canang::cluster
