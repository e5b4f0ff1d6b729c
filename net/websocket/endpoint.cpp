#include "net/websocket/endpoint.hpp"

#include "net/http/fields.hpp"
#include "net/protocol/hook_headers.hpp"
#include "net/websocket/extensions.hpp"
#include "net/websocket/session.hpp"

#include <optional>
#include <utility>

namespace canang::net {

namespace {

/// A handshake that has passed all checks.
struct accepted {
  websocket_opening opening;
  std::string subprotocol;
  extension_agreement extensions;
};

std::variant<accepted, rejection> check(const http_request& request, const session_door& door,
                                        const websocket_reader& read) {
  if (auto wrong = check_handshake(request.header))
    return std::move(*wrong);
  if (auto wrong = check_origin(request.header, request.host, door.rules.origins))
    return std::move(*wrong);
  auto opening = read(request);
  if (auto* const wrong = std::get_if<rejection>(&opening))
    return std::move(*wrong);
  auto& asked = std::get<websocket_opening>(opening);
  if (auto wrong =
        read_hook_origin(request, door.hooks, "websocket", asked.protocol, asked.parameters.origin))
    return std::move(*wrong);
  std::string subprotocol{asked.subprotocol};
  if (subprotocol.empty()) {
    auto chosen = choose_subprotocol(request.header, door.rules.subprotocols);
    if (auto* const wrong = std::get_if<rejection>(&chosen))
      return std::move(*wrong);
    subprotocol = std::move(std::get<std::string>(chosen));
  }
  std::optional<extension_agreement> extensions{std::in_place};
  if (door.acceptor.compresses())
    extensions = agree_on_extensions(
      all_lines(request.header, boost::beast::http::field::sec_websocket_extensions));
  if (!extensions)
    return reject(reject_reason::bad_request, 400,
                  "Sec-WebSocket-Extensions is not a list of extensions");
  if (const auto reason = door.acceptor.refusal(1))
    return reject_for_now(*reason);
  return accepted{std::move(asked), std::move(subprotocol), std::move(*extensions)};
}

} // namespace

void add_websocket(router& paths, std::string pattern, const session_door& door,
                   websocket_reader read) {
  const auto handler = [door, read = std::move(read)](const http_request& request,
                                                      responder& respond) {
    auto checked = check(request, door, read);
    if (auto* const wrong = std::get_if<rejection>(&checked)) {
      respond.refuse(std::move(*wrong));
      return;
    }
    auto& found = std::get<accepted>(checked);
    auto connection = respond.take_over();
    const auto packing = found.extensions.packing;
    auto session =
      make_websocket_session(door.context, {
                                             .socket = std::move(connection.socket),
                                             .request = std::move(connection.request),
                                             .already_read = std::move(connection.already_read),
                                             .subprotocol = std::move(found.subprotocol),
                                             .ticket = std::move(connection.ticket),
                                             .words = found.opening.words,
                                             .may_be_compressed = packing != compression::none,
                                             .extensions = std::move(found.extensions.answer),
                                           });
    door.acceptor.on_session(std::move(session), found.opening.format.with(packing),
                             std::move(found.opening.parameters));
  };
  paths.add_upgrade(std::move(pattern), handler);
}

} // namespace canang::net
