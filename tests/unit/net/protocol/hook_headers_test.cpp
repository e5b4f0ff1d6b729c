#include "net/protocol/hook_headers.hpp"

#include "tests/unit/support/fake_hooks.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace canang::net {
namespace {

using fields = std::vector<std::pair<std::string, std::string>>;

struct hook_headers_test : testing::Test {
  test::fake_hooks hooks;
  http_request_header header;

  hook_headers_test() { hooks.headers = {"cookie", "x-tenant"}; }

  hook_origin_ptr origin;

  /// Whether the request is let through.
  [[nodiscard]] bool is_read(const hook_source* source) {
    return !read_hook_origin(http_request{.header = header}, source, "sse", "plain", origin);
  }

  [[nodiscard]] fields passed() {
    EXPECT_TRUE(is_read(&hooks));
    return origin->headers;
  }
};

TEST_F(hook_headers_test, are_those_that_the_operator_names) {
  header.insert("Cookie", "a=1");
  header.insert("X-TENANT", "blue");
  header.insert("Authorization", "Bearer secret");
  EXPECT_EQ(passed(), (fields{{"cookie", "a=1"}, {"x-tenant", "blue"}}));
}

TEST_F(hook_headers_test, are_all_of_a_name) {
  header.insert("x-tenant", "blue");
  header.insert("cookie", "a=1");
  header.insert("x-tenant", "red");
  EXPECT_EQ(passed(), (fields{{"cookie", "a=1"}, {"x-tenant", "blue"}, {"x-tenant", "red"}}));
}

TEST_F(hook_headers_test, are_no_more_than_may_be_kept) {
  header.insert("cookie", std::string(8 * 1024 - 6, 'x'));
  EXPECT_EQ(passed().size(), 1U);
  header.insert("x-tenant", "b");
  const auto refused =
    read_hook_origin(http_request{.header = header}, &hooks, "sse", "plain", origin);
  ASSERT_TRUE(refused) << "a client must not push out what a proxy says of it";
  EXPECT_EQ(refused->response.status, 431U);
  header.erase("cookie");
  EXPECT_EQ(passed().size(), 1U);
}

TEST_F(hook_headers_test, come_with_how_the_client_came_and_only_where_there_are_hooks) {
  ASSERT_TRUE(is_read(&hooks));
  EXPECT_EQ(origin->transport, "sse");
  EXPECT_EQ(origin->protocol, "plain");
  origin.reset();
  EXPECT_TRUE(is_read(nullptr));
  EXPECT_EQ(origin, nullptr);
}

} // namespace
} // namespace canang::net
