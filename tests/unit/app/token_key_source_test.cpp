#include "app/token_key_source.hpp"

#include "tests/unit/support/becomes.hpp"
#include "tests/unit/support/rfc_tokens.hpp"
#include "tests/unit/support/token_vectors.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <variant>

namespace canang::app {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using test::becomes;

std::string set_of(int count) {
  std::string keys;
  for (int i = 0; i < count; ++i)
    keys += (i == 0 ? "" : ",") + std::string{R"({"kty":"oct","kid":"k)"} + std::to_string(i)
            + R"(","k":")" + std::string{test::rfc7515_a1_key} + "\"}";
  return R"({"keys":[)" + keys + "]}";
}

/// Answers each connection with what it is told to have, on a thread of its own.
class key_server {
public:
  explicit key_server(std::string body) : body_(std::move(body)), thread_([this] { run(); }) {}

  ~key_server() {
    is_ending_ = true;
    asio::io_context io;
    asio::ip::tcp::socket waker{io};
    boost::system::error_code ec;
    waker.connect(acceptor_.local_endpoint(), ec);
    waker.close(ec); // it is not to be read from for ever
    thread_.join();
  }

  void set(std::string body) {
    const std::lock_guard lock{mutex_};
    body_ = std::move(body);
  }

  [[nodiscard]] int asked() const { return asked_; }

  [[nodiscard]] jwks_url url() const {
    const auto port = std::to_string(acceptor_.local_endpoint().port());
    return std::get<jwks_url>(parse_jwks_url("http://127.0.0.1:" + port + "/"));
  }

private:
  void run() {
    while (!is_ending_) {
      asio::ip::tcp::socket socket{io_};
      acceptor_.accept(socket);
      asio::streambuf request;
      boost::system::error_code ec;
      asio::read_until(socket, request, "\r\n\r\n", ec);
      if (ec)
        continue;
      std::string body;
      {
        const std::lock_guard lock{mutex_};
        body = body_;
      }
      ++asked_;
      asio::write(socket,
                  asio::buffer("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size())
                               + "\r\n\r\n" + body),
                  ec);
    }
  }

  asio::io_context io_{1};
  asio::ip::tcp::acceptor acceptor_{io_, {asio::ip::make_address("127.0.0.1"), 0}};
  std::mutex mutex_;
  std::string body_;
  std::atomic<int> asked_{0};
  std::atomic<bool> is_ending_{false};
  std::thread thread_;
};

token_options options_of(const key_server& server) {
  token_options options;
  net::token_keys_builder builder;
  (void)builder.add_secret(test::token_secret);
  options.secret = std::move(builder).build();
  options.jwks = server.url();
  return options;
}

/// Never by itself within a test.
constexpr jwks_timing seldom{
  .refresh = 1h, .least_backoff = 1h, .most_backoff = 1h, .least_between = 1h};

TEST(token_key_source, has_the_keys_of_the_options_before_any_are_fetched) {
  key_server server{set_of(2)};
  token_key_source source{options_of(server), seldom};
  EXPECT_EQ(source.keys().get()->size(), 1U);
  EXPECT_EQ(server.asked(), 0);
  source.start();
  EXPECT_TRUE(becomes([&] { return source.keys().get()->size() == 3; }));
  EXPECT_EQ(source.fetches().failed, 0U);
}

TEST(token_key_source, asks_again_and_again_and_keeps_what_it_had_while_that_fails) {
  key_server server{set_of(2)};
  token_key_source source{options_of(server),
                          {.refresh = 5ms, .least_backoff = 5ms, .most_backoff = 10ms}};
  source.start();
  ASSERT_TRUE(becomes([&] { return source.keys().get()->size() == 3; }));
  server.set("<html>");
  ASSERT_TRUE(becomes([&] { return source.fetches().failed >= 3; }));
  EXPECT_EQ(source.keys().get()->size(), 3U);
  server.set(set_of(4));
  EXPECT_TRUE(becomes([&] { return source.keys().get()->size() == 5; }));
}

TEST(token_key_source, asks_sooner_for_an_unknown_key_but_not_for_each) {
  key_server server{set_of(1)};
  token_key_source source{
    options_of(server),
    {.refresh = 1h, .least_backoff = 1h, .most_backoff = 1h, .least_between = 300ms}};
  const auto began = std::chrono::steady_clock::now();
  source.start();
  ASSERT_TRUE(becomes([&] { return source.keys().get()->size() == 2; }));
  server.set(set_of(2));
  for (int i = 0; i < 1000; ++i)
    source.wanted("k" + std::to_string(i));
  source.wanted("");
  ASSERT_TRUE(becomes([&] { return source.keys().get()->size() == 3; }));
  EXPECT_GE(std::chrono::steady_clock::now() - began, 300ms);
  EXPECT_EQ(server.asked(), 2);
}

TEST(token_key_source, asks_sooner_for_an_unknown_key_also_after_a_failure) {
  key_server server{"<html>"};
  token_key_source source{
    options_of(server),
    {.refresh = 1h, .least_backoff = 1h, .most_backoff = 1h, .least_between = 1ms}};
  source.start();
  ASSERT_TRUE(becomes([&] { return source.fetches().failed == 1; }));
  server.set(set_of(1));
  EXPECT_TRUE(becomes([&] {
    source.wanted("k0");
    return source.keys().get()->size() == 2;
  }));
}

TEST(token_key_source, takes_other_options_while_it_runs) {
  key_server first{set_of(1)};
  key_server second{set_of(5)};
  token_key_source source{options_of(first), seldom};
  source.start();
  ASSERT_TRUE(becomes([&] { return source.keys().get()->size() == 2; }));
  source.replace(options_of(first));
  ASSERT_TRUE(becomes([&] { return first.asked() == 2; })) << "it is asked at once";
  source.replace(options_of(second));
  ASSERT_TRUE(becomes([&] { return source.keys().get()->size() == 6; }));
  source.replace({});
  EXPECT_TRUE(source.keys().get()->is_empty());
  source.wanted("k1");
  EXPECT_EQ(second.asked(), 1);
}

TEST(token_key_source, ends_while_a_server_keeps_it_waiting) {
  asio::io_context io;
  asio::ip::tcp::acceptor silent{io, {asio::ip::make_address("127.0.0.1"), 0}};
  token_options options;
  options.jwks = std::get<jwks_url>(
    parse_jwks_url("http://127.0.0.1:" + std::to_string(silent.local_endpoint().port()) + "/"));
  const auto began = std::chrono::steady_clock::now();
  asio::ip::tcp::socket kept{io};
  {
    token_key_source source{options, {.timeout = 1h}};
    source.start();
    silent.accept(kept); // it has begun
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
}

TEST(token_key_source, counts_keys_and_fetches) {
  token_key_source source{{}, seldom};
  const auto text = token_key_metrics(source);
  EXPECT_NE(text.find("canang_token_keys 0\n"), std::string::npos) << text;
  EXPECT_NE(text.find("canang_token_jwks_fetches_total{result=\"ok\"} 0\n"), std::string::npos);
  EXPECT_NE(text.find("canang_token_jwks_fetches_total{result=\"failed\"} 0\n"), std::string::npos);
}

} // namespace
} // namespace canang::app
