#include "net/protocol/centrifugo_endpoints.hpp"
#include "tests/unit/support/http_fixture.hpp"

#include <algorithm>

namespace canang::net {
namespace {

/// Notes what it is to bring, and answers as it is told to.
struct noting_relay final : emulation_relay {
  std::vector<emulation_request> requests;
  emulation_outcome outcome = emulation_outcome::taken;

  void relay(emulation_request&& request, emulation_answer answer) override {
    requests.push_back(std::move(request));
    answer(outcome);
  }
};

struct centrifugo_streams_test : test::http_fixture {
  noting_relay relay;

  centrifugo_streams_test() {
    rules.origins = origin_rules{};
    EXPECT_TRUE(rules.origins.add("https://a.example"));
    paths.set_origins(rules.origins);
    add_centrifugo_endpoints(paths, {loop.context, *this, rules, &relay});
  }

  static std::string post(const std::string& path, const std::string& body,
                          const std::string& fields = "") {
    return "POST " + path + " HTTP/1.1\r\nHost: x\r\n" + fields
           + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

  /// Of the answer to one request.
  std::string status_of(std::string_view request) {
    serve({});
    for (constexpr std::size_t piece = 16 << 10U; !request.empty();) {
      client.send(request.substr(0, piece)); // as much as a socket takes at once
      request.remove_prefix(std::min(piece, request.size()));
      loop.turn(std::chrono::milliseconds{0});
    }
    EXPECT_TRUE(is_answered("\r\n\r\n"));
    return client.got.substr(9, 3);
  }

  void expect_stream(const std::string& type, const std::string& first) {
    EXPECT_TRUE(loop.until([&] { return !log.messages.empty(); }));
    EXPECT_TRUE(is_answered("\r\nContent-Type: " + type + "\r\n")) << client.got;
    EXPECT_TRUE(client.got.starts_with("HTTP/1.1 200 OK\r\n"));
    EXPECT_EQ(log.messages.back().second, first);
    log.messages.clear();
    session->abort(close_reason::drain);
    EXPECT_TRUE(loop.until([&] { return !log.closes.empty(); }));
    log.closes.clear(); // the next session notes into the same log
  }
};

const std::string connect = R"({"id":1,"connect":{}})";
const std::string is_protobuf = "Content-Type: application/octet-stream\r\n";

TEST_F(centrifugo_streams_test, a_post_is_answered_with_a_stream_and_its_body_is_said_first) {
  serve(post("/connection/http_stream?user=ann", connect, "Content-Type: application/json\r\n"));
  expect_stream("application/json", connect);
  EXPECT_EQ(asked_for.back().user, "ann");
  serve(post("/connection/http_stream", "\x02\x08\x01", is_protobuf));
  expect_stream("application/octet-stream", "\x02\x08\x01");
  serve(post("/connection/sse", connect));
  expect_stream("text/event-stream", connect);
}

TEST_F(centrifugo_streams_test, an_event_source_says_it_in_its_url) {
  serve("GET /connection/sse?cf_connect=%7B%22id%22%3A1%2C%22connect%22%3A%7B%7D%7D&user=bo "
        "HTTP/1.1\r\nHost: x\r\n\r\n");
  expect_stream("text/event-stream", connect);
  EXPECT_EQ(asked_for.back().user, "bo");
}

TEST_F(centrifugo_streams_test, http_1_0_gets_a_stream_too) {
  serve("POST /connection/http_stream HTTP/1.0\r\nContent-Length: " + std::to_string(connect.size())
        + "\r\n\r\n" + connect);
  expect_stream("application/json", connect);
}

TEST_F(centrifugo_streams_test, chunks_are_a_body_too) {
  serve("POST /connection/http_stream HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5\r\n{\"id\"\r\n10\r\n:1,\"connect\":{}}\r\n0\r\n\r\n");
  expect_stream("application/json", connect);
}

TEST_F(centrifugo_streams_test, a_request_for_a_stream_that_is_wrong_gets_none) {
  const auto large = std::string(loop.context.limits.max_message_bytes + 1, 'x');
  const std::pair<std::string, std::string> wrong[] = {
    {"400", post("/connection/http_stream", "")},
    {"400", "POST /connection/http_stream HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"400", post("/connection/sse", "")},
    {"400", "GET /connection/sse HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"400", "GET /connection/sse?cf_connect= HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"400", post("/connection/http_stream?user=", connect)},
    {"400", post("/connection/http_stream?user=%00", connect)},
    {"413", post("/connection/http_stream", large)},
    {"413", post("/connection/sse", large)},
    {"405", "GET /connection/http_stream HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"405", "PUT /connection/sse HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"},
    {"405", "GET /emulation HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"403", post("/connection/http_stream", connect, "Origin: https://b.example\r\n")},
    {"403", post("/emulation", "{}", "Origin: https://b.example\r\n")},
  };
  for (const auto& [status, request] : wrong)
    EXPECT_EQ(status_of(request), status) << request.substr(0, 100);
  EXPECT_TRUE(asked_for.empty());
  EXPECT_TRUE(relay.requests.empty());
}

TEST_F(centrifugo_streams_test, a_body_that_does_not_come_is_waited_for_no_longer_than_others) {
  serve("POST /connection/http_stream HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{\"id\"");
  EXPECT_TRUE(is_answered("HTTP/1.1 408 "));
  serve("POST /emulation HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{\"no");
  EXPECT_TRUE(is_answered("HTTP/1.1 408 "));
  EXPECT_TRUE(asked_for.empty());
}

TEST_F(centrifugo_streams_test, a_node_that_takes_nobody_says_so) {
  refused_for = reject_reason::connections;
  EXPECT_EQ(status_of(post("/connection/http_stream", connect)), "503");
  EXPECT_EQ(rejected(reject_reason::connections), 1U);
  EXPECT_EQ(status_of("GET /connection/sse?cf_connect=x HTTP/1.1\r\nHost: x\r\n\r\n"), "503");
}

TEST_F(centrifugo_streams_test, a_head_of_events_opens_nothing) {
  serve("HEAD /connection/sse?cf_connect=x HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(is_answered("\r\nContent-Type: text/event-stream\r\n"));
  EXPECT_TRUE(asked_for.empty());
}

TEST_F(centrifugo_streams_test, pages_of_allowed_origins_may_use_all_three) {
  for (const auto* path : {"/connection/http_stream", "/connection/sse", "/emulation"}) {
    serve("OPTIONS " + std::string{path}
          + " HTTP/1.1\r\nHost: x\r\nOrigin: https://a.example\r\n"
            "Access-Control-Request-Method: POST\r\n"
            "Access-Control-Request-Headers: content-type\r\n\r\n");
    EXPECT_TRUE(is_answered("HTTP/1.1 204 ")) << path;
    EXPECT_TRUE(is_answered("\r\nAccess-Control-Allow-Origin: https://a.example\r\n"));
    EXPECT_TRUE(is_answered("\r\nAccess-Control-Allow-Headers: content-type\r\n"));
  }
  serve(post("/connection/http_stream", connect, "Origin: https://a.example\r\n"));
  EXPECT_TRUE(is_answered("\r\nAccess-Control-Allow-Origin: https://a.example\r\n"));
  expect_stream("application/json", connect);
}

// --- what clients say

const std::string body = R"({"session":"s1","node":"n1","data":"{\"id\":2}"})";

TEST_F(centrifugo_streams_test, what_a_client_says_is_brought_to_its_session) {
  EXPECT_EQ(status_of(post("/emulation", body)), "204");
  ASSERT_EQ(relay.requests.size(), 1U);
  EXPECT_EQ(relay.requests[0].node, "n1");
  EXPECT_EQ(relay.requests[0].session, "s1");
  EXPECT_EQ(relay.requests[0].message, R"({"id":2})");
  EXPECT_EQ(status_of(post("/emulation", "\x0a\x01n\x12\x01s\x1a\x02\x08\x01", is_protobuf)),
            "204");
  ASSERT_EQ(relay.requests.size(), 2U);
  EXPECT_EQ(relay.requests[1].message, "\x08\x01");
}

TEST_F(centrifugo_streams_test, what_is_not_a_request_of_a_client_is_brought_nowhere) {
  const auto limit = loop.context.limits.max_message_bytes;
  const auto with = [](std::size_t size) {
    return R"({"session":"s","node":"n","data":")" + std::string(size, 'x') + "\"}";
  };
  for (const auto* wrong : {"", "{}", "null", "[", "text", "\xff", R"({"session":"s","node":"n"})",
                            R"({"session":"s","node":"n","data":7})"})
    EXPECT_EQ(status_of(post("/emulation", wrong)), "400") << wrong;
  EXPECT_EQ(status_of(post("/emulation", body, is_protobuf)), "400");
  EXPECT_EQ(status_of(post("/emulation", "\x0a\x05n", is_protobuf)), "400");
  EXPECT_EQ(status_of(post("/emulation", with(limit + 1))), "413");
  EXPECT_EQ(status_of(post("/emulation", with(1024 * 1024))), "413");
  EXPECT_TRUE(relay.requests.empty());
  EXPECT_EQ(status_of(post("/emulation", with(limit))), "204");
}

TEST_F(centrifugo_streams_test, a_message_of_quotes_alone_fits_as_json_within_json) {
  const auto limit = loop.context.limits.max_message_bytes;
  std::string quotes;
  for (std::size_t i = 0; i < limit; ++i)
    quotes += "\\\"";
  EXPECT_EQ(status_of(post("/emulation", R"({"session":"s","node":"n","data":")" + quotes + "\"}")),
            "204");
  EXPECT_EQ(relay.requests.back().message.size(), limit);
}

TEST_F(centrifugo_streams_test, each_outcome_has_its_status) {
  const std::pair<emulation_outcome, std::string> statuses[] = {
    {emulation_outcome::taken, "204"},
    {emulation_outcome::unknown, "404"},
    {emulation_outcome::busy, "429"},
    {emulation_outcome::unavailable, "503"}};
  for (const auto& [outcome, status] : statuses) {
    relay.outcome = outcome;
    EXPECT_EQ(status_of(post("/emulation", body)), status);
  }
}

TEST_F(centrifugo_streams_test, requests_on_one_connection_keep_their_order) {
  serve(post("/emulation", R"({"session":"s","node":"n","data":"1"})")
        + post("/emulation", R"({"session":"s","node":"n","data":"2"})")
        + post("/emulation", R"({"session":"s","node":"n","data":"3"})"));
  ASSERT_TRUE(loop.until([&] { return relay.requests.size() == 3; }));
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_EQ(relay.requests[i].message, std::to_string(i + 1));
}

} // namespace
} // namespace canang::net
