#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <utility>

namespace canang::load {

/// A resolved socket address.
struct endpoint {
  sockaddr_storage address{};
  socklen_t size = 0;
};

/// Resolves a name or an address; throws std::runtime_error. Blocks: only at start-up.
endpoint resolve(const std::string& host, const std::string& port);

/// Raises the process's limit of open files as far as it goes.
/// @returns the limit, UINT64_MAX where there is none.
std::uint64_t raise_descriptor_limit() noexcept;

/// Owns a file descriptor.
class descriptor {
public:
  descriptor() = default;
  explicit descriptor(int fd) noexcept : fd_(fd) {}
  descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~descriptor() { close(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  void close() noexcept;

private:
  int fd_ = -1;
};

/// Starts a non-blocking TCP connection with TCP_NODELAY. `source` binds the local address and
/// leaves the port to connect(), so that each source has all its ports for each server; null for
/// any. `receive_buffer_bytes` sets SO_RCVBUF, 0 leaves it. Empty descriptor and errno on failure.
descriptor start_connect(const endpoint& server, const endpoint* source, int receive_buffer_bytes);

/// The error that a connection attempt ended with, 0 when it succeeded.
int connect_error(int fd) noexcept;

} // namespace canang::load
