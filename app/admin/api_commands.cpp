#include "app/admin/api_commands.hpp"

#include "app/admin/api_answer.hpp"
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

net::page_response answer_to(const cluster::control_result& result) {
  if (result.error == cluster::control_errc::busy)
    return api_fault({.code = api_errc::limit_exceeded,
                      .message = "limit exceeded: too many commands wait for answers of nodes"});
  if (result.error != cluster::control_errc::none)
    return api_fault({.message = "bad request: a name or the reason is too long"});
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
  return api_answer(fmt::format(R"({{"result":{{"complete":{},"connections":{},"nodes":[{}]}}}})",
                                is_complete, connections, nodes));
}

void order(const actors::server& node, cluster::control_command&& command,
           net::responder& respond) {
  const auto later = respond.reply_later();
  const bool is_taken =
    node.order({.command = std::move(command),
                .answer = [later](cluster::control_result&& result) { later(answer_to(result)); }});
  if (!is_taken)
    later(api_not_ready());
}

cluster::control_command command_of(api_disconnect&& wanted) {
  return cluster::disconnect_user{
    .user = std::move(wanted.user), .code = wanted.code, .reason = std::move(wanted.reason)};
}

cluster::control_command command_of(api_unsubscribe&& wanted) {
  return cluster::remove_from_room{.user = std::move(wanted.user),
                                   .room = std::move(wanted.channel)};
}

template <class Wanted>
void answer(const actors::server& node, api_parsed<Wanted>&& parsed, net::responder& respond) {
  if (const auto* const error = std::get_if<api_error>(&parsed))
    respond.reply(api_fault(*error));
  else
    order(node, command_of(std::get<Wanted>(std::move(parsed))), respond);
}

} // namespace

void answer_disconnect(const actors::server& node, const net::http_request& request,
                       net::responder& respond) {
  answer(node, parse_disconnect(request.body), respond);
}

void answer_unsubscribe(const actors::server& node, const net::http_request& request,
                        net::responder& respond) {
  answer(node, parse_unsubscribe(request.body), respond);
}

} // namespace canang::admin
