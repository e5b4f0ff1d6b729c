#include "net/hooks/hook_answer.hpp"

#include "net/auth/token_limits.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace canang::net {
namespace {

constexpr std::array questions{hook_kind::connect, hook_kind::refresh,     hook_kind::subscribe,
                               hook_kind::publish, hook_kind::sub_refresh, hook_kind::rpc};

hook_result result_of(hook_kind what, std::string_view body) {
  auto parsed = parse_hook_answer(what, body);
  auto* const result = std::get_if<hook_result>(&parsed);
  EXPECT_NE(result, nullptr) << to_string(what) << ' ' << body;
  return result == nullptr ? hook_result{} : std::move(*result);
}

hook_refusal refusal_of(std::string_view body, hook_kind what = hook_kind::subscribe) {
  auto parsed = parse_hook_answer(what, body);
  auto* const refusal = std::get_if<hook_refusal>(&parsed);
  EXPECT_NE(refusal, nullptr) << to_string(what) << ' ' << body;
  return refusal == nullptr ? hook_refusal{} : std::move(*refusal);
}

/// What is wrong with it; empty: nothing.
std::string fault_of(std::string_view body, hook_kind what = hook_kind::subscribe) {
  const auto parsed = parse_hook_answer(what, body);
  const auto* const wrong = std::get_if<bad_hook_answer>(&parsed);
  return wrong == nullptr ? std::string{} : *wrong;
}

TEST(hook_answer, says_yes_with_a_result) {
  for (const auto what : questions) {
    const auto result = result_of(what, R"( {"result" : {}} )");
    EXPECT_EQ(result.data, nullptr);
    EXPECT_EQ(result.expires_at, std::nullopt);
    EXPECT_FALSE(result.says_info);
    EXPECT_EQ(result.is_expired, what == hook_kind::refresh)
      << "it is not said how long it may stay";
  }
}

TEST(hook_answer, is_none_that_is_no_object_or_whose_result_is_none) {
  for (const auto what : questions)
    for (const auto* body :
         {"", " ", "null", "[]", "true", R"("yes")", R"({"result":[]})", R"({"result":1})",
          R"({"result":{})", R"({"result":{}}x)", "<html>", "\xff", "{\"result\":{\"a\":\"\xff\"}}",
          "{\"result\":{\"a\":\"\x01\"}}"})
      EXPECT_NE(fault_of(body, what), "") << body;
}

TEST(hook_answer, says_neither_yes_nor_that_a_client_may_stay_without_a_result) {
  for (const auto what : questions)
    for (const auto* body : {"{}", R"({"result":null})", R"({"results":{}})", R"({"status":"ok"})",
                             R"({"error":null,"disconnect":null})"}) {
      if (what == hook_kind::refresh || what == hook_kind::sub_refresh)
        EXPECT_TRUE(result_of(what, body).is_expired) << body;
      else
        EXPECT_NE(fault_of(body, what), "") << body;
    }
}

TEST(hook_answer, says_who_connects) {
  const auto result = result_of(hook_kind::connect, R"({"result":{
    "user":"ann", "expire_at":1900000000, "info":{ "name" : "Ann" }, "data":{"a" : [1]},
    "channels":["a","b"], "subs":{"b":{},"c":{"recover":true}}, "meta":{"plan" : 1},
    "caps":[{"channels":["x:*"],"match":"wildcard","allow":["sub","pub"]}], "unknown":[1,{}]}})");
  EXPECT_EQ(result.user, "ann");
  EXPECT_EQ(result.expires_at, 1'900'000'000);
  EXPECT_EQ(result.info, R"({"name":"Ann"})");
  ASSERT_NE(result.data, nullptr);
  EXPECT_EQ(result.data->bytes, R"({"a" : [1]})");
  EXPECT_EQ(result.data->type, frame_type::text);
  EXPECT_EQ(result.rooms, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(result.meta, R"({"plan":1})");
  ASSERT_EQ(result.grants.size(), 1U);
  EXPECT_EQ(result.grants[0].pattern, "x:*");
}

TEST(hook_answer, is_refused_where_a_value_is_not_what_it_has_to_be) {
  const std::pair<hook_kind, const char*> bad[]{
    {hook_kind::connect, R"("user":1)"},
    {hook_kind::connect, R"("user":"a\nb")"},
    {hook_kind::connect, R"("channels":"a")"},
    {hook_kind::connect, R"("channels":[1])"},
    {hook_kind::connect, R"("channels":[""])"},
    {hook_kind::connect, R"("subs":["a"])"},
    {hook_kind::connect, R"("subs":{"a":1})"},
    {hook_kind::connect, R"("caps":{})"},
    {hook_kind::connect, R"("caps":[{"channels":["a"],"allow":["all"]}])"},
    {hook_kind::connect, R"("expire_at":"1900000000")"},
    {hook_kind::subscribe, R"("expire_at":1.5)"},
    {hook_kind::subscribe, R"("expire_at":1e9)"},
    {hook_kind::subscribe, R"("expire_at":9223372036854775807)"},
    {hook_kind::subscribe, R"("expire_at":99999999999999999999)"},
    {hook_kind::subscribe, R"("b64info":"?")"},
    {hook_kind::subscribe, R"("b64info":1)"},
    {hook_kind::subscribe, R"("b64data":"YQ")"},
    {hook_kind::publish, R"("b64data":{})"},
    {hook_kind::refresh, R"("expire_at":1.5)"},
    {hook_kind::sub_refresh, R"("expired":false,"b64info":1)"},
  };
  for (const auto& [what, member] : bad)
    EXPECT_NE(fault_of(R"({"result":{)" + std::string{member} + "}}", what), "") << member;
}

TEST(hook_answer, may_say_no_longer_things_than_there_is_room_for) {
  const auto with_info = [](std::size_t size) {
    return R"({"result":{"info":")" + std::string(size - 2, 'x') + "\"}}";
  };
  EXPECT_EQ(fault_of(with_info(max_info_bytes)), "");
  EXPECT_NE(fault_of(with_info(max_info_bytes + 1)), "");
  std::string rooms;
  for (std::size_t i = 0; i <= max_token_rooms; ++i)
    rooms += (i == 0 ? "\"" : ",\"") + std::to_string(i) + '"';
  EXPECT_NE(fault_of(R"({"result":{"channels":[)" + rooms + "]}}", hook_kind::connect), "");
  const auto nested = [](std::size_t depth) {
    return R"({"result":{"data":)" + std::string(depth, '[') + std::string(depth, ']') + "}}";
  };
  EXPECT_EQ(fault_of(nested(16)), "");
  EXPECT_NE(fault_of(nested(max_hook_depth)), "");
  EXPECT_NE(fault_of(nested(30'000)), "");
}

TEST(hook_answer, never_ends_where_it_says_zero_and_ended_long_ago_where_it_is_past) {
  EXPECT_EQ(result_of(hook_kind::connect, R"({"result":{"expire_at":0}})").expires_at,
            std::nullopt);
  EXPECT_EQ(result_of(hook_kind::connect, R"({"result":{"expire_at":-1}})").expires_at,
            std::nullopt);
  EXPECT_FALSE(result_of(hook_kind::sub_refresh, R"({"result":{"expire_at":0}})").is_expired);
  EXPECT_EQ(result_of(hook_kind::refresh, R"({"result":{"expire_at":1}})").expires_at, 1);
}

TEST(hook_answer, says_whether_a_client_may_stay) {
  for (const auto what : {hook_kind::refresh, hook_kind::sub_refresh}) {
    for (const auto* expired : {"true", "1", R"("true")", R"("yes","expire_at":1.5)"})
      EXPECT_TRUE(
        result_of(what, R"({"result":{"expired":)" + std::string{expired} + "}}").is_expired)
        << expired;
    const auto result =
      result_of(what, R"({"result":{"expired":false,"expire_at":1900000000,"info":{"a":1}}})");
    EXPECT_FALSE(result.is_expired);
    EXPECT_TRUE(result.says_info);
    EXPECT_EQ(result.info, R"({"a":1})");
  }
  EXPECT_FALSE(result_of(hook_kind::connect, R"({"result":{"expired":true}})").is_expired);
}

TEST(hook_answer, says_that_a_client_has_to_go_whatever_else_it_says_wrongly) {
  const auto too_long = R"({"result":{"info":")" + std::string(max_info_bytes, 'x') + R"(",)";
  for (const auto what : {hook_kind::refresh, hook_kind::sub_refresh}) {
    EXPECT_TRUE(result_of(what, too_long + R"("expired":true}})").is_expired);
    EXPECT_NE(fault_of(too_long + R"("expired":false}})", what), "");
  }
}

TEST(hook_answer, has_something_to_come_with_later_questions_which_a_refresh_replaces) {
  for (const auto* meta : {R"({"plan":1})", "[1]", R"("x")", "7"})
    for (const auto what : {hook_kind::connect, hook_kind::refresh})
      EXPECT_EQ(result_of(what, R"({"result":{"meta":)" + std::string{meta} + "}}").meta, meta);
  EXPECT_EQ(result_of(hook_kind::sub_refresh, R"({"result":{"meta":{"a":1}}})").meta, "");
}

TEST(hook_answer, has_names_in_any_case) {
  EXPECT_EQ(result_of(hook_kind::connect, R"({"Result":{"User":"ann"}})").user, "ann");
  EXPECT_EQ(refusal_of(R"({"result":{},"Error":{"Code":1000}})").code, 1000U);
  EXPECT_EQ(refusal_of(R"({"result":{},"DISCONNECT":{"code":4001}})").code, 4001U);
}

TEST(hook_answer, publishes_what_is_in_json_before_what_is_in_base64) {
  for (const auto* body : {R"({"result":{"data":1,"b64data":"eyJhIjoxfQ=="}})",
                           R"({"result":{"b64data":"eyJhIjoxfQ==","data":1}})"})
    EXPECT_EQ(result_of(hook_kind::publish, body).data->bytes, "1");
  EXPECT_EQ(result_of(hook_kind::publish, R"({"result":{"b64data":"//4="}})").data->bytes,
            "\xff\xfe");
}

TEST(hook_answer, has_data_in_json_or_in_base64_which_goes_first) {
  for (const auto what : {hook_kind::connect, hook_kind::subscribe, hook_kind::rpc}) {
    EXPECT_EQ(result_of(what, R"({"result":{"data":"text"}})").data->bytes, R"("text")");
    const auto text = result_of(what, R"({"result":{"data":1,"b64data":"eyJhIjoxfQ=="}})").data;
    EXPECT_EQ(text->bytes, R"({"a":1})");
    EXPECT_EQ(text->type, frame_type::text);
    const auto bytes = result_of(what, R"({"result":{"b64data":"//4=","data":1}})").data;
    EXPECT_EQ(bytes->bytes, "\xff\xfe");
    EXPECT_EQ(bytes->type, frame_type::binary);
    EXPECT_EQ(result_of(what, R"({"result":{"b64data":"","data":1}})").data->bytes, "1");
    EXPECT_EQ(result_of(what, R"({"result":{"data":null}})").data, nullptr);
  }
}

TEST(hook_answer, has_info_in_base64_which_goes_first) {
  constexpr auto* expected = R"({"a":1})";
  for (const auto* body : {R"({"result":{"info":{"b":2},"b64info":"eyJhIjoxfQ=="}})",
                           R"({"result":{"b64info":"eyJhIjoxfQ==","info":{"b":2}}})"})
    EXPECT_EQ(result_of(hook_kind::subscribe, body).info, expected) << body;
}

TEST(hook_answer, says_no_with_an_error) {
  const auto refusal =
    refusal_of(R"({"error":{"code":1000,"message":"n\u006f \"x\"","temporary":true}})");
  EXPECT_EQ(refusal.code, 1000U);
  EXPECT_EQ(refusal.text, "no \"x\"");
  EXPECT_TRUE(refusal.is_temporary);
  EXPECT_FALSE(refusal.is_disconnect);
  EXPECT_EQ(refusal.wrong, "");
  EXPECT_EQ(refusal_of(R"({"error":{"code":4001}})").code, 4001U);
}

TEST(hook_answer, says_no_also_where_that_is_said_wrongly) {
  for (const auto what : questions) {
    for (const auto* error :
         {"{}", R"("denied")", "true", "[]", R"({"message":"denied"})", R"({"code":"1000"})",
          R"({"code":0})", R"({"code":99})", R"({"code":-1})", R"({"code":4294967296})",
          R"({"code":1000.0})", R"({"code":1000,"code":true})"}) {
      const auto refusal = refusal_of(R"({"result":{},"error":)" + std::string{error} + "}", what);
      EXPECT_FALSE(refusal.is_disconnect || refusal.is_temporary) << error;
      EXPECT_EQ(refusal.code, 103U) << error;
      EXPECT_NE(refusal.wrong, "") << error;
    }
    for (const auto* end : {"{}", R"("out")", R"({"reason":"out"})", R"({"code":0})",
                            R"({"code":1000})", R"({"code":2999})", R"({"code":5000})"}) {
      const auto refusal =
        refusal_of(R"({"result":{},"disconnect":)" + std::string{end} + "}", what);
      EXPECT_TRUE(refusal.is_disconnect) << end;
      EXPECT_EQ(refusal.code, 4500U) << end;
      EXPECT_NE(refusal.wrong, "") << end;
    }
  }
  EXPECT_EQ(refusal_of(R"({"error":{"message":"denied"}})").text, "denied");
  EXPECT_EQ(refusal_of(R"({"error":{}})").text, "permission denied");
}

TEST(hook_answer, says_no_with_a_disconnect_first_then_with_an_error) {
  const auto refusal =
    refusal_of(R"({"result":{},"error":{"code":1000},"disconnect":{"code":4001,"reason":"out"}})");
  EXPECT_TRUE(refusal.is_disconnect);
  EXPECT_EQ(refusal.code, 4001U);
  EXPECT_EQ(refusal.text, "out");
  EXPECT_EQ(refusal_of(R"({"result":{},"error":{"code":1000}})").code, 1000U);
  EXPECT_EQ(fault_of(R"({"result":{},"error":null,"disconnect":null})"), "");
}

TEST(hook_answer, gives_a_reason_that_a_close_frame_has_room_for) {
  const std::string umlauts = [] {
    std::string text;
    for (int i = 0; i < 100; ++i)
      text += "\xc3\xa4";
    return text;
  }();
  const auto refusal = refusal_of(R"({"disconnect":{"code":4001,"reason":")" + umlauts + "\"}}");
  EXPECT_EQ(refusal.text, umlauts.substr(0, 122)) << "whole characters";
}

TEST(hook_answer, counts_the_last_of_members_that_are_there_twice) {
  EXPECT_EQ(result_of(hook_kind::connect, R"({"result":{"user":"a","user":"b"}})").user, "b");
  EXPECT_EQ(refusal_of(R"({"error":{"code":1000},"error":{"code":1001}})").code, 1001U);
  EXPECT_EQ(refusal_of(R"({"\u0065rror":{"code":1001}})").code, 1001U) << "escaped";
}

} // namespace
} // namespace canang::net
