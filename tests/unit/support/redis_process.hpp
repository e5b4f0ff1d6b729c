#pragma once

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace canang::test {

/// Whether nobody has `port` of 127.0.0.1; 0 becomes any that is free.
inline bool is_free(std::uint16_t& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  const bool result = ::bind(fd, any, size) == 0 && ::getsockname(fd, any, &size) == 0;
  ::close(fd);
  port = ntohs(address.sin_port);
  return result;
}

/// A port of 127.0.0.1 that nobody has at this moment, and that the kernel gives to no client.
inline std::uint16_t free_port() {
  constexpr int first = 10'000;
  int of_clients = first;
  std::ifstream{"/proc/sys/net/ipv4/ip_local_port_range"} >> of_clients;
  std::random_device source;
  for (int i = 0; i < 100 && of_clients > first; ++i) {
    std::uniform_int_distribution<int> dice{first, of_clients - 1};
    auto port = static_cast<std::uint16_t>(dice(source));
    if (is_free(port))
      return port;
  }
  std::uint16_t any = 0; // where those for clients leave none
  EXPECT_TRUE(is_free(any));
  return any;
}

/// A real redis-server that keeps nothing; gone with its owner.
class redis_process {
public:
  [[nodiscard]] static bool is_installed() {
    return std::system("command -v redis-server >/dev/null 2>&1") == 0;
  }

  explicit redis_process(std::uint16_t port, std::vector<std::string> arguments = {})
    : port_(port), arguments_(std::move(arguments)) {
    start();
  }

  redis_process(const redis_process&) = delete;
  redis_process& operator=(const redis_process&) = delete;
  ~redis_process() { kill(); }

  void start() {
    std::vector<std::string> words{"redis-server", "--bind",          "127.0.0.1", "--save", "",
                                   "--dir",        testing::TempDir()};
    words.insert(words.end(), {"--port", std::to_string(port_)});
    words.insert(words.end(), arguments_.begin(), arguments_.end());
    std::vector<char*> pointers;
    for (auto& word : words)
      pointers.push_back(word.data());
    pointers.push_back(nullptr);
    process_ = ::fork();
    if (process_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL); // also when the test crashes
      static_cast<void>(std::freopen("/dev/null", "w", stdout));
      ::execvp(pointers[0], pointers.data());
      ::_exit(127);
    }
  }

  void kill() {
    if (process_ <= 0)
      return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    process_ = 0;
  }

  void signal(int number) const { ::kill(process_, number); }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] bool is_running() const { return process_ > 0; }

private:
  std::uint16_t port_;
  std::vector<std::string> arguments_;
  pid_t process_ = 0;
};

} // namespace canang::test
