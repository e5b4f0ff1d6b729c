#include "app/admin/console_results.hpp"

#include "net/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>

namespace canang::admin {

namespace {

/// More members come first; of as many, by name, so that the list does not jump.
bool is_busier(const room_counts::value_type& a, const room_counts::value_type& b) noexcept {
  return a.second != b.second ? a.second > b.second : a.first < b.first;
}

void append_nodes(std::string& json, const cluster::room_report& report) {
  json += R"(,"nodes":[)";
  for (const auto& [node, count] : report.members_by_node)
    json += fmt::format(R"({}{{"node":{},"members":{}}})", json.back() == '[' ? "" : ",",
                        net::json_string(node), count);
  json += ']';
}

/// As the presence names them: `NODE/CONNECTION` is the name of one.
void append_members(std::string& json, const cluster::room_report& report) {
  json += R"(,"shown":[)";
  const auto shown = std::min(report.members.size(), max_console_members);
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& member = report.members[i];
    json += fmt::format(R"({}{{"client":{},"node":{},"user":{}}})", i == 0 ? "" : ",",
                        net::json_string(member.id), net::json_string(member.node),
                        net::json_string(member.user));
  }
  json += ']';
}

} // namespace

std::string busiest_rooms(const room_counts& rooms) {
  room_counts shown(std::min(rooms.size(), max_console_rooms));
  std::partial_sort_copy(rooms.begin(), rooms.end(), shown.begin(), shown.end(), is_busier);
  std::string json = R"({"rooms":[)";
  for (const auto& [room, members] : shown)
    json += fmt::format(R"({}{{"room":{},"members":{}}})", json.back() == '[' ? "" : ",",
                        net::json_string(room), members);
  return json + fmt::format(R"(],"total":{}}})", rooms.size());
}

std::string room_result(std::string_view room, const cluster::room_report& report,
                        bool keeps_presence) {
  std::uint64_t members = 0;
  for (const auto& of_node : report.members_by_node)
    members += of_node.second;
  std::set<std::string_view> users;
  for (const auto& member : report.members)
    users.insert(member.user);
  auto json =
    fmt::format(R"({{"room":{},"epoch":{},"offset":{},"members":{},"users":{},"presence":{})",
                net::json_string(room), net::json_string(report.top.epoch), report.top.offset,
                members, users.size(), keeps_presence);
  append_nodes(json, report);
  append_members(json, report);
  return json + '}';
}

} // namespace canang::admin
