#include "actors/runtime/failures.hpp"

#include <caf/error.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/sec.hpp>
#include <spdlog/spdlog.h>

#include <atomic>

namespace canang::actors {

namespace {

std::atomic<std::uint64_t> failures{0};

} // namespace

void note_failure(const char* who, std::uint64_t id, const std::exception_ptr& what) noexcept {
  failures.fetch_add(1, std::memory_order_relaxed);
  try {
    std::rethrow_exception(what);
  } catch (const std::exception& fault) {
    spdlog::error("{} {} failed: {}", who, id, fault.what());
  } catch (...) {
    spdlog::error("{} {} failed: an exception of an unknown type", who, id);
  }
}

caf::error fail_with(caf::scheduled_actor* self, std::exception_ptr& what) {
  note_failure(self->name(), self->id(), what);
  return caf::make_error(caf::sec::runtime_error);
}

std::uint64_t failure_count() noexcept { return failures.load(std::memory_order_relaxed); }

} // namespace canang::actors
