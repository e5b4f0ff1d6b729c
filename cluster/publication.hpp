#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace canang::cluster {

/// How a payload was framed by its publisher, and is framed again for the members.
enum class payload_type : std::uint8_t { text, binary };

/// One message of a room. Built by the publisher's connection, then given its offset by the broker;
/// from there on it is shared between threads and never changes.
struct publication {
  std::uint64_t offset = 0;
  /// Id of the publishing connection on this node, or 0 when it came from elsewhere.
  std::uint64_t publisher = 0;
  /// When the node read it, for latency figures; of no meaning on other nodes.
  std::chrono::steady_clock::time_point received_at;
  payload_type type = payload_type::text;
  /// False: not to be delivered to the publisher.
  bool echo = true;
  std::string data;
};

using publication_ptr = std::shared_ptr<const publication>;

/// Where a room stands. Offsets are consecutive from 1 within an epoch; a new epoch begins when the
/// history of the old one is gone.
struct position {
  std::string epoch;
  std::uint64_t offset = 0;

  friend bool operator==(const position&, const position&) = default;
};

} // namespace canang::cluster
