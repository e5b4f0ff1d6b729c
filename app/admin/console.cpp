#include "app/admin/console.hpp"

#include "actors/node/announcement.hpp"
#include "app/admin/api_answering.hpp"
#include "app/admin/api_channels.hpp"
#include "app/admin/api_commands.hpp"
#include "app/admin/api_execute.hpp"
#include "app/admin/api_rooms.hpp"
#include "app/admin/console_access.hpp"
#include "app/admin/console_results.hpp"
#include "app/admin/hour_ring.hpp"
#include "app/admin/json_response.hpp"
#include "net/json.hpp"
#include "net/metrics_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace canang::admin {

namespace {

using net::http_request;

/// Commands of the server API that the page may give; what they are is said there.
constexpr std::array<std::string_view, 3> commands{"publish", "disconnect", "unsubscribe"};

node_totals totals_of(const actors::server& node) {
  node_totals totals;
  for (const auto* const loop : node.loops()) {
    totals.connections += loop->connections.value();
    totals.rooms += loop->rooms.value();
    totals.publications += loop->publications_total.value();
    totals.deliveries += loop->deliveries_total.value();
    totals.sent_bytes += loop->sent_bytes_total.value();
  }
  net::process_figures process;
  net::read_process_figures(process);
  totals.cpu_seconds = process.cpu_seconds;
  totals.memory_bytes = node.admission().memory_used_bytes();
  return totals;
}

void tell_room(actors::server& node, const api_presence& wanted, api_handler&& handler) {
  const auto& room = wanted.channel;
  const bool keeps_presence = node.room_settings().get()->of(room).keeps_presence();
  ask_room(node, room, std::move(handler),
           [room, keeps_presence](const cluster::room_report& report) -> api_outcome {
             return room_result(room, report, keeps_presence);
           });
}

/// The last few, the newest first.
void tell_publications(actors::server& node, api_history&& wanted, bool with_payloads,
                       api_handler handler) {
  wanted.limit = std::min(wanted.limit, max_console_publications);
  wanted.since.reset();
  wanted.is_reverse = true;
  wanted.is_bare = !with_payloads;
  execute(node, std::move(wanted), std::move(handler));
}

std::string hour_page(const actors::server& node, const hour_ring& ring) {
  return fmt::format(R"({{"node":{},"hour":{}}})", net::json_string(node.id()), to_json(ring));
}

/// This node as it is now, and the others as they told last, also while Redis is away: then `fault` says so.
std::string nodes_result(actors::server& node) {
  auto json = fmt::format(R"({{"node":{},"fault":{},"nodes":[{})", net::json_string(node.id()),
                          net::json_string(actors::cluster_fault(node.shards())), node.describe());
  for (auto& entry : actors::living_nodes(node.shards()))
    if (entry.node != node.id())
      (json += ',') += actors::without_announcement(std::move(entry.description));
  return json + "]}";
}

void add_questions(net::router& paths, const net::route_options& small, actors::server& node,
                   bool shows_payloads) {
  constexpr auto post = net::http_method::post;
  paths.add(post, "/console/api/rooms", small,
            answer(parse_channels, [&node](api_channels&& wanted, api_handler&& handler) {
              tell_rooms(node, std::move(wanted.pattern), busiest_rooms, std::move(handler));
            }));
  paths.add(post, "/console/api/room", small,
            answer(parse_presence, [&node](api_presence&& wanted, api_handler&& handler) {
              tell_room(node, wanted, std::move(handler));
            }));
  paths.add(
    post, "/console/api/history", small,
    answer(parse_history, [&node, shows_payloads](api_history&& wanted, api_handler&& handler) {
      tell_publications(node, std::move(wanted), shows_payloads, std::move(handler));
    }));
  paths.add(post, "/console/api/user", small,
            answer(parse_disconnect, [&node](api_disconnect&& wanted, api_handler&& handler) {
              count_connections(node, std::move(wanted.whom), handler);
            }));
}

void add_commands(net::router& paths, const net::route_options& large, actors::server& node) {
  for (const auto& method : api_methods())
    if (std::find(commands.begin(), commands.end(), method.name) != commands.end())
      paths.add(net::http_method::post, "/console/api/" + std::string{method.name}, large,
                answer(method.read, [&node](api_command&& command, api_handler&& handler) {
                  execute(node, std::move(command), std::move(handler));
                }));
}

} // namespace

void add_console(net::router& paths, actors::server& node, const console_options& options) {
  const auto& of_node = node.options();
  const net::http_guard guard = [rules = console_access{of_node.internal_access.key}](
                                  const http_request& request) { return rules.refusal(request); };
  const auto ring = std::make_shared<hour_ring>();
  node.on_internal_tick([ring, &node](hour_ring::clock::time_point now) {
    if (ring->is_due(now))
      ring->note(now, totals_of(node));
  });
  paths.add_page("/console/api/hour", {.guard = guard}, [ring, &node](const http_request&) {
    return json_response(200, hour_page(node, *ring));
  });
  paths.add_page("/console/api/nodes", {.guard = guard},
                 [&node](const http_request&) { return json_response(200, nodes_result(node)); });
  add_questions(paths, {.body_limit = body_overhead_bytes, .guard = guard}, node,
                options.shows_payloads);
  add_commands(paths, {.body_limit = message_body_limit(node), .guard = guard}, node);
}

} // namespace canang::admin
