#include "app/admin/endpoints.hpp"

#include "app/admin/api.hpp"
#include "app/admin/cluster_pages.hpp"
#include "app/admin/json_response.hpp"
#include "app/admin/probes.hpp"
#include "net/http/internal_access.hpp"
#include "net/http/target.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace canang::admin {

namespace {

using actors::server;
using net::http_request;
using net::responder;

void set_guard(net::router& paths, server& node) {
  const auto& access = node.options().internal_access;
  const bool is_loopback = node.internal_endpoint().address().is_loopback();
  if (!is_loopback && access.key.empty())
    spdlog::warn("the internal port is open beyond loopback without --internal-key: it answers "
                 "/healthz, /readyz and /metrics only{}",
                 node.api_keys().is_empty() ? "" : ", and the server API to who has a key of it");
  paths.set_guard([rules = net::internal_access{access, is_loopback}](const http_request& request) {
    return rules.refusal(request);
  });
}

net::page_response show_nodes(server& node) {
  const auto fault = actors::cluster_fault(node.shards());
  if (!fault.empty())
    return json_fault(503, fault);
  return nodes_page(node.id(), node.describe(), node.shards());
}

/// The answer tells of what has begun; `/metrics` and the log tell how it goes on.
void drain(server& node, responder& respond) {
  if (node.phase() == actors::node_phase::starting) {
    respond.reply(json_fault(503, "starting"));
    return;
  }
  node.shut_down(true, [&node, later = respond.reply_later()] {
    later(json_response(202, fmt::format(R"({{"draining":true,"connections":{}}})",
                                         node.admission().open_connections())));
  });
}

using room_view = net::page_response (*)(std::string_view, const cluster::room_report&);

/// Asks who knows of a room, and answers later.
void show_room(server& node, const http_request& request, responder& respond, bool with_members,
               room_view view) {
  auto room = request.value("room");
  if (!room || !net::is_room_name(*room)) {
    respond.reply(net::text_response(400, std::string{net::room_name_rule}));
    return;
  }
  if (node.phase() == actors::node_phase::starting) {
    respond.reply(json_fault(503, "starting"));
    return;
  }
  node.ask_room(*room, with_members,
                [name = *room, view, later = respond.reply_later()](cluster::room_report&& report) {
                  later(view(name, report));
                });
}

} // namespace

void add_internal_endpoints(net::router& paths, server& node) {
  add_internal_endpoints_with(paths, node, {});
}

void add_internal_endpoints_with(net::router& paths, server& node,
                                 std::function<std::string()> more_metrics) {
  set_guard(paths, node);
  add_api(paths, node);
  paths.set_not_found(
    "there are /healthz, /readyz, /metrics, /nodes, /drain, /rooms/NAME[/presence], /console "
    "and the server API here: /api/publish and others, told in /api/openapi.json");
  const net::route_options open{.is_open = true};
  paths.add_page("/healthz", open, [&](const http_request&) { return health_page(node); });
  paths.add_page("/readyz", open, [&](const http_request&) { return readiness_page(node); });
  paths.add_page("/metrics", open, [&, more = std::move(more_metrics)](const http_request&) {
    auto page = metrics_page(node);
    if (more)
      page.body += more();
    return page;
  });
  paths.add_page("/nodes", {}, [&](const http_request&) { return show_nodes(node); });
  paths.add(net::http_method::post, "/drain", {},
            [&](const http_request&, responder& respond) { drain(node, respond); });
  paths.add(net::http_method::get, "/rooms/{room*}", {},
            [&](const http_request& request, responder& respond) {
              show_room(node, request, respond, false, room_page);
            });
  paths.add(net::http_method::get, "/rooms/{room*}/presence", {},
            [&](const http_request& request, responder& respond) {
              show_room(node, request, respond, true, presence_page);
            });
}

} // namespace canang::admin
