// Any bytes to an HTTP session, which may become a WebSocket session, and may bring bodies.

#include "net/http/session.hpp"
#include "net/protocol/plain_endpoints.hpp"
#include "tests/fuzz/client.hpp"

#include <algorithm>

namespace {

using namespace canang::net;
using canang::fuzz::require;

int open_handlers = 0;

class handler final : public session_handler {
public:
  handler() { ++open_handlers; }
  ~handler() override { --open_handlers; }
  void on_message(frame_type, std::span<const char>) override {}
  void on_closed(const close_info&) override {}
};

/// Takes WebSocket connections, or not.
class acceptor final : public session_acceptor {
public:
  enum class mode : std::uint8_t { takes, drops, refuses };
  mode does = mode::takes;
  int opened = 0;

  [[nodiscard]] std::optional<reject_reason> refusal(std::size_t) noexcept override {
    return does == mode::refuses ? std::optional{reject_reason::unavailable} : std::nullopt;
  }
  void on_session(session_ptr session, const wire_format&,
                  connection_parameters&& parameters) override {
    require(!parameters.room.empty(), "a connection has a room");
    if (does == mode::drops)
      return;
    ++opened;
    session->attach(std::make_unique<handler>());
    session->open();
  }
};

constexpr std::size_t context_limit = 16 * 1024;
constexpr std::size_t body_limit = 300;

handshake_rules make_rules() {
  handshake_rules rules;
  require(rules.origins.add("same-host"), "an item");
  require(rules.origins.add("https://*.example.org"), "an item");
  require(rules.subprotocols.add("v1.chat"), "a token");
  require(rules.subprotocols.add("v2.chat"), "a token");
  return rules;
}

struct world {
  loop_context context{{}};
  boost::asio::io_context& io = context.io;
  acceptor sessions;
  handshake_rules rules = make_rules();
  router paths;
  late_responder later;

  world() {
    paths.set_origins(rules.origins);
    paths.set_guard([](const http_request& request) -> std::optional<page_response> {
      require(request.host.size() <= context_limit, "a part of it");
      require(request.body.empty(), "no body is read of who may not ask");
      if (request.path == "/closed")
        return text_response(401, "no");
      return std::nullopt;
    });
    add_plain_endpoints(paths, {context, sessions, rules});
    paths.add_page("/{path*}", {}, [](const http_request& request) {
      require(request.path.starts_with('/'), "a path");
      auto response = text_response(request.path == "/" ? 200 : 404, "text");
      response.etag = "\"tag\"";
      return response;
    });
    paths.add(http_method::post, "/take/{name}", {.body_limit = body_limit, .cors = true},
              [this](const http_request& request, responder& respond) {
                take(request);
                respond.reply(text_response(200, "taken"));
              });
    paths.add(http_method::put, "/take/{name}", {.body_limit = body_limit},
              [this](const http_request& request, responder& respond) {
                take(request);
                later = respond.reply_later();
              });
  }

  void take(const http_request& request) {
    require(request.body.size() <= body_limit, "a body is within its limit");
    require(!request.values["name"].empty(), "a name is not empty");
    require(context.metrics.inbox_bytes.value() == context.http.body_bytes(), "it is counted");
  }
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static world all;
  canang::fuzz::input in{data, size};
  const auto pieces = in.byte() % 16U + 1U;
  all.sessions.does = static_cast<acceptor::mode>(in.byte() % 3);
  all.sessions.opened = 0;
  const auto bytes = in.all(context_limit);
  all.context.new_turn();

  canang::fuzz::client client{all.context};
  serve_http(all.context, all.paths, client.take_server_end());
  client.send(bytes, pieces);
  if (all.later) {
    all.later(text_response(202, "late"));
    all.later = {};
    client.turn();
  }
  client.leave();
  all.later = {}; // of a request that came behind
  client.turn();

  require(client.got.empty() || client.got.starts_with("HTTP/1.1 "), "it answers HTTP or nothing");
  const bool is_upgraded = client.got.find("HTTP/1.1 101 ") != std::string::npos;
  require(is_upgraded == (all.sessions.opened > 0), "101 when, and only when, it is one");
  require(all.sessions.opened <= 1, "one upgrade a connection");
  require(client.got.find("Sec-WebSocket-Protocol: ") == std::string::npos || is_upgraded,
          "only a handshake has a subprotocol");
  require(client.got.find("HTTP/1.1 503") == std::string::npos
            || all.sessions.does == acceptor::mode::refuses,
          "nobody else is refused");
  require(client.got.find("HTTP/1.1 500") == std::string::npos, "no request is a fault of ours");
  require(all.context.metrics.connections.value() == 0, "nothing is left over");
  require(all.context.http.size() == 0, "no connection is left over");
  require(all.context.http.body_bytes() == 0 && all.context.metrics.inbox_bytes.value() == 0,
          "no body is left over");
  require(open_handlers == 0, "no handler is left over");
  return 0;
}
