#include "app/admin/api_request.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

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
  EXPECT_EQ(request.content.data, R"({"a":1})");
  EXPECT_EQ(request.content.idempotency_key, "k");
  EXPECT_TRUE(request.content.skip_history);
  EXPECT_FALSE(published(R"({"channel":"kitchen","data":0})").content.skip_history);
}

TEST(api_request, bytes_come_in_base64) {
  const auto request = published(R"({"channel":"r","b64data":"AAH/"})");
  EXPECT_TRUE(request.content.is_binary);
  EXPECT_EQ(request.content.data, (std::string{"\0\x01\xff", 3}));
  EXPECT_TRUE(published(R"({"channel":"r","b64data":"aGk=","data":null})").content.is_binary);
  EXPECT_FALSE(published(R"({"channel":"r","b64data":"","data":null})").content.is_binary);
  EXPECT_FALSE(published(R"({"channel":"r","b64data":null,"data":1})").content.is_binary);
  for (const std::string body :
       {R"({"channel":"r","b64data":"aGk=","data":1})",
        R"({"channel":"r","b64data":"aGk=","data":""})", R"({"channel":"r","b64data":"aGk"})",
        R"({"channel":"r"})", R"({"channel":"r","b64data":""})",
        R"({"channel":"r","b64data":null})"}) {
    const auto error = fault(parse_publish(body));
    EXPECT_EQ(error.status, 200U) << body;
    EXPECT_EQ(error.code, api_errc::bad_request) << body;
  }
  EXPECT_EQ(fault(parse_publish(R"({"channel":"r","b64data":7})")).status, 400U);
}

TEST(api_request, data_is_any_json_as_it_was_sent) {
  for (const std::string data :
       {"null", "true", "0", "-1.50e+3", "1E400x", R"("text")", R"("a\u00e4\n b")", "[]", "{}",
        R"([1,2,{"x":[]}])", R"({"b":1,"a":2,"b":3})", "12345678901234567890", R"({"":""})"}) {
    if (data == "1E400x")
      continue;
    EXPECT_EQ(published(R"({"channel":"r","data":)" + data + "}").content.data, data);
    EXPECT_EQ(published("{\"data\":\n " + data + " \t, \"channel\":\"r\"}").content.data, data);
  }
  EXPECT_EQ(published(R"({"channel":"r","data": { "a b" : [ 1 , " 2 " ] } })").content.data,
            R"({"a b":[1," 2 "]})");
  EXPECT_EQ(published(R"({"d\u0061ta":7,"channel":"r"})").content.data, "7");
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
    {R"({"channel":"r","data":1,"delta":"fossil"})", "'delta' has to be true or false"},
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

std::string tagged(const std::string& tags) {
  return R"({"channel":"r","data":1,"tags":)" + tags + "}";
}

std::string tags_of(std::size_t count, const std::string& name, const std::string& value) {
  std::string tags = "{";
  for (std::size_t i = 0; i < count; ++i)
    tags += (i == 0 ? "\"" : ",\"") + name + std::to_string(i) + "\":\"" + value + '"';
  return tags + '}';
}

TEST(api_request, takes_tags) {
  using tags = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(published(tagged(R"({"a":"1","b":"","c\"d":"é"})")).content.tags,
            (tags{{"a", "1"}, {"b", ""}, {"c\"d", "é"}}));
  EXPECT_EQ(published(tagged("{}")).content.tags, tags{});
  EXPECT_EQ(published(tagged("null")).content.tags, tags{});
  EXPECT_EQ(published(tagged(tags_of(32, "n", std::string(1024, 'v')))).content.tags.size(), 32U);
}

TEST(api_request, says_what_is_wrong_with_tags) {
  for (const auto* const tags : {"1", "[]", "\"a\"", R"({"a":1})", R"({"a":null})", R"({"a":{}})"})
    EXPECT_EQ(fault(parse_publish(tagged(tags))).status, 400U) << tags;
  for (const auto& tags :
       {std::string{R"({"":"a"})"}, std::string{R"({"a":"1","a":"2"})"}, tags_of(33, "n", "v"),
        tags_of(1, std::string(255, 'n'), "v"), tags_of(1, "n", std::string(1025, 'v'))}) {
    const auto error = fault(parse_publish(tagged(tags)));
    EXPECT_EQ(error.status, 200U) << tags;
    EXPECT_EQ(error.code, api_errc::bad_request) << tags;
  }
  std::string channels = "\"a\"";
  for (int i = 1; i < 1000; ++i)
    channels += ",\"a\"";
  EXPECT_EQ(fault(parse_broadcast(R"({"channels":[)" + channels + R"(],"data":1,"tags":)"
                                  + tags_of(32, "n", std::string(1024, 'v')) + "}"))
              .code,
            api_errc::bad_request)
    << "more than all of a request may be";
}

TEST(api_request, a_field_that_it_does_not_have_is_refused_unless_it_says_nothing) {
  const auto error = fault(parse_publish(R"({"channel":"r","data":1,"version":7})"));
  EXPECT_EQ(error.code, api_errc::not_available);
  EXPECT_EQ(error.message, "not available: the field 'version'");
  (void)published(R"({"channel":"r","data":1,"b64data":"","tags":{},"version":0,"x":null,"y":[]})");
  for (const std::string flag : {"true", "false", "null"})
    (void)published(R"({"channel":"r","data":1,"delta":)" + flag + "}");
  EXPECT_EQ(fault(parse_disconnect(R"({"user":"ann","session":"s"})")).code,
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
  EXPECT_EQ(request.whom.user, "ann");
  EXPECT_EQ(request.whom.client, "");
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
  EXPECT_EQ(std::get<api_unsubscribe>(parsed).whom.user, "ann");
  EXPECT_EQ(std::get<api_unsubscribe>(parsed).channel, "kitchen");
  EXPECT_EQ(fault(parse_unsubscribe(R"({"user":"ann"})")).status, 200U);
  EXPECT_EQ(fault(parse_unsubscribe(R"({"channel":"kitchen"})")).status, 200U);
}

TEST(api_request, reads_whom_a_command_means) {
  const auto read = [](const std::string& fields) {
    auto parsed = parse_disconnect("{" + fields + "}");
    EXPECT_TRUE(std::holds_alternative<api_disconnect>(parsed)) << fields;
    return std::get<api_disconnect>(std::move(parsed));
  };
  auto request = read(R"("user":"ann","client":"n7zk2m4qpa/17")");
  EXPECT_EQ(request.whom.user, "ann");
  EXPECT_EQ(request.whom.client, "n7zk2m4qpa/17");
  request = read(R"("client":"n7zk2m4qpa/17","user":null)");
  EXPECT_EQ(request.whom.user, "");
  EXPECT_EQ(read(R"("user":"ann","client":"","whitelist":null)").spared.size(), 0U);
  EXPECT_EQ(read(R"("user":"ann","whitelist":["a/1","b/2"])").spared,
            (std::vector<std::string>{"a/1", "b/2"}));
  for (const std::string fields :
       {R"("client":"")", R"("user":"ann","client":"a b")", R"("user":"ann","client":"\u00e4")",
        R"("user":"ann","whitelist":[""])", R"("user":"ann","whitelist":["a b"])"})
    EXPECT_EQ(fault(parse_disconnect("{" + fields + "}")).status, 200U) << fields;
  const std::string long_name(max_api_client_bytes + 1, 'c');
  EXPECT_EQ(fault(parse_disconnect(R"({"client":")" + long_name + "\"}")).message,
            "bad request: 'client' is not the name of a connection");
  for (const std::string fields :
       {R"("client":7)", R"("user":"ann","whitelist":"a/1")", R"("user":"ann","whitelist":[1])"})
    EXPECT_EQ(fault(parse_disconnect("{" + fields + "}")).status, 400U) << fields;
  std::string many = R"({"user":"ann","whitelist":["a/1")";
  for (std::size_t i = 0; i < max_api_spared; ++i)
    many += R"(,"a/1")";
  EXPECT_EQ(fault(parse_disconnect(many + "]}")).message,
            "bad request: 'whitelist' has more than 32 names");
}

TEST(api_request, reads_a_subscribe) {
  const auto read = [](const std::string& body) {
    auto parsed = parse_subscribe(body);
    EXPECT_TRUE(std::holds_alternative<api_subscribe>(parsed)) << body;
    return std::get<api_subscribe>(std::move(parsed));
  };
  auto request = read(R"({"user":"ann","channel":"kitchen"})");
  EXPECT_EQ(request.whom.user, "ann");
  EXPECT_EQ(request.channel, "kitchen");
  EXPECT_FALSE(request.since);
  request = read(
    R"({"client":"n/1","channel":"kitchen","recover_since":{"offset":7,"epoch":"e"},"data":null})");
  EXPECT_EQ(request.whom.client, "n/1");
  ASSERT_TRUE(request.since);
  EXPECT_EQ(request.since->offset, 7U);
  EXPECT_EQ(request.since->epoch, "e");
  for (const std::string body :
       {R"({"user":"ann"})", R"({"channel":"kitchen"})", R"({"user":"ann","channel":""})",
        R"({"user":"ann","channel":".."})", R"({"user":"a\u0000","channel":"kitchen"})",
        R"({"user":"ann","channel":"kitchen","recover_since":{"offset":7}})",
        R"({"user":"ann","channel":"kitchen","expire_at":7})",
        R"({"user":"ann","channel":"kitchen","data":{"a":1}})"})
    EXPECT_EQ(fault(parse_subscribe(body)).status, 200U) << body;
  for (const std::string body :
       {R"({"user":"ann","channel":7})", R"({"user":["ann"],"channel":"kitchen"})",
        R"({"user":"ann","channel":"kitchen","recover_since":7})"})
    EXPECT_EQ(fault(parse_subscribe(body)).status, 400U) << body;
}

TEST(api_request, reads_a_refresh) {
  const auto read = [](const std::string& fields) {
    auto parsed = parse_refresh(R"({"user":"ann")" + fields + "}");
    EXPECT_TRUE(std::holds_alternative<api_refresh>(parsed)) << fields;
    return std::get<api_refresh>(std::move(parsed));
  };
  EXPECT_FALSE(read("").is_expired);
  EXPECT_FALSE(read(R"(,"expired":false,"expire_at":0)").is_expired);
  const auto request = read(R"(,"expired":true,"client":"n/1")");
  EXPECT_TRUE(request.is_expired);
  EXPECT_EQ(request.end.whom.user, "ann");
  EXPECT_EQ(request.end.whom.client, "n/1");
  EXPECT_EQ(request.end.code, 3005);
  EXPECT_TRUE(read(R"(,"expire_at":1)").is_expired) << "that was long ago";
  EXPECT_TRUE(read(R"(,"expired":true,"expire_at":99999999999)").is_expired);
  const auto later = read(R"(,"expire_at":99999999999)");
  EXPECT_FALSE(later.is_expired);
  EXPECT_EQ(later.expires_at, 99999999999);
  EXPECT_EQ(read("").expires_at, std::nullopt);
  EXPECT_EQ(fault(parse_refresh(R"({"user":"ann","expire_at":-1})")).code, api_errc::bad_request);
  EXPECT_EQ(fault(parse_refresh("{}")).status, 200U);
  EXPECT_EQ(fault(parse_refresh(R"({"user":"ann","expired":1})")).status, 400U);
  EXPECT_EQ(fault(parse_refresh(R"({"user":"ann","expire_at":"now"})")).status, 400U);
}

TEST(api_request, reads_a_broadcast) {
  auto parsed = parse_broadcast(
    R"({"channels":["a","","b\u0000"],"data":[ 1 ],"idempotency_key":"k","skip_history":true})");
  ASSERT_TRUE(std::holds_alternative<api_broadcast>(parsed));
  const auto& request = std::get<api_broadcast>(parsed);
  EXPECT_EQ(request.channels, (std::vector<std::string>{"a", "", std::string{"b\0", 2}}))
    << "each has an error of its own";
  EXPECT_EQ(request.content.data, "[1]");
  EXPECT_EQ(request.content.idempotency_key, "k");
  EXPECT_TRUE(request.content.skip_history);
  for (const std::string body : {R"({"data":1})", R"({"channels":[],"data":1})",
                                 R"({"channels":null,"data":1})", R"({"channels":["a"]})"})
    EXPECT_EQ(fault(parse_broadcast(body)).status, 200U) << body;
  for (const std::string body : {R"({"channels":"a","data":1})", R"({"channels":[7],"data":1})",
                                 R"({"channels":["a",null],"data":1})"})
    EXPECT_EQ(fault(parse_broadcast(body)).status, 400U) << body;
}

std::string broadcast_to(std::size_t channels, std::size_t bytes) {
  std::string body = R"({"channels":["r")";
  for (std::size_t i = 1; i < channels; ++i)
    body += R"(,"r")";
  return body + R"(],"data":")" + std::string(bytes - 2, 'x') + "\"}";
}

TEST(api_request, a_broadcast_is_bounded) {
  EXPECT_TRUE(std::holds_alternative<api_broadcast>(
    parse_broadcast(broadcast_to(max_api_publishes, max_api_payload_bytes / max_api_publishes))));
  EXPECT_EQ(fault(parse_broadcast(broadcast_to(max_api_publishes + 1, 3))).message,
            "bad request: 'channels' has more than 1000 names");
  EXPECT_EQ(fault(parse_broadcast(
                    broadcast_to(max_api_publishes, max_api_payload_bytes / max_api_publishes + 1)))
              .message,
            "bad request: 'data' and 'tags' for all 'channels' are more than 16777216 bytes");
}

TEST(api_request, reads_what_is_asked_of_a_room) {
  auto presence = parse_presence(R"({"channel":"kitchen"})");
  ASSERT_TRUE(std::holds_alternative<api_presence>(presence));
  EXPECT_EQ(std::get<api_presence>(presence).channel, "kitchen");
  auto stats = parse_presence_stats(R"({"channel":"hall"})");
  ASSERT_TRUE(std::holds_alternative<api_presence_stats>(stats));
  EXPECT_EQ(std::get<api_presence_stats>(stats).channel, "hall");
  EXPECT_EQ(fault(parse_presence("{}")).status, 200U);
  EXPECT_EQ(fault(parse_presence_stats(R"({"channel":".."})")).status, 200U);
  EXPECT_EQ(fault(parse_presence(R"({"channel":1})")).status, 400U);
}

TEST(api_request, reads_a_history) {
  const auto read = [](const std::string& body) {
    auto parsed = parse_history(body);
    EXPECT_TRUE(std::holds_alternative<api_history>(parsed)) << body;
    return std::get<api_history>(parsed);
  };
  auto request = read(R"({"channel":"kitchen"})");
  EXPECT_EQ(request.channel, "kitchen");
  EXPECT_EQ(request.limit, 0U);
  EXPECT_FALSE(request.since);
  EXPECT_FALSE(request.is_reverse);
  request =
    read(R"({"channel":"kitchen","limit":7,"since":{"offset":3,"epoch":"e"},"reverse":true})");
  EXPECT_EQ(request.limit, 7U);
  ASSERT_TRUE(request.since);
  EXPECT_EQ(request.since->offset, 3U);
  EXPECT_EQ(request.since->epoch, "e");
  EXPECT_TRUE(request.is_reverse);
  EXPECT_EQ(read(R"({"channel":"kitchen","limit":-1})").limit, api_history::no_limit);
  EXPECT_EQ(read(R"({"channel":"kitchen","since":{"epoch":"e"}})").since->offset, 0U);
  EXPECT_FALSE(read(R"({"channel":"kitchen","since":null})").since);
}

TEST(api_request, reads_what_is_asked_of_all_rooms) {
  auto all = parse_channels("{}");
  ASSERT_TRUE(std::holds_alternative<api_channels>(all));
  EXPECT_EQ(std::get<api_channels>(all).pattern, "");
  EXPECT_EQ(std::get<api_channels>(parse_channels(R"({"pattern":"a*"})")).pattern, "a*");
  EXPECT_EQ(fault(parse_channels(R"({"pattern":7})")).status, 400U);
  EXPECT_EQ(fault(parse_channels(R"({"pattern":")" + std::string(256, '*') + "\"}")).status, 200U);
  EXPECT_EQ(std::get<api_history_remove>(parse_history_remove(R"({"channel":"r"})")).channel, "r");
  EXPECT_EQ(fault(parse_history_remove("{}")).message, "bad request: 'channel' is missing");
}

TEST(api_request, refuses_a_history_that_cannot_be) {
  for (const std::string more : {R"("since":{"offset":1})", R"("since":{}, "limit":1)",
                                 R"("since":{"offset":-1,"epoch":"e"})"})
    EXPECT_EQ(fault(parse_history(R"({"channel":"r",)" + more + "}")).status, 200U) << more;
  for (const std::string more :
       {R"("since":1)", R"("since":{"offset":"1","epoch":"e"})", R"("limit":1.5)", R"("reverse":1)",
        R"("since":{"offset":18446744073709551615,"epoch":"e"})"})
    EXPECT_EQ(fault(parse_history(R"({"channel":"r",)" + more + "}")).status, 400U) << more;
  EXPECT_EQ(fault(parse_history("{}")).message, "bad request: 'channel' is missing");
}

TEST(api_request, an_error_is_told_as_centrifugo_does) {
  EXPECT_EQ(to_json({200, api_errc::bad_request, "bad \"request\""}),
            R"({"error":{"code":107,"message":"bad \"request\""}})");
}

} // namespace
} // namespace canang::admin
