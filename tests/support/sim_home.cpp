#include "tests/support/sim_home.hpp"

#include <caf/actor_system.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include <utility>

namespace canang::sim {

namespace {

const sim_home* current_home = nullptr;

} // namespace

sim_home::sim_home(caf::actor_system& system, std::uint32_t index)
  : execution_unit(&system), index_(index) {}

void sim_home::exec_later(caf::resumable* job) {
  if (job->subtype() != caf::resumable::io_actor)
    system().scheduler().enqueue(job);
  else
    ready_.push_back(job);
}

void sim_home::run(std::size_t messages) {
  const turn mine{*this};
  auto* const actor = ready_.front();
  ready_.pop_front();
  if (actor->resume(this, messages) == caf::resumable::resume_later)
    ready_.push_back(actor); // its reference stays with the queue
  else
    actor->intrusive_ptr_release_impl();
}

const sim_home* sim_home::current() noexcept { return current_home; }

sim_home::turn::turn(const sim_home& home) noexcept : before_(std::exchange(current_home, &home)) {}

sim_home::turn::~turn() { current_home = before_; }

} // namespace canang::sim
