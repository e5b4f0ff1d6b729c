#pragma once

#include "actors/messages.hpp"
#include "tests/support/fake_session.hpp"
#include "tests/support/sim_broker.hpp"

#include <caf/actor_addr.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace canang::sim {

/// What a client asks for when it connects.
struct client_options {
  std::string room = "lobby";
  std::uint32_t loop = 0;
  bool echo = true;
  std::uint32_t history = 0;
  const net::wire_format* format = nullptr; ///< null: the plain one; else it is not judged here
  std::string user{};
  std::string token{}; ///< see `sim_authorizer`
};

/// One client of a simulated node, and what is known of the moments that decide what it must get.
struct client {
  client_options asked;
  std::uint64_t number = 0;
  actors::connection_id id = 0;
  caf::actor_addr connection; ///< weak: a handle would keep the actor from being destroyed
  std::shared_ptr<fake_peer> peer;
  const sim_broker* broker = nullptr; ///< of its room

  /// Publications in the record of its room when the room handled its join, its leave.
  std::optional<std::size_t> joined_at;
  std::optional<std::size_t> left_at;

  caf::actor_addr room_actor; ///< that handled its join

  std::vector<std::string> sent;

  /// Connected and neither closed by anyone nor told to leave.
  [[nodiscard]] bool stays() const;

  /// Judges what it received since the last call: the room's order, no gap, no double, nothing from
  /// before its join but the history it asked for, nothing from after its leave, no echo unasked.
  void verify(std::size_t history_kept);

  /// Moreover: it has got everything up to now, and all that it sent was published in its order.
  void verify_complete(std::size_t history_kept);

private:
  [[nodiscard]] bool is_for_it(const cluster::publication& message) const;

  std::size_t judged_ = 0;          // of what it received
  std::optional<std::size_t> next_; // in the record
};

} // namespace canang::sim
