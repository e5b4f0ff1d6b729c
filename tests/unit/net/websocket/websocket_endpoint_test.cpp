#include "net/websocket/endpoint.hpp"
#include "tests/unit/support/http_fixture.hpp"

namespace canang::net {
namespace {

using test::client_frame;
using test::upgrade_fields;

using websocket_endpoint_test = test::http_fixture;

TEST_F(websocket_endpoint_test,
       becomes_a_websocket_session_and_hands_on_what_came_behind_the_handshake) {
  serve("GET /ws/games?echo=false HTTP/1.1\r\n" + upgrade_fields + client_frame(0x81, "early"));
  ASSERT_TRUE(loop.until([&] { return !log.messages.empty(); }));
  EXPECT_EQ(log.messages[0].second, "early");
  ASSERT_EQ(asked_for.size(), 1U);
  EXPECT_EQ(asked_for[0].room, "games");
  EXPECT_FALSE(asked_for[0].echo);
  EXPECT_TRUE(is_answered("HTTP/1.1 101 "));
}

TEST_F(websocket_endpoint_test, becomes_a_websocket_session_after_pages_too) {
  serve("GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /ws HTTP/1.1\r\n" + upgrade_fields);
  EXPECT_TRUE(is_answered("HTTP/1.1 101 "));
  EXPECT_EQ(asked_for.size(), 1U);
  session->abort(close_reason::drain);
}

TEST_F(websocket_endpoint_test, closes_when_the_acceptor_does_not_take_the_session) {
  takes_sessions = false;
  serve("GET /ws HTTP/1.1\r\n" + upgrade_fields);
  EXPECT_TRUE(is_over());
  EXPECT_EQ(client.got, "");
}

TEST_F(websocket_endpoint_test, answers_503_with_the_reason_to_one_that_is_not_taken) {
  const std::pair<reject_reason, std::string> reasons[] = {
    {reject_reason::unavailable, "no new connections"},
    {reject_reason::connections, "as many connections as it may"},
    {reject_reason::memory, "no memory"},
    {reject_reason::rate, "too many new connections at once"}};
  for (const auto& [reason, text] : reasons) {
    refused_for = reason;
    serve("GET /ws HTTP/1.1\r\n" + upgrade_fields);
    EXPECT_TRUE(is_answered(text));
    EXPECT_TRUE(client.got.starts_with("HTTP/1.1 503 "));
    EXPECT_NE(client.got.find("Retry-After: 1\r\n"), std::string::npos);
    EXPECT_EQ(rejected(reason), 1U);
  }
  EXPECT_TRUE(asked_for.empty());
}

TEST_F(websocket_endpoint_test,
       names_the_subprotocol_of_a_handshake_and_none_where_none_was_offered) {
  const auto offering = [](const std::string& lines) {
    return "GET /ws HTTP/1.1\r\n" + lines + upgrade_fields;
  };
  serve(offering("Sec-WebSocket-Protocol: v2.chat\r\nSec-WebSocket-Protocol: v1.chat\r\n"));
  EXPECT_TRUE(is_answered("\r\nSec-WebSocket-Protocol: v2.chat\r\n"));
  session->abort(close_reason::drain);
  ASSERT_TRUE(rules.subprotocols.add("v1.chat"));
  serve(offering("Sec-WebSocket-Protocol: v2.chat,v1.chat\r\n"));
  EXPECT_TRUE(is_answered("\r\nSec-WebSocket-Protocol: v1.chat\r\n"));
  session->abort(close_reason::drain);
  serve(offering(""));
  EXPECT_TRUE(is_answered("HTTP/1.1 101 "));
  EXPECT_EQ(client.got.find("Sec-WebSocket-Protocol"), std::string::npos);
  session->abort(close_reason::drain);
  for (const char* wrong : {"v2.chat", "v1 chat", "\"v1.chat\""}) {
    serve(offering("Sec-WebSocket-Protocol: " + std::string{wrong} + "\r\n"));
    EXPECT_TRUE(is_answered("HTTP/1.1 400 ")) << wrong;
  }
}

TEST_F(websocket_endpoint_test, agrees_on_compression_where_it_may) {
  const auto offering = [](const std::string& lines) {
    return "GET /ws HTTP/1.1\r\n" + lines + upgrade_fields;
  };
  const std::string offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
  const auto is_compressed = client_frame(0xC1, std::string{"\xf2\x48\xcd\xc9\xc9\x07\x00", 7});
  const auto end = [&] {
    session->abort(close_reason::drain);
    ASSERT_TRUE(loop.until([&] { return !log.closes.empty(); }));
    log = {};
  };
  serve(offering(offer));
  EXPECT_TRUE(is_answered("HTTP/1.1 101 "));
  EXPECT_EQ(client.got.find("Sec-WebSocket-Extensions"), std::string::npos);
  end();
  serve(offering("Sec-WebSocket-Extensions: a b\r\n"));
  EXPECT_TRUE(is_answered("HTTP/1.1 101 ")) << "it is not looked at";
  end();
  may_compress = true;
  serve(offering("Sec-WebSocket-Extensions: permessage-deflate; x\r\n" + offer) + is_compressed);
  EXPECT_TRUE(is_answered("\r\nSec-WebSocket-Extensions: permessage-deflate; "
                          "server_no_context_takeover; client_no_context_takeover\r\n"));
  ASSERT_TRUE(loop.until([&] { return !log.messages.empty(); }));
  EXPECT_EQ(log.messages[0].second, "Hello");
  end();
  serve(offering(""));
  EXPECT_TRUE(is_answered("HTTP/1.1 101 "));
  EXPECT_EQ(client.got.find("Sec-WebSocket-Extensions"), std::string::npos);
  end();
  serve(offering("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10\r\n"));
  EXPECT_TRUE(is_answered("; server_max_window_bits=9\r\n"));
  end();
  EXPECT_EQ(agreed_on, (std::vector{compression::none, compression::none, compression::deflate,
                                    compression::none, compression::narrow_deflate}));
  serve(offering("Sec-WebSocket-Extensions: a b\r\n"));
  EXPECT_TRUE(is_answered("HTTP/1.1 400 "));
  EXPECT_EQ(rejected(reject_reason::bad_request), 1U);
}

TEST_F(websocket_endpoint_test, answers_403_to_pages_of_another_host_before_the_room_is_looked_at) {
  serve("GET /ws/%zz HTTP/1.1\r\nOrigin: http://evil\r\n" + upgrade_fields);
  EXPECT_TRUE(is_answered("HTTP/1.1 403 "));
  EXPECT_EQ(rejected(reject_reason::origin), 1U);
  serve("GET /ws HTTP/1.1\r\nOrigin: http://x\r\n" + upgrade_fields);
  EXPECT_TRUE(is_answered("HTTP/1.1 101 "));
  session->abort(close_reason::drain);
  serve("GET http://evil/ws HTTP/1.1\r\nOrigin: http://x\r\n" + upgrade_fields);
  EXPECT_TRUE(is_answered("HTTP/1.1 403 ")) << "the target is the host, not Host";
}

TEST_F(websocket_endpoint_test, hands_the_place_of_its_address_on_to_the_websocket_session) {
  address_counts addresses{1};
  const auto here = boost::asio::ip::make_address("192.0.2.1");
  serve("GET /ws HTTP/1.1\r\n" + upgrade_fields, addresses.arrive(here));
  ASSERT_TRUE(is_answered("HTTP/1.1 101 "));
  EXPECT_EQ(loop.context.http.size(), 0U) << "it is no HTTP connection any more";
  EXPECT_EQ(addresses.arrive(here).what, address_counts::verdict::told);
  session->abort(close_reason::drain);
  session.reset();
  EXPECT_TRUE(loop.until([&] { return addresses.size() == 0; }));
}

TEST_F(websocket_endpoint_test, refuses_a_wrong_method_and_a_body_in_its_own_words) {
  serve("POST /ws HTTP/1.1\r\nContent-Length: 5\r\n" + upgrade_fields + "hello");
  EXPECT_TRUE(is_answered("a WebSocket handshake is a GET"));
  EXPECT_TRUE(client.got.starts_with("HTTP/1.1 405 "));
  EXPECT_NE(client.got.find("Allow: GET\r\n"), std::string::npos);
  EXPECT_EQ(rejected(reject_reason::bad_method), 1U);
  for (const std::string body :
       {"Content-Length: 5", "Content-Length: 99999999999", "Transfer-Encoding: chunked",
        "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: identity"}) {
    serve("GET /ws HTTP/1.1\r\n" + body + "\r\n" + upgrade_fields);
    EXPECT_TRUE(is_answered("HTTP/1.1 400 ")) << body;
    EXPECT_TRUE(is_answered(" allowed here")) << body;
  }
  EXPECT_EQ(rejected(reject_reason::bad_request), 5U);
  EXPECT_TRUE(asked_for.empty());
}

TEST_F(websocket_endpoint_test, is_at_ws_and_all_below_it) {
  for (const std::string path : {"/wsx", "/WS", "//ws", "/x/ws", "/ws%2fa"}) {
    serve("GET " + path + " HTTP/1.1\r\n" + upgrade_fields);
    EXPECT_TRUE(is_answered("page " + path)) << path;
  }
  serve("GET /ws/ HTTP/1.1\r\n" + upgrade_fields);
  EXPECT_TRUE(is_answered("HTTP/1.1 400 ")) << "a room without a name";
  EXPECT_EQ(rejected(reject_reason::bad_room), 1U);
  serve("GET /ws/a/b HTTP/1.1\r\n" + upgrade_fields);
  EXPECT_TRUE(is_answered("HTTP/1.1 101 "));
  EXPECT_EQ(asked_for.at(0).room, "a/b");
  session->abort(close_reason::drain);
}

} // namespace
} // namespace canang::net
