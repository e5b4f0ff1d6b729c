#include "net/send_lanes.hpp"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace canang::net {

std::ptrdiff_t write_now(int descriptor, const char* bytes, std::size_t size) noexcept {
  // not ::send, which is a cancellation point and pays for it with two atomic operations a call
  long taken = 0;
  do {
    taken = ::syscall(SYS_sendto, descriptor, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT, nullptr, 0);
  } while (taken < 0 && errno == EINTR);
  return taken < 0 ? -errno : taken;
}

std::ptrdiff_t write_now(int descriptor, const iovec* pieces, std::size_t count) noexcept {
  if (count == 1)
    return write_now(descriptor, static_cast<const char*>(pieces->iov_base), pieces->iov_len);
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces); // the kernel only reads it
  message.msg_iovlen = count;
  ssize_t taken = 0;
  do {
    taken = ::sendmsg(descriptor, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (taken < 0 && errno == EINTR);
  return taken < 0 ? -errno : taken;
}

} // namespace canang::net
