#include "actors/runtime/pinned.hpp"

#include <caf/detail/sync_request_bouncer.hpp>
#include <caf/logger.hpp>

#include <cassert>
#include <utility>

namespace canang::actors {

/// What scheduled_actor and local_actor do (CAF 0.17.6), but for streams, which no actor here has, and for
/// the clock: cancelling the timeouts of an actor that has none wakes the clock's thread, once a room.
bool pinned::cleanup(caf::error&& reason, caf::execution_unit* host) {
  assert(stream_managers_.empty() && pending_stream_managers_.empty());
  awaited_responses_.clear();
  multiplexed_responses_.clear();
  if (!mailbox_.closed()) {
    mailbox_.close();
    get_normal_queue().flush_cache();
    get_urgent_queue().flush_cache();
    caf::detail::sync_request_bouncer bounce{reason};
    while (mailbox_.queue().new_round(1000, bounce).consumed_items > 0) {
    }
  }
  unregister_from_system();
  return monitorable_actor::cleanup(std::move(reason), host);
}

} // namespace canang::actors
