#include "bench/load/connection.hpp"

#include <sys/socket.h>

#include <cerrno>

namespace canang::load {

send_status connection::flush() noexcept {
  while (out_at < out.size()) {
    const auto n = ::send(fd.get(), out.data() + out_at, out.size() - out_at, MSG_NOSIGNAL);
    if (n < 0) {
      if (errno == EINTR)
        continue;
      return errno == EAGAIN ? send_status::queued : send_status::broken;
    }
    out_at += static_cast<std::size_t>(n);
  }
  out.clear();
  out_at = 0;
  return send_status::sent;
}

} // namespace canang::load
