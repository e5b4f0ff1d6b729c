#pragma once

#include "actors/fanout.hpp"
#include "cluster/room_settings.hpp"
#include "tests/unit/support/fake_session.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace canang::test {

/// A fanout by whose settings slow members lose something. Publications have offsets, from 1 on in each room.
struct slow_rooms {
  explicit slow_rooms(cluster::slow_consumers policy, std::size_t limit = 1U << 20U)
    : context(limits_of(limit)), settings(table_of(policy)) {}

  static net::session_limits limits_of(std::size_t limit) {
    net::session_limits limits;
    limits.max_outbox_bytes = limit;
    return limits;
  }

  static std::shared_ptr<const cluster::room_settings_table>
  table_of(cluster::slow_consumers policy) {
    auto table = std::make_shared<cluster::room_settings_table>();
    table->rooms.slow = policy;
    return table;
  }

  void change(cluster::slow_consumers policy) {
    settings.set(table_of(policy));
    members.on_tick(net::loop_context::clock::now());
  }

  cluster::publication_ptr publication(actors::room_id room, std::string data,
                                       actors::connection_id publisher = 0, bool echo = true) {
    auto message = std::make_shared<cluster::publication>();
    message->data = std::move(data);
    message->epoch = "epoch";
    message->offset = ++offsets[room];
    message->publisher = publisher;
    message->echo = echo;
    message->received_at = net::loop_context::clock::now();
    return message;
  }

  void deliver(actors::room_id room, std::string data, actors::connection_id publisher = 0,
               bool echo = true) {
    members.deliver(room, publication(room, std::move(data), publisher, echo));
  }

  /// The same in a turn of its own.
  void turn(actors::room_id room, std::string data) {
    deliver(room, std::move(data));
    members.flush();
  }

  [[nodiscard]] std::uint64_t lost(net::slow_loss policy) const {
    return context.metrics.slow_lost_total[static_cast<std::size_t>(policy)].value();
  }

  [[nodiscard]] std::uint64_t held() const { return context.metrics.outbox_memory_bytes.value(); }

  net::loop_context context;
  cluster::room_settings_source settings;
  actors::fanout members{context, &settings};
  std::map<actors::room_id, std::uint64_t> offsets;
};

} // namespace canang::test
