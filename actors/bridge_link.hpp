#pragma once

#include "actors/messages.hpp"
#include "cluster/broker.hpp"

#include <caf/actor.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace canang::actors {

/// The channel of one room whose order is kept by a bridge: turns calls into messages to the bridge, and
/// the bridge's messages, which the room hands on to it, into answers. Part of a room.
class bridge_link final : public cluster::room_channel {
public:
  /// `room` is the handle of the room that it is a part of; not kept.
  bridge_link(caf::actor bridge, const caf::actor& room, std::string name,
              cluster::room_subscriber& subscriber);
  ~bridge_link() override;

  void publish(std::shared_ptr<cluster::publication> message,
               std::string_view idempotency_key) override;
  void recover(const cluster::recover_request& request, cluster::page_handler handler) override;
  void note_member(const cluster::local_member& who, bool is_here) override;

  void on_mail(const bridge_publications& mail);
  void on_mail(const bridge_break& mail);
  void on_mail(const bridge_outcome& mail);
  void on_mail(bridge_page& mail);

private:
  caf::actor bridge_;
  room_id id_;
  cluster::room_subscriber& subscriber_;
  std::unordered_map<std::uint64_t, cluster::page_handler> waiting_; // by request
  std::uint64_t last_request_ = 0;
};

} // namespace canang::actors
