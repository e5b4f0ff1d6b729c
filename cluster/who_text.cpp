#include "cluster/who_text.hpp"

#include <utility>

namespace canang::cluster {

namespace {

constexpr char separator = '\0';

/// Takes what is in front of the next separator, and that.
std::string_view take_part(std::string_view& from) noexcept {
  const auto end = from.find(separator);
  const auto part = from.substr(0, end);
  from.remove_prefix(end == std::string_view::npos ? from.size() : end + 1);
  return part;
}

} // namespace

std::string who_text(const who_parts& parts) {
  std::string text{parts.user};
  if (parts.info.empty() && parts.room_info.empty())
    return text;
  text += separator;
  text += parts.info;
  if (!parts.room_info.empty()) {
    text += separator;
    text += parts.room_info;
  }
  return text;
}

who_parts read_who(std::string_view text) noexcept {
  who_parts parts{.user = take_part(text)};
  parts.info = take_part(text);
  parts.room_info = take_part(text);
  return parts;
}

present_member member_of(std::string id, std::string_view who) {
  const auto parts = read_who(who);
  present_member member{.id = std::move(id),
                        .node = {},
                        .user = std::string{parts.user},
                        .info = std::string{parts.info},
                        .room_info = std::string{parts.room_info}};
  member.node = member.id.substr(0, member.id.find('/'));
  return member;
}

void add_member(room_report& to, present_member&& member) {
  to.members.push_back(std::move(member));
  auto& added = to.members.back();
  if (to.is_info_left_out) {
    added.info = added.room_info = {};
    return;
  }
  to.info_bytes += added.info.size() + added.room_info.size();
  if (to.info_bytes <= max_report_info_bytes)
    return;
  to.is_info_left_out = true;
  for (auto& one : to.members)
    one.info = one.room_info = {};
}

} // namespace canang::cluster
