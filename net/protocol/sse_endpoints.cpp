#include "net/protocol/sse_endpoints.hpp"

#include "net/http/cors.hpp"
#include "net/limits.hpp"
#include "net/protocol/hook_headers.hpp"
#include "net/protocol/sse.hpp"
#include "net/protocol/sse_id.hpp"
#include "net/protocol/token_query.hpp"
#include "net/stream/event_stream.hpp"
#include "net/stream/room_ids_layer.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

namespace canang::net {

namespace {

sse_question question_of(const http_request& request, const session_limits& limits) {
  sse_question asked{.query = request.query,
                     .last_event_id = request.header["Last-Event-ID"],
                     .max_rooms = limits.max_rooms_per_connection,
                     .max_id_bytes = std::min(max_event_id_bytes, limits.max_header_bytes / 2)};
  if (request.path != "/sse")
    asked.room = request.values["room"];
  return asked;
}

/// Between the events that all members of its rooms share and one client of several rooms.
std::unique_ptr<byte_layer> layer_of(const connection_parameters& parameters,
                                     loop_metrics& metrics) {
  if (parameters.other_rooms.empty())
    return nullptr;
  std::vector<room_ids_layer::room> rooms;
  const auto add = [&](const std::string& room, const std::optional<resume_position>& since) {
    auto& added = rooms.emplace_back(room_ids_layer::room{name_in_id(room)});
    if (since)
      append_position(added.position, since->epoch, since->offset);
  };
  add(parameters.room, parameters.since);
  for (const auto& other : parameters.other_rooms)
    add(other.room, other.since);
  return std::make_unique<room_ids_layer>(std::move(rooms), nullptr,
                                          &metrics.stream_rooms_memory_bytes);
}

/// The header of the stream that a GET would get.
page_response head_answer() {
  page_response answer;
  answer.content_type = "text/event-stream";
  answer.headers.emplace_back("Cache-Control", "no-cache, no-store, no-transform");
  return answer;
}

/// None is taken at present. Of whoever was here before see `event_stream.hpp`.
rejection reject_stream(reject_reason reason, bool is_return) {
  if (!is_return)
    return reject_for_now(reason);
  auto answer = head_answer();
  answer.body = event_stream_farewell(reason);
  return {reason, std::move(answer)};
}

void open_stream(const session_door& door, const http_request& request, responder& respond,
                 sse_opening&& opening) {
  event_stream_request asked{.socket = tcp_socket{door.context.io.get_executor()},
                             .is_return = opening.is_return,
                             .layer = layer_of(opening.parameters, door.context.metrics)};
  if (!request.cors_origin.empty())
    asked.fields = cors_fields(request.cors_origin);
  auto connection = respond.take_over();
  asked.socket = std::move(connection.socket);
  asked.ticket = std::move(connection.ticket);
  door.acceptor.on_session(make_event_stream(door.context, std::move(asked)),
                           opening.is_of_rooms ? sse_rooms_format() : sse_format(),
                           std::move(opening.parameters));
}

} // namespace

void add_sse_endpoints(router& paths, const session_door& door) {
  const auto handler = [door](const http_request& request, responder& respond) {
    auto read = read_sse_question(question_of(request, door.context.limits));
    if (auto* const wrong = std::get_if<std::string>(&read)) {
      respond.refuse(reject(reject_reason::bad_room, 400, std::move(*wrong)));
      return;
    }
    if (request.header.method() == http_method::head) {
      respond.reply(head_answer());
      return;
    }
    auto& opening = std::get<sse_opening>(read);
    read_token(request, opening.parameters);
    if (auto wrong =
          read_hook_origin(request, door.hooks, "sse", "plain", opening.parameters.origin)) {
      respond.refuse(std::move(*wrong));
      return;
    }
    if (const auto reason = door.acceptor.refusal(1 + opening.parameters.other_rooms.size()))
      respond.refuse(reject_stream(*reason, opening.is_return));
    else
      open_stream(door, request, respond, std::move(opening));
  };
  paths.add(http_method::get, "/sse", {.cors = true}, handler);
  paths.add(http_method::get, "/sse/{room*}", {.cors = true}, handler);
}

} // namespace canang::net
