#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace canang::cluster {

/// A host and a port, as they were given.
struct host_port {
  std::string host;
  std::uint16_t port = 0;

  friend bool operator==(const host_port&, const host_port&) = default;
};

/// One shard as `--redis` names it.
struct redis_target {
  /// The server itself, or the Sentinels where `master_name` is not empty.
  std::vector<host_port> hosts;
  std::string master_name;
  bool uses_tls = false;
  std::string user;
  std::string password;
  std::uint32_t database = 0;

  /// `host:port/db` or `name/db`: the same on every node whatever the order of the flags. Names the
  /// shard in logs and metrics and decides which partitions it has; never holds the password.
  [[nodiscard]] std::string identity() const;
};

/// Reads `redis://[user[:password]@]host[:port][/db]`, `rediss://...`, or
/// `sentinel://[user[:password]@]host[:port],host...[/name][/db]`; user and password percent-encoded.
/// @returns the target, or a line that says what is wrong and names the host but never the password.
[[nodiscard]] std::variant<redis_target, std::string> parse_redis_url(std::string_view url);

/// Splits `--redis` at the commas that stand in front of a scheme.
[[nodiscard]] std::vector<std::string> split_redis_urls(std::string_view list);

} // namespace canang::cluster
