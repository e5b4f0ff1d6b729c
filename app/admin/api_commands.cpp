#include "app/admin/api_commands.hpp"

#include "net/json.hpp"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace canang::admin {

namespace {

std::string_view name_of(cluster::control_outcome outcome) noexcept {
  switch (outcome) {
  case cluster::control_outcome::done: return "done";
  case cluster::control_outcome::unsupported: return "unsupported";
  case cluster::control_outcome::timed_out: return "timed_out";
  case cluster::control_outcome::gone: break;
  }
  return "gone";
}

void order(actors::server& node, cluster::control_command&& command, const api_handler& handler) {
  const bool is_taken = node.order(
    {.command = std::move(command), .answer = [&node, handler](cluster::control_result&& result) {
       node.on_internal_loop([handler, result = std::move(result)] { handler(result_of(result)); });
     }});
  if (!is_taken)
    handler(not_ready());
}

} // namespace

api_outcome result_of(const cluster::control_result& result) {
  if (result.error == cluster::control_errc::busy)
    return api_error{.code = api_errc::limit_exceeded,
                     .message = "limit exceeded: too many commands wait for answers of nodes"};
  if (result.error != cluster::control_errc::none)
    return api_error{.message = "bad request: a name, an epoch or the reason is too long"};
  std::uint64_t connections = 0;
  std::size_t done = 0;
  std::string nodes;
  for (const auto& one : result.nodes) {
    connections += one.count;
    done += one.outcome == cluster::control_outcome::done ? 1U : 0U;
    nodes += nodes.empty() ? "{\"node\":" : ",{\"node\":";
    net::append_json_string(nodes, one.node);
    nodes += fmt::format(R"(,"outcome":"{}","connections":{}}})", name_of(one.outcome), one.count);
  }
  const bool is_complete = result.is_whole && done == result.nodes.size();
  return fmt::format(R"({{"complete":{},"connections":{},"nodes":[{}]}})", is_complete, connections,
                     nodes);
}

void disconnect(actors::server& node, api_disconnect&& wanted, const api_handler& handler) {
  order(node,
        cluster::disconnect_user{.user = std::move(wanted.whom.user),
                                 .code = wanted.code,
                                 .reason = std::move(wanted.reason),
                                 .client = std::move(wanted.whom.client),
                                 .spared = std::move(wanted.spared)},
        handler);
}

void count_connections(actors::server& node, api_target&& whom, const api_handler& handler) {
  order(node, cluster::count_user{.user = std::move(whom.user), .client = std::move(whom.client)},
        handler);
}

void subscribe(actors::server& node, api_subscribe&& wanted, const api_handler& handler) {
  cluster::add_to_room command{.user = std::move(wanted.whom.user),
                               .room = std::move(wanted.channel),
                               .client = std::move(wanted.whom.client)};
  if (wanted.since)
    command.since =
      cluster::position{.epoch = std::move(wanted.since->epoch), .offset = wanted.since->offset};
  order(node, std::move(command), handler);
}

void unsubscribe(actors::server& node, api_unsubscribe&& wanted, const api_handler& handler) {
  order(node,
        cluster::remove_from_room{.user = std::move(wanted.whom.user),
                                  .room = std::move(wanted.channel),
                                  .client = std::move(wanted.whom.client)},
        handler);
}

void refresh(actors::server& node, api_refresh&& wanted, const api_handler& handler) {
  if (wanted.is_expired)
    disconnect(node, std::move(wanted.end), handler);
  else
    order(node,
          cluster::refresh_user{.user = std::move(wanted.end.whom.user),
                                .client = std::move(wanted.end.whom.client),
                                .expires_at = wanted.expires_at},
          handler);
}

} // namespace canang::admin
