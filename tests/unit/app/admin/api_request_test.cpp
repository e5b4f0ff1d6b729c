#include "app/admin/api_request.hpp"

#include <gtest/gtest.h>

#include <string>

namespace canang::admin {
namespace {

api_publish published(const std::string& body) {
  auto parsed = parse_publish(body);
  if (const auto* const error = std::get_if<api_error>(&parsed)) {
    ADD_FAILURE() << body << ": " << error->message;
    return {};
  }
  return std::get<api_publish>(parsed);
}

template <class Parsed>
api_error fault(Parsed parsed) {
  if (!std::holds_alternative<api_error>(parsed)) {
    ADD_FAILURE() << "it is taken";
    return {};
  }
  return std::get<api_error>(parsed);
}

TEST(api_request, reads_a_publish) {
  const auto request =
    published(R"({"channel":"kitchen","data":{"a":1},"idempotency_key":"k","skip_history":true})");
  EXPECT_EQ(request.channel, "kitchen");
  EXPECT_EQ(request.data, R"({"a":1})");
  EXPECT_EQ(request.idempotency_key, "k");
  EXPECT_TRUE(request.skip_history);
  EXPECT_FALSE(published(R"({"channel":"kitchen","data":0})").skip_history);
}

TEST(api_request, data_is_any_json_as_it_was_sent) {
  for (const std::string data :
       {"null", "true", "0", "-1.50e+3", "1E400x", R"("text")", R"("a\u00e4\n b")", "[]", "{}",
        R"([1,2,{"x":[]}])", R"({"b":1,"a":2,"b":3})", "12345678901234567890", R"({"":""})"}) {
    if (data == "1E400x")
      continue;
    EXPECT_EQ(published(R"({"channel":"r","data":)" + data + "}").data, data);
    EXPECT_EQ(published("{\"data\":\n " + data + " \t, \"channel\":\"r\"}").data, data);
  }
  EXPECT_EQ(published(R"({"channel":"r","data": { "a b" : [ 1 , " 2 " ] } })").data,
            R"({"a b":[1," 2 "]})");
  EXPECT_EQ(published(R"({"d\u0061ta":7,"channel":"r"})").data, "7");
}

TEST(api_request, tells_what_is_wrong_with_a_body) {
  const std::string deep =
    R"({"channel":"r","data":)" + std::string(200, '[') + std::string(200, ']') + "}";
  const std::pair<std::string, std::string> bodies[]{
    {"", "the body is empty"},
    {"   ", "the body is empty"},
    {"x", "the body is not JSON"},
    {"{", "the body is not JSON"},
    {R"({"channel":"r","data":1} {})", "the body is not JSON"},
    {R"({"channel":"r","data":1}x)", "the body is not JSON"},
    {R"({"channel":"r","data":1,})", "the body is not JSON"},
    {R"({"channel":"r","data":01})", "a number in the body is none, or too large"},
    {R"({"channel":"r","data":1e999})", "a number in the body is none, or too large"},
    {R"({"channel":"r","data":123456789012345678901234567890})",
     "a number in the body is none, or too large"},
    {R"({"channel":"r","data":NaN})", "the body is not JSON"},
    {"{\"channel\":\"\xff\",\"data\":1}", "the body is not UTF-8"},
    {"{\"channel\":\"r\",\"data\":\"\xc3\"}", "the body is not UTF-8"},
    {R"({"channel":"\ud800","data":1})", "the body is not JSON"},
    {deep, "the body is nested too deep"},
    {"[1]", "the body is not a JSON object"},
    {"null", "the body is not a JSON object"},
    {R"({"channel":7,"data":1})", "'channel' has to be a string"},
    {R"({"channel":"r","data":1,"skip_history":"yes"})", "'skip_history' has to be true or false"},
    {R"({"channel":"r","data":1,"idempotency_key":7})", "'idempotency_key' has to be a string"},
    {R"({"channel":"r","data":1,"data":2})", "'data' is there twice"},
  };
  for (const auto& [body, text] : bodies) {
    const auto error = fault(parse_publish(body));
    EXPECT_EQ(error.message, "bad request: " + text) << body;
    EXPECT_EQ(error.status, 400U) << body;
    EXPECT_EQ(error.code, api_errc::bad_request);
  }
}

TEST(api_request, tells_what_cannot_be_done) {
  for (const std::string body : {R"({"data":1})", R"({"channel":"","data":1})",
                                 R"({"channel":null,"data":1})", R"({"channel":".","data":1})",
                                 R"({"channel":"a\u0000b","data":1})", R"({"channel":"r"})"}) {
    const auto error = fault(parse_publish(body));
    EXPECT_EQ(error.status, 200U) << body;
    EXPECT_EQ(error.code, api_errc::bad_request) << body;
  }
  EXPECT_EQ(fault(parse_publish(R"({"channel":"r","data":1,"idempotency_key":")"
                                + std::string(256, 'k') + "\"}"))
              .code,
            api_errc::bad_request);
  EXPECT_EQ(
    fault(parse_publish(R"({"channel":")" + std::string(256, 'k') + R"(","data":1})")).status,
    200U);
}

TEST(api_request, a_field_that_it_does_not_have_is_refused_unless_it_says_nothing) {
  const auto error = fault(parse_publish(R"({"channel":"r","data":1,"b64data":"aGk="})"));
  EXPECT_EQ(error.code, api_errc::not_available);
  EXPECT_EQ(error.message, "not available: the field 'b64data'");
  (void)published(
    R"({"channel":"r","data":1,"b64data":"","tags":{},"delta":false,"version":0,"x":null,"y":[]})");
  EXPECT_EQ(fault(parse_disconnect(R"({"user":"ann","whitelist":["c1"]})")).code,
            api_errc::not_available);
  EXPECT_EQ(fault(parse_publish("{\"" + std::string(39, 'x') + "\xc3\xa4\":1}")).message,
            "not available: the field '" + std::string(39, 'x') + "...'");
}

TEST(api_request, reads_a_disconnect) {
  const auto read = [](const std::string& body) {
    auto parsed = parse_disconnect(body);
    EXPECT_TRUE(std::holds_alternative<api_disconnect>(parsed)) << body;
    return std::get<api_disconnect>(parsed);
  };
  auto request = read(R"({"user":"ann"})");
  EXPECT_EQ(request.user, "ann");
  EXPECT_EQ(request.code, 3503);
  EXPECT_EQ(request.reason, "force disconnect");
  request = read(R"({"user":"ann","disconnect":{"code":4001,"reason":"bye"}})");
  EXPECT_EQ(request.code, 4001);
  EXPECT_EQ(request.reason, "bye");
  EXPECT_EQ(read(R"({"user":"ann","disconnect":{"code":3011}})").reason, "force reconnect");
  EXPECT_EQ(read(R"({"user":"ann","disconnect":{"code":4001}})").reason, "");
  EXPECT_EQ(read(R"({"user":"ann","disconnect":{"reason":"out"}})").code, 3503);
  EXPECT_EQ(read(R"({"user":"ann","disconnect":null})").code, 3503);
  EXPECT_EQ(read(R"({"user":"ann","disconnect":{}})").code, 3503);
}

TEST(api_request, refuses_a_disconnect_that_cannot_be) {
  EXPECT_EQ(fault(parse_disconnect(R"({})")).message, "bad request: 'user' is missing");
  EXPECT_EQ(fault(parse_disconnect(R"({"user":7})")).status, 400U);
  for (const std::string code : {"1000", "2999", "5000", "-1", "4294968296"})
    EXPECT_EQ(
      fault(parse_disconnect(R"({"user":"ann","disconnect":{"code":)" + code + "}}")).message,
      "bad request: 'code' has to be from 3000 to 4999");
  for (const std::string code : {"\"3503\"", "3503.5", "18446744073709551615"})
    EXPECT_EQ(
      fault(parse_disconnect(R"({"user":"ann","disconnect":{"code":)" + code + "}}")).status, 400U);
  EXPECT_EQ(fault(parse_disconnect(R"({"user":"ann","disconnect":7})")).status, 400U);
  EXPECT_EQ(fault(parse_disconnect(R"({"user":"ann","disconnect":{"reason":")"
                                   + std::string(124, 'r') + "\"}}"))
              .status,
            200U);
}

TEST(api_request, reads_an_unsubscribe) {
  auto parsed = parse_unsubscribe(R"({"user":"ann","channel":"kitchen"})");
  ASSERT_TRUE(std::holds_alternative<api_unsubscribe>(parsed));
  EXPECT_EQ(std::get<api_unsubscribe>(parsed).user, "ann");
  EXPECT_EQ(std::get<api_unsubscribe>(parsed).channel, "kitchen");
  EXPECT_EQ(fault(parse_unsubscribe(R"({"user":"ann"})")).status, 200U);
  EXPECT_EQ(fault(parse_unsubscribe(R"({"channel":"kitchen"})")).status, 200U);
}

TEST(api_request, an_error_is_told_as_centrifugo_does) {
  EXPECT_EQ(to_json({200, api_errc::bad_request, "bad \"request\""}),
            R"({"error":{"code":107,"message":"bad \"request\""}})");
}

} // namespace
} // namespace canang::admin
