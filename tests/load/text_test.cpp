#include "bench/load/dialect.hpp"
#include "bench/load/handshake.hpp"
#include "bench/load/options.hpp"
#include "bench/load/url.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace canang::load {
namespace {

TEST(url, is_taken_apart) {
  const auto u = parse_url("ws://example.org:8000/ws/a?echo=false");
  EXPECT_EQ(u.host, "example.org");
  EXPECT_EQ(u.port, "8000");
  EXPECT_EQ(u.path, "/ws/a");
  EXPECT_EQ(u.query, "echo=false");
  EXPECT_EQ(u.authority(), "example.org:8000");
  EXPECT_EQ(parse_url("ws://[::1]:9/").authority(), "[::1]:9");
  EXPECT_EQ(parse_url("ws://host").port, "80");
  EXPECT_EQ(parse_url("ws://host").path, "/");
}

TEST(url, is_refused_when_wrong) {
  for (const char* text : {"", "http://a/", "wss://a/", "ws://", "ws:///x", "ws://a:0/",
                           "ws://a:x/", "ws://a:70000/", "ws://[::1/", "ws://a:/"})
    EXPECT_THROW(parse_url(text), std::invalid_argument) << text;
}

TEST(handshake, knows_the_answer_of_the_rfc) {
  EXPECT_EQ(handshake::accept_of("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(handshake::make_key(1, 2).size(), 24U);
}

TEST(handshake, reads_an_answer_and_leaves_the_frames_behind_it) {
  const std::string head = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n"
                           "SEC-WEBSOCKET-ACCEPT:  s3pPLMBiTxaQ9kYGzzhZRbK+xOo= \r\n\r\n";
  const auto key = "dGhlIHNhbXBsZSBub25jZQ==";
  const auto answer = handshake::read_answer(head + "frames", key);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->error, "");
  EXPECT_EQ(answer->size, head.size());
  for (std::size_t cut = 0; cut < head.size(); ++cut)
    EXPECT_FALSE(handshake::read_answer(head.substr(0, cut), key).has_value());
}

TEST(handshake, refuses_what_is_no_upgrade) {
  const auto error_of = [](std::string_view head) {
    return handshake::read_answer(head, "key")->error;
  };
  EXPECT_EQ(error_of("HTTP/1.1 503 Busy\r\nRetry-After: 1\r\n\r\n"), "answered 503");
  EXPECT_EQ(error_of("HTTP/1.1 101 Ok\r\nSec-WebSocket-Accept: no\r\n\r\n"),
            "wrong Sec-WebSocket-Accept");
  EXPECT_EQ(error_of("SSH-2.0-OpenSSH\r\n\r\n"), "the answer is not HTTP/1.1");
  EXPECT_EQ(error_of(std::string(handshake::max_answer_bytes, 'x')), "endless handshake answer");
}

TEST(plain_dialect, adds_the_room_to_the_path) {
  const auto d = make_dialect("plain");
  EXPECT_EQ(d->handshake_target("/ws", "", "load-3"), "/ws/load-3");
  EXPECT_EQ(d->handshake_target("/ws/", "echo=false", "r"), "/ws/r?echo=false");
  EXPECT_EQ(d->handshake_target("/ws", "", ""), "/ws");
  EXPECT_EQ(make_dialect("unknown"), nullptr);
}

TEST(options, understand_durations_and_sizes) {
  EXPECT_EQ(parse_duration("25s").count(), 25'000);
  EXPECT_EQ(parse_duration("500ms").count(), 500);
  EXPECT_EQ(parse_duration("2.5").count(), 2'500);
  EXPECT_EQ(parse_duration("2m").count(), 120'000);
  EXPECT_EQ(parse_size("64"), 64U);
  EXPECT_EQ(parse_size("4KiB"), 4096U);
  for (const char* text : {"", "s", "-1s", "5 parsecs", "1e400"})
    EXPECT_THROW(parse_duration(text), std::invalid_argument) << text;
}

} // namespace
} // namespace canang::load
