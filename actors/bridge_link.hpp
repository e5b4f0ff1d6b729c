#pragma once

#include "actors/messages.hpp"
#include "cluster/broker.hpp"

#include <caf/actor.hpp>
#include <caf/actor_addr.hpp>

#include <cstdint>
#include <unordered_map>

namespace canang::actors {

/// The broker of one room whose order is kept by a bridge: turns calls into messages to the bridge, and
/// the bridge's messages, which the room hands on to it, into answers. Part of a room.
class bridge_link final : public cluster::broker {
public:
  /// `room` is the handle of the room that it is a part of; not kept.
  bridge_link(caf::actor bridge, const caf::actor& room);

  void subscribe(std::string_view room, cluster::room_subscriber& subscriber) override;
  void unsubscribe(std::string_view room) override;
  void publish(std::string_view room, std::shared_ptr<cluster::publication> message,
               std::string_view idempotency_key) override;
  void recover(std::string_view room, const cluster::recover_request& request,
               history_handler handler) override;

  void note_member(std::string_view room, const cluster::local_member& who, bool is_here) override;
  void report(std::string_view room, bool with_members, report_handler handler) override;

  void on_mail(const bridge_publications& mail);
  void on_mail(const bridge_break& mail);
  void on_mail(const bridge_outcome& mail);
  void on_mail(bridge_page& mail);

private:
  caf::actor bridge_;
  caf::actor_addr room_;
  room_id id_;
  cluster::room_subscriber* subscriber_ = nullptr;
  std::unordered_map<std::uint64_t, history_handler> waiting_; // by request
  std::uint64_t last_request_ = 0;
};

} // namespace canang::actors
