#include "app/open_files.hpp"

#include "net/limits.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace canang::app {

namespace {

/// Standard streams, signals, the main thread's loop, configuration, certificates, /proc, names that are
/// looked up: at most a dozen at once.
constexpr std::uint64_t files_of_process = 32;

/// A listener, two epoll sets, their timer and event descriptors; one connection that is accepted before
/// another one is closed for it, and one that two loops let in at the same time.
constexpr std::uint64_t files_of_loop = 8;

/// Two links, twice as many while they are rebuilt, and Sentinels that are asked.
constexpr std::uint64_t files_of_shard = 8;

/// Of what clients may have, the part that is for connections which are not WebSocket sessions: a
/// sixteenth; where that is fewer than these a loop, up to a quarter.
constexpr std::uint64_t usual_part = 16;
constexpr std::uint64_t largest_part = 4;
constexpr std::uint64_t good_http_a_loop = 64;

constexpr std::uint64_t least_http_a_loop = 4;

constexpr std::uint64_t least_connections = 16;

} // namespace

std::uint64_t raise_open_files_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return std::numeric_limits<
      std::uint64_t>::max(); // not even to be asked: a matter of the sandbox
  if (limit.rlim_cur < limit.rlim_max) {
    const rlimit raised{limit.rlim_max, limit.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0)
      limit = raised;
  }
  return limit.rlim_cur == RLIM_INFINITY ? std::numeric_limits<std::uint64_t>::max()
                                         : limit.rlim_cur;
}

std::uint64_t reserved_files(const file_users& users) noexcept {
  return files_of_process + net::max_internal_connections
         + files_of_loop * (std::uint64_t{users.workers} + 1) // and the internal port's loop
         + files_of_shard * users.shards;
}

std::uint64_t least_files(const file_users& users) noexcept {
  return reserved_files(users) + least_http_a_loop * users.workers + least_connections;
}

file_shares share_files(std::uint64_t limit, const file_users& users,
                        std::uint64_t wanted_connections) noexcept {
  constexpr std::uint64_t most_a_loop = net::max_http_connections_a_loop;
  const std::uint64_t workers = users.workers;
  const auto clients = limit - reserved_files(users);
  const auto http =
    std::max(clients / usual_part, std::min(clients / largest_part, good_http_a_loop * workers));
  const auto http_a_loop = std::clamp(http / workers, least_http_a_loop, most_a_loop);
  file_shares shares;
  shares.connections = std::min(wanted_connections, clients - http_a_loop * workers);
  // what is not wanted for the one sort is there for the other
  shares.http_connections_a_loop =
    static_cast<std::size_t>(std::min((clients - shares.connections) / workers, most_a_loop));
  return shares;
}

} // namespace canang::app
