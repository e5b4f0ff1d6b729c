// What pages of other origins may use.

#include "tests/unit/support/http_fixture.hpp"

namespace canang::net {
namespace {

struct http_cors_test : test::http_fixture {
  int asked = 0;

  http_cors_test() {
    origin_rules origins;
    EXPECT_TRUE(origins.add("https://chat.example.org"));
    paths.set_origins(std::move(origins));
    const auto handler = [this](const http_request&, responder& respond) {
      ++asked;
      respond.reply(text_response(200, "for pages"));
    };
    paths.add(http_method::get, "/events", {.cors = true}, handler);
    paths.add(http_method::post, "/events", {.body_limit = 100, .cors = true}, handler);
    paths.add(http_method::delete_, "/events", {}, handler);
    paths.set_guard([](const http_request& request) -> std::optional<page_response> {
      return request.header.method() == http_method::options
               ? std::optional{text_response(401, "no page says who it is here")}
               : std::nullopt;
    });
  }

  void ask(const std::string& line, const std::string& fields) {
    serve(line + " HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n\r\n");
  }

  bool has(std::string_view text) const { return client.got.find(text) != std::string::npos; }
};

const std::string allowed_page = "Origin: https://chat.example.org";
const std::string leave = "Access-Control-Allow-Origin: https://chat.example.org\r\n";

TEST_F(http_cors_test, tells_a_page_of_an_allowed_origin_that_it_may_read) {
  ask("GET /events", allowed_page);
  EXPECT_TRUE(is_answered("for pages"));
  EXPECT_TRUE(has(leave));
  EXPECT_TRUE(has("Vary: Origin\r\n"));
  ask("HEAD /events", allowed_page + "\r\nConnection: close");
  EXPECT_TRUE(is_over());
  EXPECT_TRUE(has(leave));
  ask("POST /events", allowed_page + "\r\nContent-Length: 101");
  EXPECT_TRUE(is_answered("HTTP/1.1 413 "));
  EXPECT_TRUE(has(leave)) << "it may read what is wrong too";
}

TEST_F(http_cors_test, refuses_a_page_of_another_origin_before_anything_is_done) {
  for (const std::string line : {"GET /events", "POST /events"}) {
    ask(line, "Origin: https://evil.example");
    EXPECT_TRUE(is_answered("HTTP/1.1 403 ")) << line;
    EXPECT_FALSE(has("Access-Control"));
  }
  EXPECT_EQ(asked, 0);
}

TEST_F(http_cors_test, says_nothing_of_it_to_who_is_no_page_or_where_no_page_is_meant) {
  ask("GET /events", "X: y");
  EXPECT_TRUE(is_answered("for pages"));
  EXPECT_FALSE(has("Access-Control"));
  ask("GET /", "Origin: https://evil.example");
  EXPECT_TRUE(is_answered("page /"));
  EXPECT_FALSE(has("Access-Control"));
}

TEST_F(http_cors_test, answers_a_preflight_before_the_guard) {
  ask("OPTIONS /events", allowed_page
                           + "\r\nAccess-Control-Request-Method: POST\r\n"
                             "Access-Control-Request-Headers: content-type, x-key");
  EXPECT_TRUE(is_answered("HTTP/1.1 204 "));
  EXPECT_TRUE(has(leave));
  EXPECT_TRUE(has("Access-Control-Allow-Methods: POST\r\n"));
  EXPECT_TRUE(has("Access-Control-Allow-Headers: content-type, x-key\r\n"));
  EXPECT_TRUE(has("Access-Control-Max-Age: 600\r\n"));
  EXPECT_FALSE(has("Content-Length"));
  EXPECT_FALSE(has("Credentials"));
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(is_answered("page /")) << "the connection goes on";
  EXPECT_EQ(asked, 0);
}

TEST_F(http_cors_test, refuses_a_preflight_of_another_origin_and_for_what_pages_may_not_do) {
  ask("OPTIONS /events", "Origin: https://evil.example\r\nAccess-Control-Request-Method: POST");
  EXPECT_TRUE(is_answered("HTTP/1.1 403 "));
  EXPECT_FALSE(has("Access-Control"));
  for (const std::string method : {"DELETE", "PUT", "NONSENSE"}) {
    ask("OPTIONS /events", allowed_page + "\r\nAccess-Control-Request-Method: " + method);
    EXPECT_TRUE(is_answered("HTTP/1.1 401 ")) << method;
    EXPECT_FALSE(has("Access-Control"));
  }
}

TEST_F(http_cors_test, answers_options_where_pages_may_ask_and_nowhere_else) {
  paths.set_guard({});
  ask("OPTIONS /events", "X: y");
  EXPECT_TRUE(is_answered("HTTP/1.1 204 "));
  EXPECT_TRUE(has("Allow: GET, HEAD, POST, DELETE, OPTIONS\r\n"));
  ask("OPTIONS /", "X: y");
  EXPECT_TRUE(is_answered("HTTP/1.1 405 "));
  EXPECT_TRUE(has("Allow: GET, HEAD\r\n"));
  ask("OPTIONS *", "X: y");
  EXPECT_TRUE(is_answered("HTTP/1.1 404 "));
}

} // namespace
} // namespace canang::net
