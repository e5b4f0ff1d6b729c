#include "net/hooks/hook_source.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace canang::net {
namespace {

const hook_origin origin{.transport = "websocket", .protocol = "json"};

TEST(hook_request, asks_who_connects_as_centrifugo_does) {
  const std::vector<std::string> rooms{"a", "b\""};
  EXPECT_EQ(encode_hook_request(hook_kind::connect,
                                {.client = "n/1",
                                 .user = "not known yet",
                                 .data = R"({"a": 1})",
                                 .has_data = true,
                                 .name = "js",
                                 .version = "1.2",
                                 .rooms = rooms},
                                origin),
            R"({"client":"n/1","transport":"websocket","protocol":"json","encoding":"json",)"
            R"("name":"js","version":"1.2","channels":["a","b\""],"data":{"a": 1}})");
}

TEST(hook_request, asks_about_a_room_a_publication_and_a_call) {
  const hook_question question{.client = "n/1",
                               .user = "ann",
                               .meta = R"({"m":1})",
                               .room = "r",
                               .data = "1",
                               .has_data = true};
  constexpr std::string_view base =
    R"({"client":"n/1","transport":"websocket","protocol":"json","encoding":"json","user":"ann",)";
  EXPECT_EQ(encode_hook_request(hook_kind::publish, question, origin),
            std::string{base} + R"("channel":"r","data":1,"meta":{"m":1}})");
  EXPECT_EQ(encode_hook_request(hook_kind::rpc,
                                {.client = "n/1", .user = "ann", .method = "getTime"}, origin),
            std::string{base} + R"("method":"getTime"})");
  EXPECT_EQ(
    encode_hook_request(hook_kind::refresh, {.client = "n/1", .user = ""}, origin),
    R"({"client":"n/1","transport":"websocket","protocol":"json","encoding":"json","user":""})");
}

TEST(hook_request, has_data_that_is_no_json_in_base64) {
  for (const auto* data : {"plain text", "{\"a\":", "\xff\xfe", "{} {}", ""}) {
    const auto body = encode_hook_request(hook_kind::publish, {.data = data, .has_data = true},
                                          {.transport = "sse", .protocol = "plain"});
    EXPECT_NE(body.find(R"("encoding":"binary")"), std::string::npos) << body;
    EXPECT_NE(body.find(R"("b64data":")"), std::string::npos) << body;
    EXPECT_EQ(body.find(R"("data":)"), std::string::npos) << body;
  }
  EXPECT_EQ(encode_hook_request(hook_kind::rpc, {.method = "m"}, origin).find("data"),
            std::string::npos);
}

TEST(hook_request, tells_of_a_client_that_has_gone) {
  EXPECT_EQ(
    encode_disconnect_event(
      1700000000123,
      {.client = "n/1", .user = "ann", .meta = "{}", .code = 1001, .reason = "going_away"}, origin),
    R"({"time_ms":1700000000123,"type":"disconnect","client":"n/1","transport":"websocket",)"
    R"("protocol":"json","user":"ann","code":1001,"reason":"going_away","meta":{}})");
}

TEST(hook_request, tells_of_a_room_that_has_members_and_has_none) {
  EXPECT_EQ(encode_room_event(1700000000123, "a\"b", true, "n"),
            R"({"time_ms":1700000000123,"type":"occupied","channel":"a\"b","node":"n"})");
  EXPECT_EQ(encode_room_event(1, "r", false, "n"),
            R"({"time_ms":1,"type":"vacated","channel":"r","node":"n"})");
}

} // namespace
} // namespace canang::net
