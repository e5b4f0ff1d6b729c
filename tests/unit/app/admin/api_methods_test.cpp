#include "app/admin/api_request.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace canang::admin {
namespace {

api_parsed<api_command> read(std::string_view method, std::string_view body) {
  const auto methods = api_methods();
  const auto found = std::find_if(methods.begin(), methods.end(),
                                  [&](const api_method& one) { return one.name == method; });
  if (found == methods.end()) {
    ADD_FAILURE() << "no " << method;
    return api_error{};
  }
  return found->read(body);
}

template <class Command>
bool reads(std::string_view method, std::string_view body) {
  const auto parsed = read(method, body);
  const auto* const command = std::get_if<api_command>(&parsed);
  return command != nullptr && std::holds_alternative<Command>(*command);
}

TEST(api_methods, each_reads_its_own) {
  EXPECT_TRUE(reads<api_publish>("publish", R"({"channel":"r","data":1})"));
  EXPECT_TRUE(reads<api_broadcast>("broadcast", R"({"channels":["r"],"data":1})"));
  EXPECT_TRUE(reads<api_disconnect>("disconnect", R"({"user":"ann"})"));
  EXPECT_TRUE(reads<api_subscribe>("subscribe", R"({"user":"ann","channel":"r"})"));
  EXPECT_TRUE(reads<api_refresh>("refresh", R"({"user":"ann"})"));
  EXPECT_TRUE(reads<api_unsubscribe>("unsubscribe", R"({"user":"ann","channel":"r"})"));
  EXPECT_TRUE(reads<api_presence>("presence", R"({"channel":"r"})"));
  EXPECT_TRUE(reads<api_presence_stats>("presence_stats", R"({"channel":"r"})"));
  EXPECT_TRUE(reads<api_history>("history", R"({"channel":"r"})"));
  EXPECT_TRUE(reads<api_history_remove>("history_remove", R"({"channel":"r"})"));
  EXPECT_TRUE(reads<api_channels>("channels", "{}"));
  EXPECT_TRUE(reads<api_info>("info", "{}"));
  EXPECT_TRUE(reads<api_moderation>("ban", R"({"user":"ann"})"));
  EXPECT_TRUE(reads<api_moderation>("unban", R"({"user":"ann"})"));
  EXPECT_TRUE(reads<api_moderation>("mute", R"({"user":"ann"})"));
  EXPECT_TRUE(reads<api_moderation>("unmute", R"({"user":"ann"})"));
  EXPECT_TRUE(reads<api_moderation>("lockdown", R"({"on":true})"));
  EXPECT_TRUE(reads<api_acts>("moderation", "{}"));
  for (const auto& method : api_methods()) {
    const auto parsed = method.read("nothing");
    ASSERT_TRUE(std::holds_alternative<api_error>(parsed)) << method.name;
    EXPECT_EQ(std::get<api_error>(parsed).status, 400U) << method.name;
  }
}

TEST(api_methods, what_is_not_here_says_so) {
  const auto code = [](std::string_view body) {
    return std::get<api_error>(read("rpc", body)).code;
  };
  EXPECT_EQ(code(R"({"method":"x","params":{"a":1}})"), api_errc::method_not_found);
  EXPECT_EQ(code("{}"), api_errc::bad_request);
}

TEST(api_methods, tell_what_is_published) {
  const auto weight = [](std::string_view method, std::string_view body) {
    const auto of = weight_of(std::get<api_command>(read(method, body)));
    return std::pair{of.publishes, of.bytes};
  };
  EXPECT_EQ(weight("publish", R"({"channel":"r","data":"abc"})"), std::pair(1UL, 5UL));
  EXPECT_EQ(weight("broadcast", R"({"channels":["a","b","c"],"b64data":"AAAA"})"),
            std::pair(3UL, 9UL));
  EXPECT_EQ(weight("info", "{}"), std::pair(0UL, 0UL));
}

} // namespace
} // namespace canang::admin
