#pragma once

#include "bench/load/options.hpp"

namespace canang::load {

/// Measures how many frames a second the receiving side of canang-load takes on one core. A forked
/// process on another core answers the handshakes and then writes ready-made frames to all
/// connections, the same bytes to each, as fast as the sockets take them; the client checks every
/// message as in a run. As the floor (batches of one) that process is what is measured: one send() a
/// message and connection, nothing else. Prints the result; gives the exit code.
int measure_ceiling(const ceiling_options& o);

} // namespace canang::load
