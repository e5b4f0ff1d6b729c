#include "app/admin/api_access.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace canang::admin {
namespace {

const std::string key = "0123456789abcdef";
const std::string other_key = "fedcba9876543210";
const std::string internal_key = "an-operators-key";

using fields = std::vector<std::pair<std::string, std::string>>;

unsigned status(const api_access& access, const fields& with,
                std::string_view host = "127.0.0.1:9000") {
  net::http_request_header header;
  header.method(net::http_method::post);
  for (const auto& [name, value] : with)
    header.insert(name, value);
  const auto wrong = access.refusal({.header = header, .path = "/api/publish", .host = host});
  return wrong ? wrong->status : 200;
}

TEST(api_access, any_of_its_keys_opens_it_and_nothing_else_does) {
  const net::api_keys keys{{key, other_key}};
  for (const auto& internal : {std::string{}, internal_key})
    for (const bool is_loopback : {true, false}) {
      const api_access access{keys, {internal}, is_loopback};
      EXPECT_EQ(status(access, {{"X-API-Key", key}}), 200U);
      EXPECT_EQ(status(access, {{"x-api-key", other_key}}, "any.example"), 200U);
      EXPECT_EQ(status(access, {{"Authorization", "apikey " + key}}), 200U);
      EXPECT_EQ(status(access, {{"Authorization", "APIKey   " + key}}), 200U);
      EXPECT_EQ(status(access, {{"Authorization", "Bearer x"}, {"X-API-Key", key}}), 200U);
      for (const fields& wrong : std::vector<fields>{{},
                                                     {{"X-API-Key", ""}},
                                                     {{"X-API-Key", key + "x"}},
                                                     {{"X-API-Key", key.substr(1)}},
                                                     {{"X-API-Key", "apikey " + key}},
                                                     {{"X-API-Key", internal_key}},
                                                     {{"Authorization", key}},
                                                     {{"Authorization", "apikey"}},
                                                     {{"Authorization", "apikey "}},
                                                     {{"Authorization", "apikey" + key}},
                                                     {{"Authorization", "Bearer " + key}},
                                                     {{"Authorization", "Bearer " + internal_key}}})
        EXPECT_EQ(status(access, wrong), 401U);
    }
}

TEST(api_access, without_any_key_it_is_for_this_machine) {
  const net::api_keys none{{}};
  EXPECT_EQ(status({none, {""}, true}, {}), 200U);
  EXPECT_EQ(status({none, {""}, true}, {{"X-API-Key", ""}}), 200U);
  EXPECT_EQ(status({none, {""}, true}, {}, "evil.example"), 403U) << "DNS rebinding";
  EXPECT_EQ(status({none, {""}, false}, {}), 403U);
  EXPECT_EQ(status({none, {internal_key}, true}, {}), 403U);
  EXPECT_EQ(status({none, {internal_key}, true}, {{"Authorization", "Bearer " + internal_key}}),
            403U);
}

TEST(api_access, no_web_page_uses_it) {
  const net::api_keys none{{}};
  const net::api_keys keys{{key}};
  for (const std::string name : {"Origin", "Sec-Fetch-Site"}) {
    EXPECT_EQ(status({none, {""}, true}, {{name, "same-origin"}}), 403U);
    EXPECT_EQ(status({keys, {""}, true}, {{name, "same-origin"}, {"X-API-Key", key}}), 403U);
  }
}

TEST(api_access, keys_that_are_replaced_count_at_once) {
  net::api_keys keys{{key}};
  const api_access access{keys, {""}, false};
  EXPECT_EQ(status(access, {{"X-API-Key", key}}), 200U);
  keys.set({other_key});
  EXPECT_EQ(status(access, {{"X-API-Key", key}}), 401U);
  EXPECT_EQ(status(access, {{"X-API-Key", other_key}}), 200U);
  keys.set({});
  EXPECT_EQ(status(access, {{"X-API-Key", other_key}}), 403U);
}

} // namespace
} // namespace canang::admin
