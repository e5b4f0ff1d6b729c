#pragma once

#include <caf/execution_unit.hpp>
#include <caf/resumable.hpp>

#include <cstdint>
#include <deque>

namespace canang::sim {

/// A loop without a thread: keeps the ready actors, and the test says which one runs next.
class sim_home final : public caf::execution_unit {
public:
  sim_home(caf::actor_system& system, std::uint32_t index);

  /// Takes an actor that got mail. What is not pinned goes to the system's scheduler.
  void exec_later(caf::resumable* job) override;

  /// Actors that have mail, first in first out.
  [[nodiscard]] const std::deque<caf::resumable*>& ready() const noexcept { return ready_; }

  /// Lets the first of `ready()` handle some messages, and puts it at the end if more are left.
  void run(std::size_t messages);

  [[nodiscard]] std::uint32_t index() const noexcept { return index_; }

  /// Whose turn it is, or null: what a loop's thread is to the real thing.
  [[nodiscard]] static const sim_home* current() noexcept;

  /// Makes a home the current one for the time of a scope.
  class turn {
  public:
    explicit turn(const sim_home& home) noexcept;
    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;
    ~turn();

  private:
    const sim_home* before_;
  };

private:
  std::uint32_t index_;
  std::deque<caf::resumable*> ready_;
};

} // namespace canang::sim
