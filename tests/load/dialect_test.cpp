#include "tests/load/found.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace canang::load {
namespace {

class socketio_dialect : public testing::Test {
protected:
  bool decode(std::string_view message) { return language->decode(message, "load-7", got); }
  std::unique_ptr<dialect> language = make_dialect("socketio");
  found got;
};

TEST_F(socketio_dialect, asks_for_websocket_and_names_the_room_when_connecting) {
  EXPECT_EQ(language->handshake_target("/", "", "r"), "/socket.io/?EIO=4&transport=websocket");
  EXPECT_EQ(language->handshake_target("/io/", "a=1", "r"), "/io/?EIO=4&transport=websocket&a=1");
  EXPECT_EQ(language->opening("load-7"), R"(40{"room":"load-7"})");
  EXPECT_FALSE(language->is_transparent());
}

TEST_F(socketio_dialect, joins_when_the_namespace_is_connected_not_before) {
  EXPECT_TRUE(decode(R"(0{"sid":"a","upgrades":[],"pingInterval":25000,"maxPayload":1000000})"));
  EXPECT_EQ(got.joined, 0);
  EXPECT_TRUE(decode(R"(40{"sid":"b"})"));
  EXPECT_EQ(got.joined, 1);
  EXPECT_EQ(got.refused, "");
}

TEST_F(socketio_dialect, gets_back_what_it_published) {
  for (const std::size_t size : {24U, 64U, 4096U}) {
    std::string message;
    language->encode_publish("load-7", sample(size), message);
    EXPECT_TRUE(message.starts_with(R"(42["m",")"));
    EXPECT_TRUE(decode(message));
    EXPECT_EQ(got.publications.back(), sample(size));
  }
}

TEST_F(socketio_dialect, answers_pings) {
  EXPECT_TRUE(decode("2"));
  EXPECT_EQ(got.replies, std::vector<std::string>{"3"});
}

TEST_F(socketio_dialect, reports_a_refusal) {
  for (const char* text : {R"(44{"message":"no"})", "41", "1"}) {
    got.refused.clear();
    EXPECT_TRUE(decode(text));
    EXPECT_EQ(got.refused, text);
  }
}

TEST_F(socketio_dialect, does_not_take_other_events_for_messages) {
  EXPECT_FALSE(decode(R"(42["x","text"])"));
  EXPECT_FALSE(decode(R"(42["m","text")"));
  EXPECT_FALSE(decode(R"(42["m","])"));
  EXPECT_TRUE(got.publications.empty());
}

class centrifuge_dialect : public testing::Test {
protected:
  bool decode(std::string_view message) { return language->decode(message, "load-7", got); }
  std::unique_ptr<dialect> language = make_dialect("centrifuge");
  found got;
};

TEST_F(centrifuge_dialect, connects_and_subscribes_in_one_message) {
  EXPECT_EQ(language->handshake_target("/", "", "r"), "/connection/websocket");
  EXPECT_EQ(language->handshake_target("/c", "a=1", "r"), "/c?a=1");
  EXPECT_EQ(language->opening("load-7"),
            "{\"id\":1,\"connect\":{}}\n{\"id\":2,\"subscribe\":{\"channel\":\"load-7\"}}");
}

TEST_F(centrifuge_dialect, joins_when_subscribed_not_when_connected) {
  EXPECT_TRUE(
    decode(R"({"id":1,"connect":{"client":"c","version":"0.0.0","ping":25,"pong":true}})"));
  EXPECT_EQ(got.joined, 0);
  EXPECT_TRUE(decode(R"({"id":2,"subscribe":{}})"));
  EXPECT_EQ(got.joined, 1);
}

TEST_F(centrifuge_dialect, finds_all_publications_of_a_message) {
  EXPECT_TRUE(decode("{\"push\":{\"channel\":\"load-7\",\"pub\":{\"data\":\"one\"}}}\n"
                     "{\"id\":3,\"publish\":{}}\n"
                     "{\"push\":{\"channel\":\"load-7\",\"pub\":{\"data\":\"two\","
                     "\"info\":{\"client\":\"c\"}}}}\n"));
  EXPECT_EQ(got.publications, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(got.refused, "");
}

TEST_F(centrifuge_dialect, publishes_a_json_string) {
  std::string message;
  language->encode_publish("load-7", sample(64), message);
  EXPECT_EQ(message, R"({"id":3,"publish":{"channel":"load-7","data":")" + sample(64) + R"("}})");
}

TEST_F(centrifuge_dialect, passes_a_payload_on_unchanged) {
  for (const std::size_t size : {24U, 64U, 4096U}) {
    EXPECT_TRUE(decode(R"({"push":{"channel":"load-7","pub":{"data":")" + sample(size)
                       + R"(","info":{"user":"","client":"c"},"offset":5}}})"));
    EXPECT_EQ(got.publications.back(), sample(size));
  }
}

TEST_F(centrifuge_dialect, answers_pings) {
  EXPECT_TRUE(decode("{}"));
  EXPECT_EQ(got.replies, std::vector<std::string>{"{}"});
}

TEST_F(centrifuge_dialect, reports_a_refusal) {
  const std::string answer = R"({"id":2,"error":{"code":103,"message":"permission denied"}})";
  EXPECT_TRUE(decode(answer));
  EXPECT_EQ(got.refused, answer);
  got.refused.clear();
  EXPECT_TRUE(decode(R"({"push":{"disconnect":{"code":3000,"reason":"shutdown"}}})"));
  EXPECT_NE(got.refused, "");
  EXPECT_EQ(got.joined, 0);
}

TEST_F(centrifuge_dialect, reports_that_the_server_took_it_out_of_its_room) {
  const std::string push = R"({"push":{"channel":"load-7","unsubscribe":{"code":2500}}})";
  EXPECT_TRUE(decode(push));
  EXPECT_TRUE(push.ends_with(got.refused)) << got.refused;
  EXPECT_TRUE(got.refused.starts_with(R"(,"unsubscribe")")) << got.refused;
}

TEST_F(centrifuge_dialect, connects_without_a_room_when_there_is_none) {
  EXPECT_TRUE(language->may_join_none());
  EXPECT_EQ(language->opening(""), R"({"id":1,"connect":{}})");
  EXPECT_TRUE(language->decode(R"({"id":1,"connect":{"client":"c","ping":25}})", "", got));
  EXPECT_EQ(got.joined, 1);
}

TEST_F(centrifuge_dialect, does_not_take_publications_of_another_room) {
  EXPECT_FALSE(decode(R"({"push":{"channel":"load-77","pub":{"data":"x"}}})"));
  EXPECT_FALSE(decode(R"({"push":{"channel":"load-8","pub":{"data":"x"}}})"));
  EXPECT_FALSE(decode("something else"));
  EXPECT_TRUE(got.publications.empty());
}

TEST(dialects, are_known_by_the_names_in_the_help) {
  for (const char* name : {"plain", "socketio", "centrifuge", "centrifuge-protobuf"}) {
    ASSERT_NE(make_dialect(name), nullptr);
    EXPECT_EQ(make_dialect(name)->name(), name);
    EXPECT_NE(dialect_names().find(name), std::string_view::npos);
    EXPECT_EQ(make_dialect(name)->is_binary(), name == std::string_view{"centrifuge-protobuf"});
  }
}

} // namespace
} // namespace canang::load
