#include "net/listener.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

namespace canang::net {

namespace {

using boost::system::error_code;

/// Connections that wait for accept; the kernel's limit (net.core.somaxconn) may be lower.
constexpr int backlog = 4096;

error_code last_error() { return {errno, boost::system::system_category()}; }
error_code error_of(int number) { return {number, boost::system::system_category()}; }

std::optional<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return std::nullopt;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

const sockaddr* raw(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

int new_socket() { return ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

/// Removes the file of a socket that nobody listens on.
error_code make_way(const std::string& path, const sockaddr_un& address) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0)
    return errno == ENOENT ? error_code{} : last_error();
  if (!S_ISSOCK(found.st_mode))
    return error_of(EEXIST);
  const int probe = new_socket();
  if (probe < 0)
    return last_error();
  const int result = ::connect(probe, raw(address), sizeof address);
  const int error = result == 0 ? EADDRINUSE : errno;
  ::close(probe);
  if (error == EAGAIN) // its queue is full
    return error_of(EADDRINUSE);
  if (error != ECONNREFUSED)
    return error == ENOENT ? error_code{} : error_of(error);
  return ::unlink(path.c_str()) == 0 || errno == ENOENT ? error_code{} : last_error();
}

/// Nobody gets in between who may not: the file has its mode, or less, from the start.
error_code bind_and_listen(int descriptor, const unix_address& at, const sockaddr_un& address) {
  if (::fchmod(descriptor, at.mode) != 0 || ::bind(descriptor, raw(address), sizeof address) != 0
      || ::chmod(at.path.c_str(), at.mode) != 0 || ::listen(descriptor, backlog) != 0)
    return last_error();
  return {};
}

/// What the file of a socket is known by.
struct identity {
  std::uint64_t inode = 0; // 0 where there is none
  std::uint64_t device = 0;

  bool operator==(const identity&) const = default;
};

identity identity_of(const std::string& path) noexcept {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0 || !S_ISSOCK(found.st_mode))
    return {};
  return {found.st_ino, found.st_dev};
}

} // namespace

void remove_socket_file(const std::string& path, const listening_sockets& sockets) noexcept {
  if (sockets.inode != 0 && identity_of(path) == identity{sockets.inode, sockets.device})
    ::unlink(path.c_str());
}

listening_sockets listen_on(const unix_address& at, std::size_t count, error_code& ec) {
  listening_sockets result;
  const auto address = address_of(at.path);
  ec = address ? make_way(at.path, *address) : error_of(ENAMETOOLONG);
  if (ec)
    return result;
  const int descriptor = new_socket();
  if (descriptor < 0) {
    ec = last_error();
    return result;
  }
  result.descriptors.push_back(descriptor);
  ec = bind_and_listen(descriptor, at, *address);
  while (!ec && result.descriptors.size() < count) {
    const int another = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    if (another < 0)
      ec = last_error();
    else
      result.descriptors.push_back(another);
  }
  if (ec) {
    for (const int fd : result.descriptors)
      ::close(fd);
    result.descriptors.clear();
  } else {
    const auto file = identity_of(at.path);
    result.inode = file.inode;
    result.device = file.device;
  }
  return result;
}

} // namespace canang::net
