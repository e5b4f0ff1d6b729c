#pragma once

#include "cluster/redis/connection.hpp"
#include "cluster/redis/metrics.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::test {

using redis_socket =
  boost::asio::basic_stream_socket<boost::asio::ip::tcp, cluster::redis_executor>;

inline std::string bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string{text} + "\r\n";
}

inline std::string array_of(const std::vector<std::string_view>& texts) {
  std::string all = "*" + std::to_string(texts.size()) + "\r\n";
  for (const auto text : texts)
    all += bulk(text);
  return all;
}

/// A server that answers as it is told to, on the io_context of the test. Without a script it is a
/// Redis that is a master, knows every script and has one subscriber list.
class fake_redis {
public:
  using words = std::vector<std::string>;

  struct client : std::enable_shared_from_this<client> {
    explicit client(redis_socket accepted) : socket(std::move(accepted)) {}

    redis_socket socket;
    std::array<char, 4096> input{};
    std::string unread;
    std::string unsent;
    bool is_pumping = false;
    std::vector<std::string> channels;
    std::vector<words> commands;
    bool is_over = false;
  };
  using client_ptr = std::shared_ptr<client>;

  explicit fake_redis(boost::asio::io_context& io)
    : acceptor_(io.get_executor(), {boost::asio::ip::address_v4::loopback(), 0}) {
    accept();
  }

  ~fake_redis() { leave(); }

  /// Answers to a command with what it returns; without a value the default does.
  std::function<std::optional<std::string>(client&, const words&)> script;
  /// Sent as soon as somebody connects.
  std::string greeting;
  /// Bytes a write, with a turn in between; 0: all at once.
  std::size_t piece = 0;
  /// It reads, and answers nothing.
  bool is_silent = false;

  std::list<client_ptr> clients; ///< all that ever came

  [[nodiscard]] cluster::host_port address() const { return {"127.0.0.1", port_}; }

  [[nodiscard]] std::size_t open_clients() const {
    return static_cast<std::size_t>(
      std::count_if(clients.begin(), clients.end(), [](const auto& c) { return !c->is_over; }));
  }

  /// How often a command that begins so was sent, by all.
  [[nodiscard]] std::size_t count(std::string_view verb) const {
    std::size_t n = 0;
    for (const auto& each : clients)
      for (const auto& command : each->commands)
        n += command.front() == verb ? 1U : 0U;
    return n;
  }

  void drop_all() {
    for (const auto& each : clients)
      drop(*each);
  }

  static void drop(client& who) {
    boost::system::error_code ignored;
    who.socket.close(ignored);
    who.is_over = true;
  }

  /// Those that are subscribed to `channel`, or to any.
  std::vector<client_ptr> subscribers(std::string_view channel = {}) const {
    std::vector<client_ptr> found;
    for (const auto& each : clients) {
      const auto& all = each->channels;
      if (!each->is_over
          && (channel.empty() ? !all.empty()
                              : std::find(all.begin(), all.end(), channel) != all.end()))
        found.push_back(each);
    }
    return found;
  }

  void publish(std::string_view channel, std::string_view payload) {
    for (const auto& each : subscribers(channel))
      send(*each, array_of({"message", channel, payload}));
  }

  void leave() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    drop_all();
  }

  void send(client& to, std::string_view bytes) {
    if (piece == 0) {
      write(to, bytes);
      return;
    }
    to.unsent += bytes;
    if (!std::exchange(to.is_pumping, true))
      pump(to.shared_from_this());
  }

private:
  static void write(client& to, std::string_view bytes) {
    boost::system::error_code ec;
    if (!to.is_over)
      boost::asio::write(to.socket, boost::asio::buffer(bytes), ec);
  }

  /// A piece a turn, so that the other end reads them one by one.
  void pump(const client_ptr& to) {
    write(*to, std::string_view{to->unsent}.substr(0, piece));
    to->unsent.erase(0, piece);
    to->is_pumping = !to->unsent.empty();
    if (to->is_pumping)
      boost::asio::post(to->socket.get_executor(), [this, to] { pump(to); });
  }

  void accept() {
    acceptor_.async_accept([this](const boost::system::error_code& ec, redis_socket socket) {
      if (ec)
        return;
      socket.set_option(boost::asio::ip::tcp::no_delay{true});
      clients.push_back(std::make_shared<client>(std::move(socket)));
      send(*clients.back(), greeting);
      read(clients.back());
      accept();
    });
  }

  void read(const client_ptr& who) {
    who->socket.async_read_some(boost::asio::buffer(who->input),
                                [this, who](const boost::system::error_code& ec, std::size_t size) {
                                  if (ec) {
                                    who->is_over = true;
                                    return;
                                  }
                                  who->unread.append(who->input.data(), size);
                                  words command;
                                  while (!who->is_over && take(who->unread, command)) {
                                    who->commands.push_back(command);
                                    if (!is_silent)
                                      answer(*who, command);
                                  }
                                  if (!who->is_over)
                                    read(who);
                                });
  }

  static bool take(std::string& bytes, words& command) {
    command.clear();
    std::size_t at = 0;
    const auto number = [&](char type) -> std::ptrdiff_t {
      const auto end = bytes.find("\r\n", at);
      if (end == std::string::npos)
        return -1;
      EXPECT_EQ(bytes[at], type);
      const auto value = std::stol(bytes.substr(at + 1, end - at - 1));
      at = end + 2;
      return value;
    };
    const auto count = number('*');
    for (std::ptrdiff_t i = 0; i < count; ++i) {
      const auto size = number('$');
      if (size < 0 || bytes.size() < at + static_cast<std::size_t>(size) + 2)
        return false;
      command.push_back(bytes.substr(at, static_cast<std::size_t>(size)));
      at += static_cast<std::size_t>(size) + 2;
    }
    if (count <= 0)
      return false;
    bytes.erase(0, at);
    return true;
  }

  void answer(client& who, const words& command) {
    if (script) {
      if (const auto scripted = script(who, command)) {
        send(who, *scripted);
        return;
      }
    }
    const auto& verb = command.front();
    if (verb == "ROLE")
      send(who, "*3\r\n" + bulk("master") + ":0\r\n*0\r\n");
    else if (verb == "PING")
      send(who, "+PONG\r\n");
    else if (verb == "ECHO")
      send(who, bulk(command[1]));
    else if (verb == "SUBSCRIBE" || verb == "UNSUBSCRIBE")
      change_channels(who, command);
    else if (verb == "PUBLISH") {
      publish(command[1], command[2]);
      send(who, ":1\r\n");
    } else
      send(who, "+OK\r\n");
  }

  void change_channels(client& who, const words& command) {
    const bool adds = command.front() == "SUBSCRIBE";
    std::string all;
    for (std::size_t i = 1; i < command.size(); ++i) {
      std::erase(who.channels, command[i]);
      if (adds)
        who.channels.push_back(command[i]);
      all += "*3\r\n" + bulk(adds ? "subscribe" : "unsubscribe") + bulk(command[i]) + ":"
             + std::to_string(who.channels.size()) + "\r\n";
    }
    send(who, all);
  }

  boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, cluster::redis_executor> acceptor_;
  std::uint16_t port_ = acceptor_.local_endpoint().port();
};

/// Runs an io_context until a condition holds, or 10 s are over.
template <class Condition>
[[nodiscard]] bool run_until(boost::asio::io_context& io, Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline)
      return false;
    io.restart();
    io.run_one_for(std::chrono::milliseconds{10});
  }
  return true;
}

/// Lets what is under way happen: turns until nothing is ready for a while.
inline void settle(boost::asio::io_context& io, std::chrono::milliseconds quiet) {
  io.restart();
  while (io.run_one_for(quiet) > 0) {
  }
}

/// Timeouts that a test can wait for, of a fake server: it answers on the thread of the test.
inline cluster::redis_options quick_options() {
  cluster::redis_options options;
  options.prefix = "test";
  options.connect_timeout = std::chrono::milliseconds{500};
  options.command_timeout = std::chrono::milliseconds{200};
  options.probe_interval = std::chrono::milliseconds{50};
  options.probe_timeout = std::chrono::milliseconds{250};
  options.least_backoff = std::chrono::milliseconds{5};
  options.most_backoff = std::chrono::milliseconds{50};
  return options;
}

/// For a real server: it has to share the machine with other tests, and may get no CPU for a second. Those whose
/// subject is a timeout set it shorter.
inline cluster::redis_options patient_options() {
  auto options = quick_options();
  options.connect_timeout = std::chrono::seconds{5};
  options.command_timeout = std::chrono::seconds{5};
  options.probe_timeout = std::chrono::seconds{5};
  return options;
}

} // namespace canang::test
