#include "actors/runtime/slim_actor.hpp"

#include "actors/runtime/failures.hpp"

#include <caf/actor_config.hpp>
#include <caf/detail/sync_request_bouncer.hpp>
#include <caf/exit_reason.hpp>
#include <caf/sec.hpp>
#include <caf/system_messages.hpp>

#include <exception>
#include <utility>

namespace canang::actors {

namespace {

using element_pointer = caf::mailbox_element*;

/// Takes a last-in-first-out list apart into the order of arrival.
element_pointer reversed(element_pointer newest) {
  element_pointer oldest = nullptr;
  while (newest != nullptr) {
    auto* const following = static_cast<element_pointer>(newest->next);
    newest->next = oldest;
    oldest = newest;
    newest = following;
  }
  return oldest;
}

} // namespace

slim_actor::slim_actor(caf::actor_config& config) : extended_base(config), home_(config.host) {}

slim_actor::~slim_actor() = default;

void slim_actor::enqueue(caf::mailbox_element_ptr message, caf::execution_unit*) {
  const auto id = message->mid;
  const auto sender = id.is_request() ? message->sender : nullptr;
  switch (inbox_.push_front(std::move(message))) {
  case caf::intrusive::inbox_result::unblocked_reader:
    caf::intrusive_ptr_add_ref(ctrl());
    home_->exec_later(this);
    break;
  case caf::intrusive::inbox_result::queue_closed:
    if (sender)
      caf::detail::sync_request_bouncer{caf::exit_reason::user_shutdown}(sender, id);
    break;
  case caf::intrusive::inbox_result::success: break; // it is ready or running already
  }
}

void slim_actor::launch(caf::execution_unit*, bool, bool hide) {
  context(home_);
  setf(is_initialized_flag);
  if (!hide)
    register_at_system();
  inbox_.try_block();
}

bool slim_actor::cleanup(caf::error&& reason, caf::execution_unit* host) {
  is_over_ = true;
  if (!inbox_.closed()) {
    caf::detail::sync_request_bouncer bounce{reason};
    auto drop = [&](element_pointer message) {
      const caf::mailbox_element_ptr owned{message};
      bounce(*owned);
    };
    while (taken_ != nullptr)
      drop(std::exchange(taken_, static_cast<element_pointer>(taken_->next)));
    inbox_.close(drop);
  }
  // Not local_actor's, which after these two asks the clock's thread to cancel timeouts: it has none, and
  // each connection that ends would wake that thread.
  unregister_from_system();
  return monitorable_actor::cleanup(std::move(reason), host);
}

caf::resumable::resume_result slim_actor::resume(caf::execution_unit*, std::size_t max_messages) {
  context(home_);
  for (std::size_t handled = 0; !is_over_; ++handled) {
    if (taken_ == nullptr) {
      taken_ = reversed(inbox_.take_head());
      if (taken_ == nullptr && inbox_.try_block())
        return awaiting_message;
      if (taken_ == nullptr)
        continue; // one came in between
    }
    if (handled >= max_messages)
      return resume_later;
    const caf::mailbox_element_ptr message{taken_};
    taken_ = static_cast<element_pointer>(taken_->next);
    handle(*message);
  }
  return done;
}

void slim_actor::handle(caf::mailbox_element& message) {
  auto& content = message.content();
  if (content.match_elements<caf::exit_msg>()) {
    auto& order = content.get_mutable_as<caf::exit_msg>(0);
    if (order.reason)
      terminate(std::move(order.reason));
    return;
  }
  current_mailbox_element(&message);
  guarded([&] { on_mail(content); });
  current_mailbox_element(nullptr);
  if (is_quitting_)
    terminate(caf::error{});
}

void slim_actor::fail() {
  note_failure(name(), id(), std::current_exception());
  terminate(caf::make_error(caf::sec::runtime_error));
}

void slim_actor::terminate(caf::error reason) {
  if (is_over_)
    return;
  is_over_ = true;
  on_exit();
  cleanup(std::move(reason), home_);
}

} // namespace canang::actors
