#pragma once

#include "cluster/control/carrier.hpp"
#include "cluster/control/metrics.hpp"
#include "cluster/control/wire.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace canang::cluster {

/// This node's commands on their way: each to all nodes that live, again to those that do not answer, until all have
/// answered or the time is over. Knows no I/O; part of a control centre.
class control_sender {
public:
  using clock = std::chrono::steady_clock;

  /// How long answers are waited for.
  static constexpr std::chrono::milliseconds time_limit{5000};

  /// When a command goes out again for the first time; each pause is twice the one before.
  static constexpr std::chrono::milliseconds first_pause{500};

  /// Commands that may wait for answers at once.
  static constexpr std::size_t max_pending = 1024;

  control_sender(std::string node, control_carrier& carrier, control_metrics& metrics)
    : node_(std::move(node)), carrier_(carrier), metrics_(metrics) {}

  /// Tells all other nodes. @returns the command's number; 0 when too many wait, and then `handler` is not called.
  std::uint64_t send(const control_command& command, clock::time_point now,
                     control_handler handler);

  /// A node, maybe this one, has answered.
  void on_answer(std::uint64_t number, std::string_view node, const control_answer& answer);

  /// What was carried by that way did not get through.
  void on_carry_failed(std::uint64_t number, std::size_t way);

  /// Tries again, gives up.
  void tick(clock::time_point now);

  [[nodiscard]] std::size_t pending() const noexcept { return pending_.size(); }

private:
  struct waiting_command {
    std::string message;
    control_handler handler;
    std::map<std::string, node_outcome, std::less<>> waiting; // nodes without an answer
    std::vector<node_outcome> answered;
    clock::time_point ends_at;
    clock::time_point next_try;
    clock::duration pause;
    std::size_t way = 0;      // of the last try
    std::size_t failures = 0; // of the first try, one after the other
    bool is_told = false;     // all nodes, as far as is known
    bool is_whole = false;    // it is known which there are
  };
  using pending_map = std::map<std::uint64_t, waiting_command>;

  void note_nodes(waiting_command& command) const;
  [[nodiscard]] bool choose_way(waiting_command& command) const;
  void tell_all(std::uint64_t number, waiting_command& command);
  void try_again(std::uint64_t number, waiting_command& command);
  [[nodiscard]] static bool is_through(const waiting_command& command) noexcept;
  void finish(pending_map::iterator which);
  void count(control_outcome outcome);

  std::string node_;
  control_carrier& carrier_;
  control_metrics& metrics_;
  pending_map pending_;
  std::uint64_t last_number_ = 0;
  std::size_t last_way_ = 0;
};

} // namespace canang::cluster
