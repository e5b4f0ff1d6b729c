#pragma once

#include "actors/runtime/failures.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/execution_unit.hpp>
#include <caf/sec.hpp>

#include <exception>
#include <utility>

namespace canang::actors {

/// An actor that runs on one execution unit only, its home, whoever sends to it. In the server the
/// home is a `loop`, so two pinned actors of one loop never run at the same time, nor while a socket
/// of that loop is handled. The idea is that of `caf::io::abstract_broker`.
class pinned : public caf::event_based_actor {
public:
  /// `config.host` is the home; it must outlive the actor.
  explicit pinned(caf::actor_config& config) : event_based_actor(config), home_(config.host) {
    set_exception_handler(fail_with);
  }

  using event_based_actor::enqueue;

  void enqueue(caf::mailbox_element_ptr message, caf::execution_unit*) override {
    event_based_actor::enqueue(std::move(message), home_);
  }

  void launch(caf::execution_unit*, bool lazy, bool hide) override {
    event_based_actor::launch(home_, lazy, hide);
  }

  /// Ends the actor without waking CAF's clock. So a pinned actor must not use `request` with a timeout nor
  /// `after`; `delayed_send` is not concerned.
  bool cleanup(caf::error&& reason, caf::execution_unit* host) override;

  /// How execution units tell pinned actors from all others.
  subtype_t subtype() const override { return io_actor; }

  /// Runs `function` as if it were a message handler of this actor, without the mailbox: for code on
  /// the home's thread that is in no handler of this actor. The caller holds a strong reference.
  template <class Function>
  void enter(Function&& function) {
    if (!activate(home_))
      return; // it has terminated
    try {
      std::forward<Function>(function)();
    } catch (...) {
      note_failure(name(), id(), std::current_exception());
      quit(caf::make_error(caf::sec::runtime_error));
    }
    finalize();
  }

private:
  caf::execution_unit* home_;
};

/// Spawns a pinned actor on `home`. It runs at its first message or `enter`.
template <class Actor, class... Arguments>
caf::actor spawn_pinned(caf::actor_system& system, caf::execution_unit& home,
                        Arguments&&... arguments) {
  caf::actor_config config{&home};
  return system.spawn_impl<Actor, caf::lazy_init>(config, std::forward<Arguments>(arguments)...);
}

} // namespace canang::actors
