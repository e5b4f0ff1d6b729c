#pragma once

#include "net/hooks/hook_settings.hpp"
#include "tests/unit/support/becomes.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>

#include <atomic>
#include <functional>
#include <iterator>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace canang::test {

/// An answer of HTTP with that body.
inline std::string http_answer(const std::string& body, const std::string& status = "200 OK") {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n"
         + body;
}

/// The operator's program: answers each request with the bytes that it is told to have for it, each connection on a thread
/// of its own.
class hook_server {
public:
  struct request {
    std::string head; ///< with its empty line
    std::string body;
  };

  /// What is sent, and whether the connection is closed afterwards.
  struct reply {
    std::string bytes;
    bool closes = false;
  };

  using answerer = std::function<reply(const request&)>;

  explicit hook_server(answerer answers)
    : answers_(std::move(answers)), thread_([this] { accept_all(); }) {}

  ~hook_server() {
    is_ending_ = true;
    {
      boost::asio::io_context io;
      boost::asio::ip::tcp::socket waker{io};
      boost::system::error_code ec;
      waker.connect(acceptor_.local_endpoint(), ec);
    }
    thread_.join();
    {
      const std::lock_guard lock{mutex_};
      for (auto& one : connections_) {
        boost::system::error_code ec;
        one.socket.shutdown(boost::asio::ip::tcp::socket::shutdown_both, ec);
      }
    }
    for (auto& one : connections_)
      one.thread.join();
  }

  [[nodiscard]] net::hook_endpoint endpoint(std::string target = "/hook?key=1") const {
    return {.host = "127.0.0.1",
            .port = std::to_string(acceptor_.local_endpoint().port()),
            .target = std::move(target),
            .shown = "http://127.0.0.1/hook"};
  }

  [[nodiscard]] std::vector<request> requests() const {
    const std::lock_guard lock{mutex_};
    return requests_;
  }

  [[nodiscard]] std::size_t asked() const { return requests().size(); }
  [[nodiscard]] int accepted() const { return accepted_; }
  [[nodiscard]] bool is_ending() const { return is_ending_; }

private:
  struct connection {
    explicit connection(boost::asio::ip::tcp::socket&& of) : socket(std::move(of)) {}
    boost::asio::ip::tcp::socket socket;
    std::thread thread;
  };

  void accept_all() {
    for (;;) {
      boost::system::error_code ec;
      auto socket = acceptor_.accept(io_, ec);
      if (is_ending_ || ec)
        return;
      ++accepted_;
      const std::lock_guard lock{mutex_};
      auto& added = connections_.emplace_back(std::move(socket));
      added.thread = std::thread{[this, &added] { serve(added.socket); }};
    }
  }

  void serve(boost::asio::ip::tcp::socket& socket) {
    boost::asio::streambuf input;
    boost::system::error_code ec;
    for (;;) {
      const auto head_size = boost::asio::read_until(socket, input, "\r\n\r\n", ec);
      if (ec)
        return;
      const auto head = take(input, head_size);
      const auto at = head.find("Content-Length: ");
      const auto body_size = at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
      if (input.size() < body_size)
        boost::asio::read(socket, input, boost::asio::transfer_exactly(body_size - input.size()),
                          ec);
      if (ec)
        return;
      request asked{head, take(input, body_size)};
      {
        const std::lock_guard lock{mutex_};
        requests_.push_back(asked);
      }
      const auto answer = answers_(asked);
      boost::asio::write(socket, boost::asio::buffer(answer.bytes), ec);
      if (ec)
        return;
      if (answer.closes) {
        socket.shutdown(boost::asio::ip::tcp::socket::shutdown_both, ec);
        return;
      }
    }
  }

  static std::string take(boost::asio::streambuf& from, std::size_t size) {
    std::string taken(size, '\0');
    boost::asio::buffer_copy(boost::asio::buffer(taken), from.data());
    from.consume(size);
    return taken;
  }

  answerer answers_;
  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_{io_, {boost::asio::ip::make_address("127.0.0.1"), 0}};
  mutable std::mutex mutex_;
  std::list<connection> connections_;
  std::vector<request> requests_;
  std::atomic<int> accepted_{0};
  std::atomic<bool> is_ending_{false};
  std::thread thread_;
};

} // namespace canang::test
