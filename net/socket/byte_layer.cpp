#include "net/socket/byte_layer.hpp"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace canang::net {

read_result read_now(int descriptor, std::span<char> into) noexcept {
  // not ::recv, which is a cancellation point and pays for it with two atomic operations a call
  long size = 0;
  do {
    size =
      ::syscall(SYS_recvfrom, descriptor, into.data(), into.size(), MSG_DONTWAIT, nullptr, nullptr);
  } while (size < 0 && errno == EINTR);
  if (size < 0)
    return {.size = -errno};
  const auto bytes = static_cast<std::size_t>(size);
  return {.size = size, .is_drained = bytes < into.size(), .cost = bytes};
}

} // namespace canang::net
