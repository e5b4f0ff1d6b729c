#include "bench/load/blaster.hpp"

#include "bench/load/handshake.hpp"
#include "bench/load/payload.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

namespace canang::load {

namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// Answers the one request that comes on a blocking socket.
void answer_handshake(int fd) {
  std::string request;
  std::array<char, 2048> bytes;
  while (request.find("\r\n\r\n") == std::string::npos) {
    const auto n = ::recv(fd, bytes.data(), bytes.size(), 0);
    if (n <= 0)
      fail("handshake");
    request.append(bytes.data(), static_cast<std::size_t>(n));
  }
  constexpr std::string_view name = "Sec-WebSocket-Key: ";
  const auto at = request.find(name) + name.size();
  const auto key = request.substr(at, request.find("\r\n", at) - at);
  const auto answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                      "Connection: Upgrade\r\nSec-WebSocket-Accept: "
                      + handshake::accept_of(key) + "\r\n\r\n";
  if (::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL) < 0)
    fail("handshake");
}

/// A frame as a server sends it: unmasked.
void append_server_frame(std::string& out, const std::string& payload) {
  const auto size = payload.size();
  out += '\x81';
  if (size < 126) {
    out += static_cast<char>(size);
  } else if (size <= 0xFFFF) {
    out += '\x7E';
    out += static_cast<char>(size >> 8);
    out += static_cast<char>(size & 0xFF);
  } else {
    out += '\x7F';
    for (unsigned i = 8; i-- > 0;)
      out += static_cast<char>(size >> (8 * i) & 0xFF);
  }
  out += payload;
}

bool send_all(int fd, const std::string& bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const auto n = ::send(fd, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
    if (n < 0)
      return false;
    at += static_cast<std::size_t>(n);
  }
  return true;
}

void wait_until_closed(std::vector<descriptor>& clients) {
  for (auto& c : clients) {
    std::array<char, 64> bytes;
    ::shutdown(c.get(), SHUT_WR);
    while (::recv(c.get(), bytes.data(), bytes.size(), 0) > 0) {
    }
  }
}

} // namespace

descriptor listen_on_loopback(std::uint16_t& port) {
  descriptor fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (!fd || ::bind(fd.get(), any, size) != 0 || ::listen(fd.get(), 1024) != 0
      || ::getsockname(fd.get(), any, &size) != 0)
    fail("listen");
  port = ntohs(address.sin_port);
  return fd;
}

void run_blaster(const ceiling_options& o, descriptor listener, std::uint32_t run,
                 blaster_state& shared) {
  std::vector<descriptor> clients;
  for (std::uint32_t i = 0; i < o.connections; ++i) {
    clients.emplace_back(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!clients.back())
      fail("accept");
    const int on = 1; // without it small batches would be joined on the way
    setsockopt(clients.back().get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    answer_handshake(clients.back().get());
  }
  while (!shared.go && !shared.stop)
    ::usleep(1000);
  std::string batch;
  std::string message;
  std::uint32_t sequence = 0;
  while (!shared.stop && sequence + o.batch < payload::sequence_limit) {
    batch.clear();
    for (std::uint32_t i = 0; i < o.batch; ++i) {
      payload::encode({run, 0, 0, sequence++, 0}, o.size_bytes, message);
      append_server_frame(batch, message);
    }
    for (auto& c : clients)
      if (!send_all(c.get(), batch))
        fail("send");
    shared.sent = sequence;
  }
  shared.done = true;
  wait_until_closed(clients);
}

} // namespace canang::load
