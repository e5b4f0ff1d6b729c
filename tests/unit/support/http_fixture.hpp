#pragma once

#include "net/http/session.hpp"
#include "net/protocol/plain_endpoints.hpp"
#include "tests/unit/support/loopback.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::test {

/// The end of a handshake's headers.
inline const std::string upgrade_fields = "Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                                          "Sec-WebSocket-Version: 13\r\n"
                                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A loop by hand whose HTTP connections are served by a router, and one client of it. The plain endpoints are
/// there, and a page at every path; a test adds what it needs before it serves.
struct http_fixture : testing::Test, net::session_acceptor {
  static net::session_limits limits() {
    using namespace std::chrono_literals;
    net::session_limits short_ones;
    short_ones.handshake_timeout = 200ms;
    short_ones.close_timeout = 200ms;
    short_ones.body_timeout = 300ms;
    return short_ones;
  }

  turning_loop loop{limits()};
  raw_client client{net::tcp_socket{loop.io.get_executor()}};
  net::handshake_rules rules;
  net::router paths;
  std::optional<net::reject_reason> refused_for;
  bool takes_sessions = true;
  bool may_compress = false;
  int pages = 0;
  std::vector<net::connection_parameters> asked_for;
  std::vector<net::compression> agreed_on;
  session_log log;
  net::session_ptr session;

  http_fixture() {
    net::add_plain_endpoints(paths, {loop.context, *this, rules});
    paths.add_page("/{path*}", {}, [this](const net::http_request& request) {
      ++pages;
      return net::text_response(request.path == "/" ? 200 : 404,
                                "page " + std::string{request.path});
    });
  }

  // net::session_acceptor
  [[nodiscard]] std::optional<net::reject_reason> refusal(std::size_t) noexcept override {
    return refused_for;
  }
  [[nodiscard]] bool compresses() noexcept override { return may_compress; }
  void on_session(net::session_ptr opened, const net::wire_format& format,
                  net::connection_parameters&& parameters) override {
    agreed_on.push_back(format.packing);
    asked_for.push_back(std::move(parameters));
    if (!takes_sessions)
      return;
    session = std::move(opened);
    session->attach(std::make_unique<noting_handler>(log));
    session->open();
  }

  void serve(std::string_view bytes, net::address_counts::arrival&& from = {}) {
    auto [server, other_end] = connected_pair(loop.io);
    client = std::move(other_end);
    net::serve_http(loop.context, paths, std::move(server), std::move(from));
    client.send(bytes);
  }

  bool is_answered(std::string_view text) {
    return loop.until([&] { return client.has(text); });
  }

  bool is_over() {
    return loop.until([&] {
      client.receive();
      return client.is_over;
    });
  }

  std::uint64_t rejected(net::reject_reason reason) const {
    return loop.context.metrics.rejected_total[static_cast<std::size_t>(reason)].value();
  }
};

} // namespace canang::test
