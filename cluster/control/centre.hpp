#pragma once

#include "cluster/control/carrier.hpp"
#include "cluster/control/metrics.hpp"
#include "cluster/control/receiver.hpp"
#include "cluster/control/sender.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace canang::cluster {

/// A node's end of the control channels: tells all nodes to do something, this one included, and does what others
/// tell. A command is executed at most once on each node. One that was sent without a lasting fault reaches all
/// nodes that can be reached within the time limit; what came of it on each is told, and where there was no
/// answer, that.
///
/// Knows no I/O. Owned by the node's control actor, on its thread.
class control_centre {
public:
  using clock = std::chrono::steady_clock;

  /// `node` is the run of this node. Carrier, executor and metrics outlive it.
  control_centre(std::string node, control_carrier& carrier, control_executor& executor,
                 control_metrics& metrics, std::function<clock::time_point()> now);
  control_centre(const control_centre&) = delete;
  control_centre& operator=(const control_centre&) = delete;

  /// Has a command executed on all nodes. `handler` is called once, at once or within the time limit (and a tick);
  /// not at all when the centre goes before.
  void send(const control_command& command, const control_handler& handler);

  /// A message came by that way, on the channel of all nodes or on this one's.
  void on_message(std::size_t way, std::string_view bytes);

  void on_carry_failed(std::uint64_t number, std::size_t way) {
    sender_.on_carry_failed(number, way);
  }

  /// To be called every 100 ms while commands wait, see `is_waiting`.
  void tick() { sender_.tick(now_()); }

  [[nodiscard]] bool is_waiting() const noexcept { return sender_.pending() > 0; }

private:
  void on_command(std::size_t way, const control_message& message);
  void execute(std::size_t way, const control_message& message);
  void answer(std::size_t way, const std::string& to, std::uint64_t number,
              const control_answer& answer);

  std::string node_;
  control_carrier& carrier_;
  control_executor& executor_;
  control_metrics& metrics_;
  std::function<clock::time_point()> now_;
  control_sender sender_;
  control_receiver receiver_;
  std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

} // namespace canang::cluster
