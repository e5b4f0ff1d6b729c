#pragma once

#include "bench/load/options.hpp"
#include "bench/load/socket.hpp"

#include <atomic>
#include <cstdint>

namespace canang::load {

/// Memory that the client's and the byte server's process share.
struct blaster_state {
  std::atomic<bool> go{false};
  std::atomic<bool> stop{false};
  std::atomic<bool> done{false};
  std::atomic<std::uint32_t> sent{0}; ///< messages to each connection
};

/// The byte server of the ceiling: accepts, answers the handshakes, then writes one batch of
/// ready-made frames after the other to all connections until it is told to stop. Messages are of
/// room 0 and publisher 0 of the run. Runs in a process of its own; returns when the clients have
/// gone.
void run_blaster(const ceiling_options& o, descriptor listener, std::uint32_t run,
                 blaster_state& shared);

/// A listening socket on a free port of 127.0.0.1; `port` gets its number. Throws
/// std::system_error.
descriptor listen_on_loopback(std::uint16_t& port);

} // namespace canang::load
