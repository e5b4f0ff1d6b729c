#include "net/auth/room_names.hpp"

#include <algorithm>

namespace canang::net {

namespace {

constexpr char separator = ',';

/// `ann,bob` names ann and bob.
bool is_listed(std::string_view users, std::string_view user) {
  while (true) {
    const auto end = std::min(users.find(separator), users.size());
    if (users.substr(0, end) == user)
      return true;
    if (end == users.size())
      return false;
    users.remove_prefix(end + 1);
  }
}

} // namespace

room_name_rules::entitlement room_name_rules::of(std::string_view room, const identity& who,
                                                 bool has_users) const {
  const auto if_owned = [&](bool is_owner) {
    return is_owner && !who.user.empty() ? entitlement::owns : entitlement::barred;
  };
  if (!private_prefix.empty() && room.starts_with(private_prefix))
    return entitlement::barred;
  if (!personal_prefix.empty() && room.starts_with(personal_prefix))
    return if_owned(room.substr(personal_prefix.size()) == who.user);
  if (!has_users || user_boundary.empty())
    return entitlement::none;
  const auto at = room.rfind(user_boundary);
  if (at == std::string_view::npos)
    return entitlement::none;
  return if_owned(is_listed(room.substr(at + user_boundary.size()), who.user));
}

} // namespace canang::net
