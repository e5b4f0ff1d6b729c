#include "net/hooks/hook_signature.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace canang::net {
namespace {

// printf '1700000000.{"user":"ann"}' | openssl dgst -sha256 -hmac 'sixteen characters'
TEST(hook_signature, is_what_openssl_makes_of_it) {
  const auto fields = sign_hook_request("sixteen characters", 1'700'000'000, R"({"user":"ann"})");
  ASSERT_EQ(fields.size(), 2U);
  EXPECT_EQ(fields[0], (std::pair<std::string, std::string>{"X-Canang-Timestamp", "1700000000"}));
  EXPECT_EQ(fields[1].first, "X-Canang-Signature");
  EXPECT_EQ(fields[1].second,
            "v1=0396f9dfd64ee236887ee1540146af58c47cf46a674642737f23ca8378be02f2");
}

TEST(hook_signature, is_another_one_for_another_secret_time_or_body) {
  const auto of = [](std::string_view secret, std::int64_t at, std::string_view body) {
    return sign_hook_request(secret, at, body)[1].second;
  };
  const auto one = of("sixteen characters", 1, "a");
  EXPECT_EQ(one, of("sixteen characters", 1, "a"));
  EXPECT_NE(one, of("sixteen character.", 1, "a"));
  EXPECT_NE(one, of("sixteen characters", 2, "a"));
  EXPECT_NE(one, of("sixteen characters", 1, "b"));
}

TEST(hook_signature, is_of_now_and_only_where_there_is_a_secret) {
  const auto now = [] {
    return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
  };
  EXPECT_TRUE(signed_hook_message("", "{}").headers.empty());
  const auto before = now();
  const auto message = signed_hook_message("sixteen characters", "{}");
  EXPECT_EQ(message.body, "{}");
  ASSERT_EQ(message.headers.size(), 2U);
  const auto at = std::stoll(message.headers[0].second);
  EXPECT_GE(at, before);
  EXPECT_LE(at, now());
  EXPECT_EQ(message.headers, sign_hook_request("sixteen characters", at, "{}"));
}

} // namespace
} // namespace canang::net
