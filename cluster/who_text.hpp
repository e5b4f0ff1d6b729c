#pragma once

#include "cluster/broker.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace canang::cluster {

/// Who a member is, in one text, as members are kept on their node and in Redis: the name of its user. Where others
/// are told more, a NUL follows and what its connection's token says, in JSON; and where its room's token says
/// something, another NUL and that. Neither names nor JSON have NULs in them. So who has no more than a name costs no
/// more than that, and what earlier releases have stored is read.
struct who_parts {
  std::string_view user;        ///< may be empty
  std::string_view info{};      ///< JSON, or nothing
  std::string_view room_info{}; ///< JSON, or nothing
};

[[nodiscard]] std::string who_text(const who_parts& parts);

/// Views of `text`.
[[nodiscard]] who_parts read_who(std::string_view text) noexcept;

/// A member of some node.
/// @param id `NODE/CONNECTION`
[[nodiscard]] present_member member_of(std::string id, std::string_view who);

/// Adds a member to a report, whose bounds it keeps.
void add_member(room_report& to, present_member&& member);

} // namespace canang::cluster
