#pragma once

#include "actors/ids.hpp"
#include "net/protocol/commands.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <caf/actor.hpp>

#include <cstdint>
#include <utility>

/// What sees to it that joins and publishes are answered, whoever dies on their way.

namespace canang::actors {

/// A join on its way to its room. It is answered once: by the room, by whoever refuses it, or, where
/// the one who had it is dead or dies and drops it, by its end.
class join_ticket {
public:
  join_ticket(caf::actor connection, subscription_id subscription)
    : connection_(std::move(connection)), subscription_(subscription) {}
  join_ticket(const join_ticket&) = delete;
  join_ticket& operator=(const join_ticket&) = delete;
  ~join_ticket() { refuse(net::command_fault::unavailable); }

  [[nodiscard]] const caf::actor& connection() const noexcept { return connection_; }
  [[nodiscard]] subscription_id subscription() const noexcept { return subscription_; }

  /// The room has taken it: what else there is to say its hub does.
  void accept() noexcept { is_answered_ = true; }

  void refuse(net::command_fault why);

private:
  caf::actor connection_;
  subscription_id subscription_;
  bool is_answered_ = false;
};

/// A publish on its way, of a client that outlives its rooms: as with a join, whoever drops it unanswered thereby
/// answers it. Whether it is stored cannot be told then.
class publish_ticket
  : public boost::intrusive_ref_counter<publish_ticket, boost::thread_safe_counter> {
public:
  publish_ticket(caf::actor publisher, subscription_id subscription, std::uint32_t request,
                 std::uint32_t bytes)
    : publisher_(std::move(publisher)),
      subscription_(subscription),
      request_(request),
      bytes_(bytes) {}
  publish_ticket(const publish_ticket&) = delete;
  publish_ticket& operator=(const publish_ticket&) = delete;
  ~publish_ticket();

  /// The room answers.
  void settle() noexcept { is_answered_ = true; }

private:
  caf::actor publisher_;
  subscription_id subscription_;
  std::uint32_t request_;
  std::uint32_t bytes_;
  bool is_answered_ = false;
};

using publish_ticket_ptr = boost::intrusive_ptr<publish_ticket>;

} // namespace canang::actors
