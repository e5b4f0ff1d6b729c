#pragma once

#include <caf/actor_traits.hpp>
#include <caf/extend.hpp>
#include <caf/intrusive/lifo_inbox.hpp>
#include <caf/local_actor.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/mixin/sender.hpp>
#include <caf/resumable.hpp>

#include <utility>

namespace canang::actors {

/// A pinned actor that takes a fifth of the memory of `caf::event_based_actor` (a kilobyte): for actors
/// of which there is one a client.
///
/// It has what every CAF actor has: a handle, an id, a mailbox for any sender and thread, links,
/// monitors, exit messages, a place in the registry. It lacks what a connection does not use: streams,
/// requests of its own, changing behaviours, priorities, skipped messages. It handles its mail in the
/// order of arrival, on its home only.
class slim_actor : public caf::extend<caf::local_actor, slim_actor>::with<caf::mixin::sender>,
                   public caf::dynamically_typed_actor_base,
                   public caf::non_blocking_actor_base,
                   public caf::resumable {
public:
  using signatures = caf::none_t;
  using behavior_type = caf::behavior;

  /// `config.host` is the home; it must outlive the actor.
  explicit slim_actor(caf::actor_config& config);
  ~slim_actor() override;

  using caf::local_actor::enqueue;
  void enqueue(caf::mailbox_element_ptr message, caf::execution_unit*) override;
  void launch(caf::execution_unit*, bool lazy, bool hide) override;
  bool cleanup(caf::error&& reason, caf::execution_unit* host) override;

  subtype_t subtype() const override { return io_actor; }
  resume_result resume(caf::execution_unit*, std::size_t) override;
  void intrusive_ptr_add_ref_impl() override { caf::intrusive_ptr_add_ref(ctrl()); }
  void intrusive_ptr_release_impl() override { caf::intrusive_ptr_release(ctrl()); }

  /// Runs `function` as if it were a message handler, as `pinned::enter` does. From inside of a handler it is
  /// a part of that: faults and the end of the actor are that one's.
  template <class Function>
  void enter(Function&& function) {
    if (is_over_)
      return;
    if (is_inside_) {
      std::forward<Function>(function)();
      return;
    }
    guarded(std::forward<Function>(function));
    if (is_quitting_)
      terminate(caf::error{});
  }

protected:
  /// Handles one message. Those of an unknown type are ignored.
  virtual void on_mail(caf::type_erased_tuple& content) = 0;

  /// Ends the actor after the handler that is running.
  void quit() { is_quitting_ = true; }

private:
  struct inbox_policy {
    using mapped_type = caf::mailbox_element;
    using unique_pointer = caf::mailbox_element_ptr;
  };

  template <class Function>
  void guarded(Function&& function) {
    is_inside_ = true;
    try {
      std::forward<Function>(function)();
      is_inside_ = false;
    } catch (...) {
      is_inside_ = false;
      fail();
    }
  }

  void handle(caf::mailbox_element& message);
  void fail(); // in a handler of exceptions
  void terminate(caf::error reason);

  caf::execution_unit* home_;
  caf::intrusive::lifo_inbox<inbox_policy> inbox_;
  caf::mailbox_element* taken_ = nullptr; // out of the inbox, in order, not handled yet
  bool is_inside_ = false;                // a handler runs
  bool is_quitting_ = false;
  bool is_over_ = false;
};

} // namespace canang::actors
