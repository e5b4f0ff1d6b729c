#include "net/protocol/centrifugo_streams.hpp"

#include "net/http/cors.hpp"
#include "net/http/target.hpp"
#include "net/limits.hpp"
#include "net/protocol/centrifugo.hpp"
#include "net/protocol/centrifugo/emulation_body.hpp"
#include "net/protocol/hook_headers.hpp"
#include "net/protocol/token_query.hpp"
#include "net/protocol/user_query.hpp"
#include "net/stream/emulated_stream.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace canang::net {

namespace {

using boost::beast::http::field;

/// Whatever is not said to be Protobuf is JSON: pages may leave the type out, so that browsers need not ask first.
bool is_protobuf(const http_request& request) {
  auto type = request.field(field::content_type);
  type = type.substr(0, type.find_first_of("; \t"));
  return boost::beast::iequals(boost::beast::string_view{type.data(), type.size()},
                               "application/octet-stream");
}

bool is_events(const centrifugo_stream& one) noexcept { return &one == &centrifugo_json_events(); }

rejection no_message(std::string text) {
  return reject(reject_reason::bad_request, 400, std::move(text));
}

/// Answers with a stream, whose client says `message` first.
void open_stream(const session_door& door, const http_request& request, responder& respond,
                 const centrifugo_stream& as, std::string message) {
  connection_parameters parameters;
  if (auto wrong = read_user(request, parameters)) {
    respond.refuse(std::move(*wrong));
    return;
  }
  read_token(request, parameters);
  if (auto wrong = read_hook_origin(request, door.hooks, is_events(as) ? "sse" : "http_stream",
                                    as.words.type == frame_type::text ? "json" : "protobuf",
                                    parameters.origin)) {
    respond.refuse(std::move(*wrong));
    return;
  }
  if (const auto reason = door.acceptor.refusal(1)) {
    respond.refuse(reject_for_now(*reason));
    return;
  }
  emulated_stream_request asked{.socket = tcp_socket{door.context.io.get_executor()},
                                .words = as.words,
                                .message = std::move(message)};
  if (!request.cors_origin.empty())
    asked.fields = cors_fields(request.cors_origin);
  auto connection = respond.take_over();
  asked.socket = std::move(connection.socket);
  asked.ticket = std::move(connection.ticket);
  door.acceptor.on_session(make_emulated_stream(door.context, std::move(asked)), as.format,
                           std::move(parameters));
}

void open_stream_of_body(const session_door& door, const http_request& request, responder& respond,
                         const centrifugo_stream& as) {
  if (request.body.empty())
    respond.refuse(no_message("the body has to be a connect command"));
  else
    open_stream(door, request, respond, as, std::string{request.body});
}

/// An EventSource asks with its URL.
void open_events_of_query(const session_door& door, const http_request& request,
                          responder& respond) {
  auto message = query_value(request.query, "cf_connect");
  if (!message || message->empty()) {
    respond.refuse(no_message("cf_connect has to be a connect command"));
  } else if (message->size() > door.context.limits.max_message_bytes) {
    respond.refuse(reject(reject_reason::bad_request, 413, "cf_connect is too large"));
  } else if (request.header.method() == http_method::head) {
    page_response answer;
    answer.content_type = centrifugo_json_events().words.content_type;
    answer.headers.emplace_back("Cache-Control", "no-cache, no-store, no-transform");
    respond.reply(std::move(answer));
  } else {
    open_stream(door, request, respond, centrifugo_json_events(), std::move(*message));
  }
}

page_response answer_to(emulation_outcome outcome) {
  const auto in_a_moment = [](unsigned status, std::string text) {
    auto answer = text_response(status, std::move(text));
    answer.headers.emplace_back("Retry-After", "1");
    return answer;
  };
  switch (outcome) {
  case emulation_outcome::taken: {
    page_response done;
    done.status = 204;
    return done;
  }
  case emulation_outcome::unknown: return text_response(404, "there is no such session");
  case emulation_outcome::busy: return in_a_moment(429, "too much waits for this session");
  case emulation_outcome::unavailable: break;
  }
  return in_a_moment(503, "the session's node does not answer at present");
}

void emulate(const session_door& door, const http_request& request, responder& respond) {
  auto read = is_protobuf(request) ? centrifugo::read_protobuf_emulation(request.body)
                                   : centrifugo::read_json_emulation(request.body);
  if (!read) {
    respond.reply(text_response(400, "the body has to name node and session, and have data"));
    return;
  }
  const auto limit = door.context.limits.max_message_bytes;
  if (read->message.size() > limit) {
    respond.reply(
      text_response(413, "a message of at most " + std::to_string(limit) + " bytes is taken here"));
    return;
  }
  door.relay->relay(std::move(*read), [&counts = door.context.metrics.emulations_total,
                                       later = respond.reply_later()](emulation_outcome outcome) {
    counts[static_cast<std::size_t>(outcome)].add(1);
    later(answer_to(outcome));
  });
}

} // namespace

void add_centrifugo_streams(router& paths, const session_door& door) {
  const auto message_bytes = std::min(door.context.limits.max_message_bytes, max_body_limit);
  const route_options taking_a_message{.body_limit = message_bytes, .cors = true};
  paths.add(http_method::post, "/connection/http_stream", taking_a_message,
            [door](const http_request& request, responder& respond) {
              open_stream_of_body(door, request, respond,
                                  is_protobuf(request) ? centrifugo_protobuf_stream()
                                                       : centrifugo_json_lines());
            });
  paths.add(http_method::get, "/connection/sse", {.cors = true},
            [door](const http_request& request, responder& respond) {
              open_events_of_query(door, request, respond);
            });
  paths.add(http_method::post, "/connection/sse", taking_a_message,
            [door](const http_request& request, responder& respond) {
              open_stream_of_body(door, request, respond, centrifugo_json_events());
            });
  // of JSON within JSON each quote is two characters
  const auto body_bytes = std::min(2 * message_bytes + emulation_wrapper_bytes, max_body_limit);
  paths.add(
    http_method::post, "/emulation", {.body_limit = body_bytes, .cors = true},
    [door](const http_request& request, responder& respond) { emulate(door, request, respond); });
}

} // namespace canang::net
