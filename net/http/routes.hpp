#pragma once

#include "net/address_counts.hpp"
#include "net/http/handshake.hpp"
#include "net/http/types.hpp"
#include "net/metrics.hpp"
#include "net/protocol/protocol.hpp"
#include "net/session.hpp"

#include <functional>
#include <optional>

namespace canang::net {

/// Who takes the WebSocket connections of a loop.
class websocket_acceptor {
public:
  /// Why a new connection is not taken now, if so; it is answered with 503. One that is taken counts.
  [[nodiscard]] virtual std::optional<reject_reason> refusal() noexcept = 0;

  /// A connection that is not open yet. Its taker attaches a handler and opens it, or drops it.
  virtual void on_session(session_ptr session, const wire_format& format,
                          connection_parameters&& parameters) = 0;

protected:
  ~websocket_acceptor() = default;
};

/// What a listener's connections may ask for. Outlives the listener.
struct routes {
  /// Answers GET and HEAD of everything but the WebSocket paths; called on the listener's loop.
  std::function<page_response(const page_request&)> page;
  /// Asked before `page`: true when it takes the request and calls the responder later, once, from any
  /// thread. May be null.
  std::function<bool(const page_request&, page_responder)> slow_page{};
  /// Answers POST, or nothing where there is nothing to be done at that path. May be null. Requests that a
  /// web page made are refused before it is asked.
  std::function<std::optional<page_response>(const page_request&)> action{};
  /// Takes `/ws` and `/ws/{room}`; may be null, then they are pages like all others.
  websocket_acceptor* websocket = nullptr;
  /// Asked before `page`, `slow_page` and `action`: the answer to who may not ask. May be null.
  std::function<std::optional<page_response>(const page_request&)> guard{};
  /// Whose pages may open a WebSocket, and with which subprotocols.
  handshake_rules handshakes{};
  /// Counts and limits the connections of each address. May be null.
  address_counts* addresses = nullptr;
};

} // namespace canang::net
