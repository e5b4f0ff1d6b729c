#include "net/stream/acknowledged.hpp"

#include <linux/tcp.h> // has what <netinet/tcp.h> lacks, and cannot be included beside it
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>

namespace canang::net {

namespace {

/// At the other end of a Unix-domain socket is a process of this machine: the kernel says when it has gone, and
/// until then it counts as having got everything.
std::uint64_t count_of_calls() noexcept {
  thread_local std::uint64_t calls = 0;
  return ++calls;
}

} // namespace

std::uint64_t acknowledged_bytes(int descriptor) noexcept {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
    return errno == EOPNOTSUPP ? count_of_calls() : 0;
  return info.tcpi_bytes_acked;
}

} // namespace canang::net
