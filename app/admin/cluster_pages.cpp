#include "app/admin/cluster_pages.hpp"

#include "actors/node/announcement.hpp"
#include "app/admin/json_response.hpp"
#include "net/json.hpp"

#include <fmt/format.h>

#include <utility>

namespace canang::admin {

namespace {

net::page_response not_known() {
  return json_fault(503, "redis does not answer for this room at present");
}

} // namespace

net::page_response room_page(std::string_view room, const cluster::room_report& report) {
  if (report.error != cluster::broker_errc::none)
    return not_known();
  std::uint64_t total = 0;
  std::string nodes;
  for (const auto& [node, count] : report.members_by_node) {
    total += count;
    if (!nodes.empty())
      nodes += ',';
    nodes += fmt::format("{}:{}", net::json_string(node), count);
  }
  return json_response(
    200, fmt::format(R"({{"room":{},"epoch":{},"offset":{},"members":{},"nodes":{{{}}}}})",
                     net::json_string(room), net::json_string(report.top.epoch), report.top.offset,
                     total, nodes));
}

net::page_response presence_page(std::string_view room, const cluster::room_report& report) {
  if (report.error != cluster::broker_errc::none)
    return not_known();
  auto body = fmt::format(R"({{"room":{},"members":[)", net::json_string(room));
  for (const auto& member : report.members) {
    if (body.back() != '[')
      body += ',';
    body += fmt::format(R"({{"id":{},"node":{},"user":{})", net::json_string(member.id),
                        net::json_string(member.node), net::json_string(member.user));
    net::append_info_fields(body, member.info, member.room_info);
    body += '}';
  }
  return json_response(200, body + (report.is_info_left_out ? R"(],"info":"too long"})" : "]}"));
}

net::page_response nodes_page(std::string_view node, const std::string& own,
                              actors::shard_list shards) {
  auto body = fmt::format(R"({{"node":{},"nodes":[)", net::json_string(node));
  const auto known = actors::living_nodes(shards);
  if (known.empty())
    body += own;
  for (const auto& entry : known) {
    if (&entry != &known.front())
      body += ',';
    body += actors::without_announcement(entry.description);
  }
  return json_response(200, body + "]}");
}

} // namespace canang::admin
