// Any bytes to an HTTP session, which may become a WebSocket session.

#include "net/http/session.hpp"
#include "tests/fuzz/client.hpp"

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
class acceptor final : public websocket_acceptor {
public:
  enum class mode : std::uint8_t { takes, drops, refuses };
  mode does = mode::takes;
  int opened = 0;

  [[nodiscard]] std::optional<reject_reason> refusal() noexcept override {
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

struct world {
  loop_context context{{}};
  boost::asio::io_context& io = context.io;
  acceptor sessions;
  routes paths;

  world() {
    paths.websocket = &sessions;
    paths.guard = [](const page_request& request) -> std::optional<page_response> {
      require(request.host.size() + request.authorization.size() <= context_limit, "parts of it");
      if (request.path == "/closed")
        return text_response(401, "no");
      return std::nullopt;
    };
    require(paths.handshakes.origins.add("same-host"), "an item");
    require(paths.handshakes.origins.add("https://*.example.org"), "an item");
    require(paths.handshakes.subprotocols.add("v1.chat"), "a token");
    require(paths.handshakes.subprotocols.add("v2.chat"), "a token");
    paths.page = [](const page_request& request) {
      auto response = text_response(request.path == "/" ? 200 : 404, "text");
      response.etag = "\"tag\"";
      if (request.if_none_match == response.etag)
        response.status = 304;
      return response;
    };
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
  client.leave();

  require(client.got.empty() || client.got.starts_with("HTTP/1.1 "), "it answers HTTP or nothing");
  const bool is_upgraded = client.got.find("HTTP/1.1 101 ") != std::string::npos;
  require(is_upgraded == (all.sessions.opened > 0), "101 when, and only when, it is one");
  require(all.sessions.opened <= 1, "one upgrade a connection");
  require(client.got.find("Sec-WebSocket-Protocol: ") == std::string::npos || is_upgraded,
          "only a handshake has a subprotocol");
  require(client.got.find("HTTP/1.1 5") == std::string::npos
            || all.sessions.does == acceptor::mode::refuses,
          "no request is an error of the server");
  require(all.context.metrics.connections.value() == 0, "nothing is left over");
  require(open_handlers == 0, "no handler is left over");
  return 0;
}
