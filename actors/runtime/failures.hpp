#pragma once

#include <caf/fwd.hpp>

#include <cstdint>
#include <exception>

namespace canang::actors {

/// An exception reached the edge of an actor, which it ends, or of a handler of a loop: a fault of ours. Logs it,
/// with what it was, and counts it. From any thread.
void note_failure(const char* who, std::uint64_t id, const std::exception_ptr& what) noexcept;

/// For `set_exception_handler`: notes the failure and gives the reason for the actor's end.
[[nodiscard]] caf::error fail_with(caf::scheduled_actor* self, std::exception_ptr& what);

/// How many there were in this process.
[[nodiscard]] std::uint64_t failure_count() noexcept;

} // namespace canang::actors
