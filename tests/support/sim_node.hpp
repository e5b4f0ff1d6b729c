#pragma once

#include "actors/connection.hpp"
#include "actors/directory.hpp"
#include "actors/slow_mode.hpp"
#include "tests/support/later_queue.hpp"
#include "tests/support/seeds.hpp"
#include "tests/support/sim_authorizer.hpp"
#include "tests/support/sim_broker.hpp"
#include "tests/support/sim_client.hpp"
#include "tests/support/sim_home.hpp"

#include <boost/asio/io_context.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace canang::sim {

/// Clients of a simulation publish without a pause, and its time stands still.
inline net::session_limits limits_without_rates() {
  net::session_limits limits;
  limits.publishing = {};
  limits.publishing_in_room = {};
  return limits;
}

struct node_options {
  std::uint32_t loops = 1;
  cluster::room_settings history;
  actors::directory_options rooms;
  actors::liveness_options beats;
  net::session_limits limits = limits_without_rates();
  std::uint64_t max_rooms = 0; ///< 0: no limit
  bool asks = false;           ///< an authorizer, see `sim_authorizer`
  bool delays_history = false; ///< answers to joins come when the chance wants it
  const cluster::room_settings_source* settings = nullptr; ///< null: no room has limits of its own
};

/// A node in one thread: the actors of the real one, on loops whose every step the chance picks. A
/// step is a message of the actor that is first in the queue of some loop (or all that wait for a
/// hub or a directory), one callback of some session, or the end of some loop's turn. So whatever
/// two loops, or a loop and its sockets, could do to each other happens in one seed or another; the
/// actors of one loop take turns as they do in `actors::loop`.
///
/// After each step what all clients received is judged; at the end nothing may remain.
class sim_node {
public:
  using clock = std::chrono::steady_clock;

  sim_node(const node_options& options, std::uint64_t seed);
  sim_node(const sim_node&) = delete;
  sim_node& operator=(const sim_node&) = delete;

  /// Ends what is left of the node.
  ~sim_node();

  /// A new client. The reference is valid as long as the node.
  client& connect(const client_options& asked);

  /// The client sends its next message, a text or a binary one, with some bytes of padding.
  void publish(client& from, std::size_t padding_bytes = 0);

  /// The client's connection actor is killed, wherever it is.
  void kill(client& victim);

  /// Some room that is alive is killed, if there is one.
  void kill_some_room();

  /// All verdicts about publishes are to be asked for again.
  void change_settings();

  /// The client's connection says to the room that it leaves.
  void leave(client& who);

  /// One step, if anything is ready.
  bool step();

  /// Up to a few steps.
  void some_steps();

  /// Steps until nothing is ready and everything is written.
  void settle();

  /// A loop does nothing from now on, as one whose thread gets no CPU; or goes on.
  void stop_loop(std::size_t loop, bool is_stopped) { loops_[loop]->is_stopped = is_stopped; }

  /// Moves the node's time and sends the tick of all loops, which is handled later.
  void tick(std::chrono::milliseconds passed);

  /// The same, and the loops' own time and their wheel of deadlines too.
  void pass(std::chrono::milliseconds passed);

  /// Closes all clients in some way, reaps the rooms, and expects that nothing remains.
  void finish();

  [[nodiscard]] chance& any() noexcept { return chance_; }
  [[nodiscard]] std::deque<client>& clients() noexcept { return clients_; }
  [[nodiscard]] std::uint32_t loops() const noexcept {
    return static_cast<std::uint32_t>(loops_.size());
  }
  [[nodiscard]] caf::actor_system& system() noexcept { return system_; }
  [[nodiscard]] sim_home& home(std::size_t loop) noexcept { return loops_[loop]->home; }
  [[nodiscard]] clock::time_point now() const noexcept { return start_ + passed_; }
  [[nodiscard]] const actors::node_cast& cast() const noexcept { return cast_; }
  [[nodiscard]] sim_broker& broker_of(std::string_view room);
  /// What its broker holds back is done, or fails: see `sim_broker::hold_publishes`.
  void end_hold(std::string_view room, bool are_lost);

  [[nodiscard]] actors::fanout& members_of(std::size_t loop) { return loops_[loop]->members; }
  [[nodiscard]] net::loop_context& context_of(std::size_t loop) { return loops_[loop]->context; }
  /// By name; null where there is none.
  [[nodiscard]] caf::actor room_called(std::string_view name) const;
  [[nodiscard]] std::size_t history_kept() const noexcept { return options_.history.history_size; }
  [[nodiscard]] std::int64_t members() const;
  [[nodiscard]] std::int64_t rooms() const;
  /// Publishes that wait in rooms that are over their rate.
  [[nodiscard]] std::uint64_t waiting_bytes() const;
  [[nodiscard]] std::int64_t connections() const;
  [[nodiscard]] std::size_t rooms_started() const noexcept { return rooms_seen_.size(); }

  /// Every client that stays has got everything.
  void verify_complete();

private:
  struct loop_parts {
    loop_parts(sim_node& owner, std::uint32_t index);

    net::loop_context context;
    sim_home home;
    actors::fanout members;
    actors::liveness beats;
    sim_broker broker;
    sim_authorizer authorizer;
    actors::slow_mode paces;
    actors::room_services room_services;
    actors::connection_services connection_services;
    bool has_turned = false; // something ran since its last flush
    bool is_stopped = false;
  };

  struct system_config : caf::actor_system_config {
    system_config();
  };

  void run_actor(loop_parts& on);
  void note_message(caf::resumable& job);
  void flush(loop_parts& on);
  void verify();
  client* client_of(actors::connection_id id);
  void stop_cast();

  node_options options_;
  chance chance_;
  std::size_t actor_weight_;
  std::size_t later_weight_;
  std::size_t flush_weight_;
  std::vector<std::size_t> loop_weights_;
  clock::time_point start_ = clock::now();
  clock::duration passed_{};
  later_queue later_;
  actors::node_cast cast_;
  actors::bridge_cast bridges_; // none: the node runs alone
  actors::room_limit room_limit_;
  system_config config_;
  caf::actor_system system_;
  std::size_t base_actors_ = 0;
  std::vector<std::unique_ptr<loop_parts>> loops_;
  std::deque<client> clients_;
  std::map<actors::connection_id, client*> by_id_;
  std::map<actors::room_id, caf::actor_addr> rooms_seen_;
};

} // namespace canang::sim
