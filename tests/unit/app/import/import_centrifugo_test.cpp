#include "app/import/import_centrifugo.hpp"

#include "app/import/imported_keys.hpp"
#include "app/options.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace canang::app {
namespace {

std::string imported(const std::string& json) {
  const auto made = import_centrifugo(json);
  EXPECT_EQ(made.fault, "") << json;
  return made.toml;
}

std::string fault_of(const std::string& json) {
  const auto made = import_centrifugo(json);
  EXPECT_EQ(made.toml, "") << json.substr(0, 80);
  return made.fault;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

struct example {
  std::string json;
  std::vector<std::string> lines; // at the beginnings of lines
};

void expect_lines(const std::vector<example>& examples) {
  for (const auto& [json, lines] : examples) {
    const auto toml = imported(json);
    for (const auto& line : lines)
      EXPECT_TRUE(has(toml, '\n' + line))
        << line << "\n is not in what was made of " << json << "\n"
        << toml;
  }
}

/// What a namespace of that object has as `key`.
void expect_namespace(const std::string& options, const std::string& line, bool anonymous = true) {
  const std::string start =
    anonymous ? R"({"client":{"allow_anonymous_connect_without_token":true},)" : "{";
  const auto toml =
    imported(start + R"("channel":{"namespaces":[{"name":"space",)" + options + "}]}}");
  const auto table = toml.find("\n[namespaces.space]\n");
  ASSERT_NE(table, std::string::npos);
  EXPECT_TRUE(has(toml.substr(table), '\n' + line)) << line << "\n is not in\n" << toml;
}

TEST(import_centrifugo_test, says_in_full_what_differs_by_default) {
  expect_lines({{"{}",
                 {R"(listen = "0.0.0.0:8000")", R"(internal-listen = "127.0.0.1:9000")",
                  R"(allowed-origin = "https://none.invalid")", "[rooms]", "history-size = 0",
                  "presence = false", "join-leave = false", R"(allow-subscribe = "token")",
                  R"(allow-publish = "nobody")", R"(allow-presence = "nobody")",
                  R"(allow-history = "nobody")"}}});
}

TEST(import_centrifugo_test, translates_options_of_both_versions) {
  expect_lines({
    {R"({"http_server":{"port":8001,"address":"10.0.0.1"}})", {R"(listen = "10.0.0.1:8001")"}},
    {R"({"port":"8001"})", {R"(listen = "0.0.0.0:8001")"}},
    {R"({"http_server":{"address":"::1"}})", {R"(listen = "[::1]:8000")"}},
    {R"({"address":"host.example.org"})", {R"(listen = "127.0.0.1:8000")"}},
    {R"({"http_server":{"internal_port":"9100"}})", {R"(internal-listen = "0.0.0.0:9100")"}},
    {R"({"internal_port":8000})", {R"(internal-listen = "127.0.0.1:9000")"}},
    {R"({"port":9000})", {R"(internal-listen = "127.0.0.1:9001")"}},
    {R"({"client":{"allowed_origins":["https://a.example"]}})",
     {R"(allowed-origin = "https://a.example")"}},
    {R"({"allowed_origins":"https://a.example https://*.b.example"})",
     {"allowed-origin = [  # allowed_origins\n  \"https://a.example\",\n  "
      "\"https://*.b.example\",\n]"}},
    {R"({"client":{"allowed_origins":["*://x", "a,b", "same-host"]}})",
     {R"(allowed-origin = "https://none.invalid")"}},
    {R"({"client":{"ping_interval":"20s","pong_timeout":"1.5s"}})",
     {R"(ping-interval = "20s")", R"(pong-timeout = "1500ms")"}},
    {R"({"websocket":{"message_size_limit":131072}})", {R"(max-message-bytes = "128KiB")"}},
    {R"({"websocket_message_size_limit":1000})", {R"(max-message-bytes = "1000")"}},
    {R"({"websocket":{"compression":true,"compression_min_size":512}})",
     {R"(compression = "deflate")", R"(compression-min-bytes = "512")"}},
    {R"({"websocket_compression":false,"websocket_compression_level":3})",
     {R"(compression = "off")",
      "# Not translated (messages are compressed once for all members of a room, at one level):\n"
      "# websocket_compression_level."}},
    {R"({"client":{"queue_max_size":100}})", {R"(outbox-limit = "1KiB")"}},
    {R"({"client_connection_limit":7,"client_connection_rate_limit":8,"client_channel_limit":9})",
     {"max-connections = 7", "accept-rate = 8", "max-rooms-per-connection = 9"}},
    {R"({"shutdown":{"timeout":"30s"}})", {R"(drain-grace = "5s")", R"(drain-period = "25s")"}},
    {R"({"shutdown_timeout":"3s"})", {R"(drain-grace = "0s")", R"(drain-period = "3s")"}},
    {R"({"log":{"level":"FATAL"}})", {R"(log-level = "error")"}},
    {R"({"log_level":"none"})", {R"(log-level = "off")"}},
    {R"({"node":{"name":"n1"}})", {R"(advertise = "n1")"}},
    {R"({"gomaxprocs":2})", {"workers = 2"}},
    {R"({"Client":{"PING_INTERVAL":"20s"}})", {R"(ping-interval = "20s")"}},
    {R"({"user_subscribe_to_personal":true})", {R"(personal-room = "#")"}},
    {R"({"client":{"subscribe_to_user_personal_channel":{"enabled":true,)"
     R"("personal_channel_namespace":"me"}}})",
     {R"(personal-room = "me:#")"}},
  });
}

TEST(import_centrifugo_test, translates_redis_in_use) {
  expect_lines({
    {R"({"engine":{"type":"redis"}})", {R"(redis = "redis://127.0.0.1:6379")"}},
    {R"({"engine":"redis","redis_address":"redis://h:1/3","redis_prefix":"p"})",
     {R"(redis = "redis://h:1/3")", R"(redis-prefix = "p")"}},
    {R"({"engine":{"type":"redis","redis":{"address":["h:1","h:1","i:2"],"db":4}}})",
     {"redis = [  # engine.type, engine.redis.db, engine.redis.address\n  \"redis://h:1/4\",\n"
      "  \"redis://i:2/4\",\n]"}},
    {R"({"broker":{"enabled":true,"type":"redis","redis":{"address":"h:1"}}})",
     {R"(redis = "redis://h:1")"}},
    {R"({"engine":{"type":"redis","redis":{"address":["rediss://h:1","i:2"]}}})",
     {"redis = [  # engine.type, engine.redis.address\n  \"rediss://h:1\",\n  "
      "\"redis://i:2\",\n]"}},
    {R"({"engine":{"type":"redis","redis":{"address":"h:1","tls":{"enabled":true,
         "server_ca_pem":"/ca.pem","cert_pem":"/c.pem","key_pem":"/k.pem"}}}})",
     {R"(redis = "rediss://h:1")", R"(redis-ca = "/ca.pem")", R"(redis-cert = "/c.pem")",
      R"(redis-key = "/k.pem")"}},
    {R"({"engine":"redis","redis_sentinel_address":["a:1,b:2"],"redis_sentinel_master_name":"m"})",
     {R"(redis = "sentinel://a:1,b:2/m")"}},
    {R"({"engine":"redis","redis_address":"redis://user:secret@h:1/3?x=y"})",
     {R"(redis = "redis://h:1/3")"}},
    {R"({"engine":"redis","redis_connect_timeout":"1s","redis_io_timeout":"4s"})",
     {R"(redis-connect-timeout = "1s")", R"(redis-command-timeout = "4s")"}},
  });
}

TEST(import_centrifugo_test, leaves_a_redis_out_that_is_not_in_use_or_cannot_be) {
  for (const auto* const json :
       {R"({"engine":{"type":"memory","redis":{"address":"h:1"}}})", R"({"redis_address":"h:1"})",
        R"({"broker":{"type":"redis"}})", R"({"engine":"redis","redis_cluster_address":["h:1"]})",
        R"({"engine":"redis","redis_address":"unix:///run/redis"})",
        R"({"engine":{"type":"redis","redis":{"sentinel_address":["a:1"],"sentinel_master_name":"m",
            "sentinel_tls":{"enabled":true}}}})",
        R"({"engine":"tarantool"})"})
    EXPECT_FALSE(has(imported(json), "\nredis = ")) << json;
}

TEST(import_centrifugo_test, takes_the_strictest_of_who_may) {
  const auto* const joins =
    R"("allow_subscribe_for_client":true,"allow_subscribe_for_anonymous":true)";
  const auto* const users = R"("allow_subscribe_for_client":true)";
  expect_namespace(joins, R"(allow-subscribe = "anyone")");
  expect_namespace(joins, R"(allow-subscribe = "users")", false);
  expect_namespace(users, R"(allow-subscribe = "users")");
  expect_namespace(R"("allow_subscribe_for_anonymous":true)", R"(allow-subscribe = "token")");
  expect_namespace(std::string{joins} + R"(,"subscribe_proxy_enabled":true)",
                   R"(allow-subscribe = "token")");
  expect_namespace(std::string{joins} + R"(,"allow_user_limited_channels":true)",
                   R"(allow-subscribe = "anyone")");
  expect_namespace(std::string{joins} + R"(,"allow_user_limited_channels":"what")",
                   R"(allow-subscribe = "token")");
  const auto* const publish = R"(,"allow_publish_for_subscriber":true)";
  const auto* const anonymous = R"(,"allow_publish_for_anonymous":true)";
  const auto* const anybody = R"(,"allow_publish_for_client":true)";
  expect_namespace(std::string{joins} + publish + anonymous, R"(allow-publish = "members")");
  expect_namespace(std::string{joins} + publish, R"(allow-publish = "users")");
  expect_namespace(std::string{users} + publish, R"(allow-publish = "members")");
  expect_namespace(std::string{joins} + anybody, R"(allow-publish = "users")");
  expect_namespace(std::string{joins} + anybody + anonymous, R"(allow-publish = "anyone")");
  expect_namespace(std::string{joins} + anybody + anonymous, R"(allow-publish = "users")", false);
  expect_namespace(std::string{joins} + anonymous, R"(allow-publish = "nobody")");
  expect_namespace(std::string{joins} + anybody + R"(,"proxy_publish":true)",
                   R"(allow-publish = "nobody")");
  expect_namespace(R"("allow_publish_for_client":"yes")", R"(allow-publish = "nobody")");
  expect_namespace(std::string{users} + R"(,"allow_presence_for_subscriber":true)",
                   R"(allow-presence = "members")");
  expect_namespace(std::string{users} + R"(,"allow_history_for_client":true)",
                   R"(allow-history = "users")");
}

TEST(import_centrifugo_test, translates_keys_and_claims_of_tokens) {
  const std::string secret_line = R"(token-hmac-secret-file = "/etc/canang/token.secret")";
  expect_lines({
    {R"({"client":{"token":{"hmac_secret_key":"0123456789abcdef","audience":"a","issuer":"i"}}})",
     {secret_line + "  # client.token.hmac_secret_key", R"(token-audience = "a")",
      R"(token-issuer = "i")", R"(anonymous = "no")"}},
    {R"({"token_hmac_secret_key":"0123456789abcdef","token_audience":"a","token_issuer":"i"})",
     {secret_line, R"(token-audience = "a")", R"(token-issuer = "i")", R"(anonymous = "no")"}},
    {R"({"client":{"token":{"jwks_public_endpoint":"https://a.example/keys",
         "hmac_secret_key":"x"}}})",
     {R"(token-jwks = "https://a.example/keys")",
      "# client.token.hmac_secret_key: not in use there", R"(anonymous = "no")"}},
    {R"({"token_jwks_public_endpoint":"http://127.0.0.1:1/k",
         "allow_anonymous_connect_without_token":true})",
     {R"(token-jwks = "http://127.0.0.1:1/k")", R"(anonymous = "yes")"}},
    {R"({"client":{"allow_anonymous_connect_without_token":true}})", {R"(anonymous = "yes")"}},
  });
  EXPECT_FALSE(has(imported(R"({"token_hmac_secret_key":""})"), "\ntoken-hmac-secret-file"));
  EXPECT_FALSE(has(imported(R"({"token_jwks_public_endpoint":"https://a/k","token_hmac_secret_key":
    "0123456789abcdef"})"),
                   "\ntoken-hmac-secret-file"));
}

constexpr std::string_view p256_pem =
  "-----BEGIN PUBLIC KEY-----\\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt\\n"
  "6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\\n-----END PUBLIC KEY-----";

TEST(import_centrifugo_test, names_files_for_public_keys) {
  const auto line = std::string{"\ntoken-public-key = \"/etc/canang/token-ecdsa.pem\""};
  EXPECT_TRUE(has(imported(fmt::format(R"({{"token_ecdsa_public_key":"{}"}})", p256_pem)), line));
  EXPECT_TRUE(
    has(imported(fmt::format(R"({{"client":{{"token":{{"ecdsa_public_key":"{}"}}}}}})", p256_pem)),
        line));
}

TEST(import_centrifugo_test, lets_nobody_in_where_a_key_cannot_be_translated) {
  for (const auto* const settings :
       {R"("token_rsa_public_key":"none")", R"("token_ecdsa_public_key":7)",
        R"("token_jwks_public_endpoint":"https://a.example/{{tenant}}/keys")",
        R"("token_jwks_public_endpoint":"https://a.example/keys?s3cr3t")",
        R"("token_jwks_public_endpoint":"ftp://a.example")"}) {
    const auto toml =
      imported(std::string{R"({"allow_anonymous_connect_without_token":true,)"} + settings + "}");
    EXPECT_TRUE(has(toml, "\nanonymous = \"no\"")) << toml;
    EXPECT_FALSE(has(toml, "\ntoken-")) << toml;
    EXPECT_FALSE(has(toml, "s3cr3t")) << toml;
  }
}

TEST(import_centrifugo_test, says_which_rules_of_tokens_are_not_here) {
  for (const auto& [json, mention] : std::vector<std::pair<std::string, std::string>>{
         {R"({"token_audience_regex":"^a"})", "audiences are compared"},
         {R"({"client":{"token":{"issuer_regex":"^a"}}})", "issuers are compared"},
         {R"({"token_user_id_claim":"uid"})", "the user is in the claim sub"},
         {R"({"token_audience":"a,b"})", "token_audience is none that Canang can ask for"},
         {R"({"separate_subscription_token_config":true,"token_audience":"a",
              "subscription_token_audience":"b"})",
          "Sign them so"},
         {R"({"separate_subscription_token_config":true,"token_audience":"a",
              "subscription_token_audience":"a"})",
          "have the keys of the others"},
         {R"({"separate_subscription_token_config":false})", "check tokens of rooms, as here"},
         {R"({"user_subscribe_to_personal":true,"channel_user_boundary":""})",
          "there is no such room"},
         {R"({"channel":{"user_separator":";"}})", "channel.user_separator: it is , here. Rooms"}})
    EXPECT_TRUE(has(imported(json), mention)) << mention << "\n" << imported(json);
}

TEST(import_centrifugo_test, takes_tokens_without_a_user_as_there) {
  const std::string start = R"({"token_jwks_public_endpoint":"https://a.example/keys",)";
  const std::string rooms =
    R"("allow_subscribe_for_client":true,"allow_subscribe_for_anonymous":true)";
  expect_lines({{start + rooms + "}", {R"(allow-subscribe = "anyone")"}},
                {start + R"("disallow_anonymous_connection_tokens":true,)" + rooms + "}",
                 {R"(allow-subscribe = "users")"}}});
}

TEST(import_centrifugo_test, translates_what_names_of_rooms_say) {
  expect_lines({
    {"{}", {R"(private-prefix = "$")", R"(user-boundary = "#")", "user-rooms = false"}},
    {R"({"channel":{"private_prefix":"","user_boundary":"@"}})",
     {R"(private-prefix = "")", R"(user-boundary = "@")"}},
    {R"({"channel_private_prefix":"!","channel_user_boundary":"~"})",
     {R"(private-prefix = "!")", R"(user-boundary = "~")"}},
    {R"({"channel_private_prefix":true})", {R"(private-prefix = "$")"}},
    {R"({"user_subscribe_to_personal":true,"channel_user_boundary":"@"})",
     {R"(personal-room = "@")", R"(user-boundary = "@")"}},
  });
  const std::string owned = R"("allow_user_limited_channels":true)";
  expect_namespace(owned, "user-rooms = true  # allow_user_limited_channels");
  expect_namespace(owned, R"(allow-subscribe = "token")");
  expect_namespace(R"("allow_user_limited_channels":"what")", "user-rooms = false");
}

TEST(import_centrifugo_test, translates_what_is_kept_of_rooms) {
  expect_namespace(R"("history_size":10,"history_ttl":"60s")", "history-size = 10");
  expect_namespace(R"("history_size":10,"history_ttl":"60s")", "history-ttl = \"1m\"");
  expect_namespace(R"("history_size":10)", "history-size = 0");
  expect_namespace(R"("history_size":2000000,"history_ttl":"60s")", "history-size = 1000000");
  expect_namespace(R"("presence":true)", "presence = true");
  expect_namespace(R"("join_leave":true,"force_push_join_leave":true)", "join-leave = true");
  expect_namespace(R"("force_push_join_leave":true)", "join-leave = false");
}

TEST(import_centrifugo_test, translates_how_members_recover) {
  for (const auto* const line : {"force-positioning = false", "force-recovery = false",
                                 "recovery-mode = \"stream\"", "auto-recovery = false"})
    expect_namespace(R"("presence":true)", line);
  expect_namespace(R"("force_positioning":true)", "force-positioning = true");
  expect_namespace(R"("force_recovery":true)", "force-recovery = true");
  expect_namespace(R"("allow_recovery":true)", "force-recovery = true  # allow_recovery");
  expect_namespace(R"("force_recovery_mode":"cache")", "recovery-mode = \"cache\"");
  expect_namespace(R"("force_recovery_mode":"")", "recovery-mode = \"stream\"");
  expect_namespace(R"("force_recovery_mode":"all")",
                   "# force_recovery_mode is neither cache nor stream: taken as stream.");
  const std::string recovered = R"("force_recovery":true,"auto_cache_recover":true)";
  expect_namespace(recovered, "auto-recovery = false");
  expect_namespace(recovered + R"(,"force_recovery_mode":"cache")", "auto-recovery = true");
  expect_lines({{R"({"force_recovery":true,"force_recovery_mode":"cache"})",
                 {"force-recovery = true  # force_recovery", "recovery-mode = \"cache\""}}});
}

TEST(import_centrifugo_test, translates_which_deltas_there_are) {
  expect_namespace(R"("presence":true)", "delta = \"none\"");
  expect_namespace(R"("allowed_delta_types":["fossil"])", "delta = \"fossil\"");
  expect_namespace(R"("allowed_delta_types":"fossil","delta_publish":true)", "delta = \"fossil\"");
  expect_namespace(R"("allowed_delta_types":["other"])", "delta = \"none\"");
  expect_namespace(R"("allowed_delta_types":7)", "delta = \"none\"");
}

TEST(import_centrifugo_test, keeps_namespaces_apart_from_rooms) {
  const auto toml = imported(R"({"presence":true,"namespaces":[{"name":"a"},{"name":"b.c"}]})");
  EXPECT_TRUE(has(toml, "[rooms]"));
  const auto space = toml.substr(toml.find("[namespaces.a]"));
  EXPECT_TRUE(has(space, "presence = false")) << "there is no inheritance there";
  EXPECT_TRUE(has(space, "[namespaces.\"b.c\"]"));
}

TEST(import_centrifugo_test, has_no_namespaces_in_namespaces) {
  const auto toml = imported(
    R"({"namespaces":[{"a":1,"namespaces":[{"name":"in"},{"name":"in2"}],"name":"out"},{"name":"b"}]})");
  EXPECT_TRUE(has(toml, "[namespaces.out]"));
  EXPECT_TRUE(has(toml, "[namespaces.b]"));
  EXPECT_FALSE(has(toml, "[namespaces.in]"));
  EXPECT_TRUE(has(toml, "namespaces[1].name"));
}

TEST(import_centrifugo_test, leaves_out_namespaces_that_cannot_be_and_says_so) {
  for (const auto* const space :
       {R"({"presence":true})", R"({"name":"a:b","presence":true})",
        R"({"name":true,"presence":true})", R"({"name":"a\nb","presence":true})"}) {
    const auto toml = imported(std::string{R"({"namespaces":[)"} + space + "]}");
    EXPECT_FALSE(has(toml, "[namespaces.a")) << toml;
    EXPECT_TRUE(has(toml, "A namespace is left out")) << toml;
    EXPECT_TRUE(has(toml, "(the namespace is left out): presence")) << toml;
  }
  EXPECT_TRUE(
    has(imported(R"({"namespaces":[{"name":"ab"},{"name":"ab"}]})"), "\"ab\" is there twice"));
  EXPECT_TRUE(has(imported(R"({"namespaces":[7]})"), "namespaces[0]"));
}

TEST(import_centrifugo_test, mentions_what_it_does_not_translate) {
  for (const auto& [json, mention] : std::vector<std::pair<std::string, std::string>>{
         {R"({"admin":{"password":"x"}})", "admin.password"},
         {R"({"a":{"b":[{"c":1}]}})", "a.b[0].c"},
         {R"({"a":[]})", "(Canang has no such setting): a."},
         {R"({"a":{}})", "(Canang has no such setting): a."},
         {R"({"a\nlisten":1})", R"(a\nlisten)"},
         {R"({"port":null})", "(null, which says nothing): port."},
         {R"({"port":1,"port":2})", "the first one counts): port."},
         {R"({"ping_interval":"often"})", "ping_interval is not a duration"},
         {R"({"client_channel_limit":"many"})", "client_channel_limit is not a whole number"},
         {R"({"user_subscribe_to_personal":false})", "user_subscribe_to_personal is off"},
         {R"({"user_subscribe_to_personal":7})", "user_subscribe_to_personal is not a flag"},
         {R"({"user_subscribe_to_personal":true,"user_personal_channel_namespace":true})",
          "user_personal_channel_namespace is not the name of a namespace"},
         {R"({"log_level":"loud"})", "log_level is not a level"},
         {R"({"allowed_origins":7})", "allowed_origins is not a list"}})
    EXPECT_TRUE(has(imported(json), mention)) << mention << "\n" << imported(json);
}

TEST(import_centrifugo_test, shows_no_secret) {
  const std::string secret = "s3cr3t-s3cr3t-s3cr3t";
  for (
    const std::string json :
    {R"({"http_api":{"key":"SECRET"}})", R"({"api_key":"SECRET"})",
     R"({"engine":"redis","redis_password":"SECRET"})",
     R"({"engine":"redis","redis_user":"SECRET"})",
     R"({"engine":"redis","redis_address":["redis://u:SECRET@h:1"]})",
     R"({"engine":"redis","redis_address":"redis://:SECRET@h:1/x y"})",
     R"({"engine":{"type":"redis","redis":{"tls":{"enabled":true,"key_pem":"-----BEGIN SECRET"}}}})",
     R"({"client":{"token":{"hmac_secret_key":"SECRET","hmac_previous_secret_key":"x"}}})",
     R"({"token_rsa_public_key":"-----BEGIN SECRET"})", R"({"port":"SECRET"})",
     R"({"client":{"ping_interval":"SECRET","allowed_origins":["SECRET"]}})",
     R"({"proxies":[{"http":{"static_headers":{"A":"SECRET"}}}]})"}) {
    auto with_secret = json;
    with_secret.replace(json.find("SECRET"), 6, secret);
    EXPECT_FALSE(has(imported(with_secret), secret)) << json << "\n" << imported(with_secret);
  }
}

TEST(import_centrifugo_test, refuses_what_is_no_configuration) {
  EXPECT_EQ(fault_of(""), "it is empty");
  EXPECT_EQ(fault_of("port: 8000"), "it is not JSON");
  EXPECT_EQ(fault_of("[]"), "it is not a JSON object");
  EXPECT_EQ(fault_of("\"x\""), "it is not a JSON object");
  EXPECT_EQ(fault_of("{\"a\":\"\xff\"}"), "it is not UTF-8");
  EXPECT_EQ(fault_of(std::string(max_imported_bytes + 1, ' ')), "it has more than 1048576 bytes");
}

std::string nested(std::size_t depth) {
  std::string json;
  for (std::size_t i = 0; i < depth; ++i)
    json += "{\"a\":";
  return json + '1' + std::string(depth, '}');
}

TEST(import_centrifugo_test, takes_what_is_nested_64_deep_and_no_deeper) {
  EXPECT_TRUE(has(imported(nested(64)), "a.a.a"));
  EXPECT_EQ(fault_of(nested(65)), "it is nested deeper than 64");
}

TEST(import_centrifugo_test, refuses_what_makes_a_file_that_would_be_too_long) {
  std::string many = "{";
  for (int i = 0; i < 40'000; ++i)
    many += "\"some_key_" + std::to_string(i) + "\":1,";
  EXPECT_TRUE(has(fault_of(many + "\"x\":1}"), "more keys than"));
  std::string spaces = "{\"namespaces\":[";
  for (int i = 0; i < 20'000; ++i)
    spaces += "{\"name\":\"ns" + std::to_string(i) + "\"},";
  EXPECT_TRUE(has(fault_of(spaces + "{}]}"), "longer than a configuration file may be"));
}

TEST(import_centrifugo_test, makes_a_file_that_is_taken_whatever_the_names) {
  std::string odd =
    R"({"channel":{"without_namespace":{"history_size":1e1,"history_ttl":"1m"},"namespaces":[)";
  for (const std::string& name : {std::string(250, '.'), std::string(250, 'x'),
                                  std::string{"a\\\"b"}, std::string{"\u00e9t\u00e9"}})
    odd += R"({"name":")" + name + R"("},)";
  odd += R"({"name":"last"}]},"node":{"name":")" + std::string(300, '.') + R"("},")"
         + std::string(500, '.') + R"(":1})";
  auto escaped = odd;
  escaped.replace(escaped.find("a\\\"b"), 4, R"(a\\\"b)");
  const auto file = testing::TempDir() + "canang_imported_" + std::to_string(::getpid());
  std::ofstream{file} << imported(escaped);
  options into;
  const auto flag = "--config=" + file;
  const std::vector<const char*> argv{"canang", flag.c_str()};
  const auto fault = reread_options(static_cast<int>(argv.size()), argv.data(), into);
  EXPECT_FALSE(fault) << *fault;
  EXPECT_EQ(into.server.room_settings.rooms.history_size, 10U);
  EXPECT_TRUE(into.server.room_settings.namespaces.contains("last"));
  ::unlink(file.c_str());
}

} // namespace
} // namespace canang::app
