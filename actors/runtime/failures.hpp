#pragma once

#include <caf/fwd.hpp>

#include <cstdint>
#include <exception>

namespace canang::actors {

/// An exception reached an actor's edge and ends the actor: a fault of ours. Logs it, with what it was,
/// and counts it. From any thread.
void note_failure(const char* actor, std::uint64_t id, const std::exception_ptr& what) noexcept;

/// For `set_exception_handler`: notes the failure and gives the reason for the actor's end.
[[nodiscard]] caf::error fail_with(caf::scheduled_actor* self, std::exception_ptr& what);

/// How many there were in this process.
[[nodiscard]] std::uint64_t failure_count() noexcept;

} // namespace canang::actors
