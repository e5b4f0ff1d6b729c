#include "net/http/router.hpp"

#include "net/limits.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace canang::net {
namespace {

const http_handler nothing = [](const http_request&, responder&) {};

struct router_test : testing::Test {
  router paths;
  path_values values;

  /// The pattern and the method of the route that is found; "405" and "404" where there is none.
  std::string found(http_method method, std::string_view path) {
    const auto match = paths.find(method, path, values);
    if (match.at == nullptr)
      return "404";
    return match.to == nullptr
             ? "405"
             : std::string{to_string(match.to->method)} + ' ' + match.at->pattern.text();
  }

  std::string allowed(std::string_view path) {
    return paths.find(http_method::get, path, values).at->allowed();
  }

  /// The status that the guard answers with, or 200.
  unsigned guarded(http_method method, std::string_view path) {
    http_request_header header;
    header.method(method);
    const http_request asked{.header = header, .path = path};
    const auto wrong = paths.refusal(paths.find(method, path, values), asked);
    return wrong ? wrong->status : 200;
  }
};

TEST_F(router_test, asks_literals_first_whatever_the_order_they_were_added_in) {
  paths.add(http_method::get, "/{all*}", {}, nothing);
  paths.add(http_method::get, "/rooms/{room*}", {}, nothing);
  paths.add(http_method::get, "/rooms/{room*}/presence", {}, nothing);
  paths.add(http_method::get, "/{one}", {}, nothing);
  paths.add(http_method::get, "/rooms", {}, nothing);
  EXPECT_EQ(found(http_method::get, "/rooms"), "GET /rooms");
  EXPECT_EQ(found(http_method::get, "/other"), "GET /{one}");
  EXPECT_EQ(found(http_method::get, "/rooms/a"), "GET /rooms/{room*}");
  EXPECT_EQ(found(http_method::get, "/rooms/a/presence"), "GET /rooms/{room*}/presence");
  EXPECT_EQ(values["room"], "a");
  EXPECT_EQ(found(http_method::get, "/other/"), "GET /{all*}");
  EXPECT_EQ(found(http_method::get, "*"), "404");
}

TEST_F(router_test, tells_a_wrong_method_from_a_wrong_path) {
  paths.add(http_method::get, "/a", {}, nothing);
  paths.add(http_method::post, "/a", {}, nothing);
  paths.add(http_method::delete_, "/b", {}, nothing);
  EXPECT_EQ(found(http_method::post, "/a"), "POST /a");
  EXPECT_EQ(found(http_method::put, "/a"), "405");
  EXPECT_EQ(found(http_method::head, "/b"), "405");
  EXPECT_EQ(found(http_method::get, "/c"), "404");
  EXPECT_EQ(allowed("/a"), "GET, HEAD, POST");
  EXPECT_EQ(allowed("/b"), "DELETE");
}

TEST_F(router_test, answers_head_where_there_is_a_get) {
  paths.add(http_method::get, "/a", {}, nothing);
  EXPECT_EQ(found(http_method::head, "/a"), "GET /a");
  paths.add(http_method::head, "/a", {}, nothing);
  EXPECT_EQ(found(http_method::head, "/a"), "HEAD /a");
  EXPECT_EQ(allowed("/a"), "GET, HEAD");
}

TEST_F(router_test, names_options_where_pages_of_other_origins_may_ask) {
  paths.add(http_method::post, "/a", {.cors = true}, nothing);
  EXPECT_EQ(allowed("/a"), "POST, OPTIONS");
  EXPECT_EQ(found(http_method::options, "/a"), "405") << "the session answers it";
}

TEST_F(router_test, finds_an_upgrade_whatever_the_method) {
  paths.add_upgrade("/ws", nothing);
  for (const auto method : {http_method::get, http_method::post, http_method::head})
    EXPECT_TRUE(paths.find(method, "/ws", values).to->is_upgrade);
}

TEST_F(router_test, guards_all_but_what_is_open_or_has_a_guard_of_its_own) {
  paths.set_guard([](const http_request&) { return text_response(401, "key"); });
  paths.add(http_method::get, "/open", {.is_open = true}, nothing);
  paths.add(http_method::get, "/closed", {}, nothing);
  paths.add(http_method::post, "/own",
            {.guard = [](const http_request&) { return text_response(403, "own"); }}, nothing);
  EXPECT_EQ(guarded(http_method::get, "/open"), 200U);
  EXPECT_EQ(guarded(http_method::post, "/open"), 200U) << "it is answered with 405";
  EXPECT_EQ(guarded(http_method::get, "/closed"), 401U);
  EXPECT_EQ(guarded(http_method::put, "/closed"), 401U);
  EXPECT_EQ(guarded(http_method::get, "/nothing"), 401U) << "it does not tell what there is";
  EXPECT_EQ(guarded(http_method::post, "/own"), 403U);
  EXPECT_EQ(guarded(http_method::get, "/own"), 403U);
}

TEST_F(router_test, refuses_a_second_handler_and_bodies_that_are_too_large) {
  paths.add(http_method::get, "/a", {}, nothing);
  EXPECT_THROW(paths.add(http_method::get, "/a", {}, nothing), std::invalid_argument);
  EXPECT_THROW(paths.add_upgrade("/a", nothing), std::invalid_argument);
  EXPECT_THROW(paths.add(http_method::get, "a", {}, nothing), std::invalid_argument);
  EXPECT_THROW(paths.add(http_method::post, "/a", {.body_limit = max_body_limit + 1}, nothing),
               std::invalid_argument);
}

} // namespace
} // namespace canang::net
