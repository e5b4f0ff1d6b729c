#include "net/stream/acknowledged.hpp"

#include <linux/tcp.h> // has what <netinet/tcp.h> lacks, and cannot be included beside it
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>

namespace canang::net {

std::uint64_t acknowledged_bytes(int descriptor) noexcept {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
    return 0;
  return info.tcpi_bytes_acked;
}

} // namespace canang::net
