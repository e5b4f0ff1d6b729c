#include "app/admin/console_access.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace canang::admin {
namespace {

const std::string key = "an-operators-key";

using fields = std::vector<std::pair<std::string, std::string>>;

unsigned status(const std::string& wanted, const fields& with) {
  net::http_request_header header;
  header.method(net::http_method::post);
  for (const auto& [name, value] : with)
    header.insert(name, value);
  const auto wrong = console_access{wanted}.refusal(
    {.header = header, .path = "/console/api/publish", .host = "ops.example:9000"});
  return wrong ? wrong->status : 200;
}

/// Of who has the key.
unsigned status_with_key(const fields& with) {
  auto all = with;
  all.emplace_back("Authorization", "Bearer " + key);
  return status(key, all);
}

TEST(console_access, the_internal_key_opens_it_and_nothing_else_does) {
  EXPECT_EQ(status_with_key({}), 200U);
  EXPECT_EQ(status(key, {{"Authorization", "bearer   " + key}}), 200U);
  for (const fields& wrong : std::vector<fields>{{},
                                                 {{"Authorization", key}},
                                                 {{"Authorization", "Bearer"}},
                                                 {{"Authorization", "Bearer "}},
                                                 {{"Authorization", "Bearer " + key + "x"}},
                                                 {{"Authorization", "Bearer " + key.substr(1)}},
                                                 {{"Authorization", "apikey " + key}},
                                                 {{"X-API-Key", key}}})
    EXPECT_EQ(status(key, wrong), 401U);
}

TEST(console_access, without_a_key_nobody_may) {
  EXPECT_EQ(status("", {}), 403U);
  EXPECT_EQ(status("", {{"Authorization", "Bearer "}}), 403U);
}

TEST(console_access, is_for_its_own_page_and_for_none_of_another_site) {
  EXPECT_EQ(status_with_key({{"Sec-Fetch-Site", "same-origin"}}), 200U);
  EXPECT_EQ(
    status_with_key({{"Sec-Fetch-Site", "same-origin"}, {"Origin", "https://proxy.example"}}), 200U)
    << "a proxy that changes the host";
  EXPECT_EQ(status_with_key({{"Origin", "http://ops.example:9000"}}), 200U);
  for (const std::string site : {"cross-site", "same-site", "none"})
    EXPECT_EQ(status_with_key({{"Sec-Fetch-Site", site}, {"Origin", "http://ops.example:9000"}}),
              403U);
  for (const std::string origin : {"null", "http://evil.example", "http://ops.example:9001"})
    EXPECT_EQ(status_with_key({{"Origin", origin}}), 403U);
}

} // namespace
} // namespace canang::admin
