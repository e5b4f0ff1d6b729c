#pragma once

#include <caf/actor_system.hpp>
#include <caf/execution_unit.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include <cstddef>
#include <deque>

namespace canang::bench {

/// A home without a thread: the benchmark runs the actors that are ready, as a loop's turn does.
class manual_home final : public caf::execution_unit {
public:
  explicit manual_home(caf::actor_system& system) : execution_unit(&system) {}

  void exec_later(caf::resumable* job) override {
    if (job->subtype() != caf::resumable::io_actor)
      system().scheduler().enqueue(job);
    else
      ready_.push_back(job);
  }

  /// Runs actors until none has mail.
  void run() {
    while (!ready_.empty()) {
      auto* const job = ready_.front();
      ready_.pop_front();
      if (job->resume(this, 64) == caf::resumable::resume_later)
        ready_.push_back(job);
      else
        job->intrusive_ptr_release_impl();
    }
  }

private:
  std::deque<caf::resumable*> ready_;
};

} // namespace canang::bench
