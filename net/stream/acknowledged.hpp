#pragma once

#include <cstdint>

namespace canang::net {

/// Bytes that the other end of a TCP connection has acknowledged since it was opened; 0 where the kernel does not
/// say. A system call.
[[nodiscard]] std::uint64_t acknowledged_bytes(int descriptor) noexcept;

} // namespace canang::net
