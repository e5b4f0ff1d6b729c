#pragma once

#include "base/few_names.hpp"
#include "cluster/control/carrier.hpp"
#include "cluster/control/metrics.hpp"
#include "cluster/control/receiver.hpp"
#include "cluster/control/relay_wire.hpp"
#include "cluster/control/relayed_message.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace canang::cluster {

/// What a secret and the name of a node say of a session.
enum class session_chance : std::uint8_t {
  some,    ///< it can be one of that node
  none,    ///< it is none: somebody made it up
  no_node, ///< no node of that name is known
};

/// Who knows of sessions.
class relay_executor {
public:
  /// Hands a message to its session on this node, and tells the centre, at once or later, by the number.
  virtual void execute(relayed_message&& message, std::uint64_t number) = 0;

  /// What there is to say of it without asking the node. Cheap: anybody can have it asked.
  [[nodiscard]] virtual session_chance chance_of(std::string_view node,
                                                 std::string_view session) const = 0;

protected:
  ~relay_executor() = default;
};

/// A node's end of what clients say through other nodes than their session's. A message goes to the one node that has
/// the session, once, and its session has it at most once; it is not sent again, so what is lost on the way is told as
/// `unavailable` after the time limit, or as soon as it is known. Messages that one node sends to another over the same
/// Redis arrive in their order.
///
/// Who makes up nodes and sessions has nothing carried: what can be no session is `unknown` at once, as is one that its
/// node has not known before. A node that is not known may have just started; what is said there waits until it is, for
/// a moment.
///
/// Knows no I/O. Owned by the node's control actor, on its thread.
class relay_centre {
public:
  using clock = std::chrono::steady_clock;
  using handler = std::function<void(relay_outcome)>;

  /// How long an answer is waited for: as that to a command.
  static constexpr std::chrono::milliseconds time_limit{5000};

  /// Messages that may wait for answers at once, and their bytes; and likewise those of other nodes that are being
  /// executed here. Beyond it they are refused: `unavailable` here, `busy` there. Those to one node, which may not
  /// answer at all, are half of them at most.
  static constexpr std::size_t max_waiting = 1024;
  static constexpr std::size_t max_waiting_bytes = 4 * 1024 * 1024;

  /// How long a message waits for its node to be known, longer than nodes take to hear of each other; and what may wait
  /// so. What is beyond it is `unknown` at once.
  static constexpr std::chrono::milliseconds patience{2500};
  static constexpr std::size_t max_held = 64;
  static constexpr std::size_t max_held_bytes = 256 * 1024;

  /// Sessions that were not known to their nodes, and nodes, that are remembered.
  static constexpr std::size_t max_remembered = 1024;

  /// `node` is the run of this node. Carrier, executor and metrics outlive it.
  relay_centre(std::string node, control_carrier& carrier, relay_executor& executor,
               control_metrics& metrics, std::function<clock::time_point()> now);
  relay_centre(const relay_centre&) = delete;
  relay_centre& operator=(const relay_centre&) = delete;

  /// `answer` is called once, at once or within the time limit (and a tick); not at all when the centre goes before.
  void send(const std::string& to, const relayed_message& message, handler answer);

  /// A message came by that way.
  /// @returns false where it is not of this kind.
  bool on_message(std::size_t way, std::string_view bytes);

  /// A message of this number was executed, as far as it was.
  void on_done(std::uint64_t number, relay_outcome outcome);

  /// @returns false where the number is that of a command.
  bool on_carry_failed(std::uint64_t number);

  /// To be called every 100 ms while something waits.
  void tick();

  [[nodiscard]] bool is_waiting() const noexcept {
    return !sent_.empty() || !running_.empty() || !held_.empty();
  }

private:
  struct held_message {
    std::string to;
    relayed_message message;
    handler answer;
    clock::time_point ends_at;
  };

  struct sent_message {
    std::string to;
    std::string session;
    handler answer;
    std::size_t bytes;
    clock::time_point ends_at;
  };

  struct running_message {
    std::string from;
    std::uint64_t number; // the sender's
    std::size_t way;
    std::size_t bytes;
    clock::time_point ends_at;
  };

  [[nodiscard]] bool has_room(const std::string& to, std::size_t bytes) const;
  [[nodiscard]] bool choose_way(std::size_t& way) const;
  void hold(const std::string& to, const relayed_message& message, handler&& answer);
  [[nodiscard]] bool is_held_for(std::string_view node) const;
  void release_held();
  void carry(std::size_t way, const std::string& to, const relayed_message& message,
             handler&& answer);
  void on_said(std::size_t way, const relay_envelope& envelope);
  void on_outcome(const relay_envelope& envelope, relay_outcome outcome);
  void finish(std::map<std::uint64_t, sent_message>::iterator which, relay_outcome outcome);
  void answer(std::size_t way, std::string_view to, std::uint64_t number, relay_outcome outcome);

  std::string node_;
  control_carrier& carrier_;
  relay_executor& executor_;
  control_metrics& metrics_;
  std::function<clock::time_point()> now_;
  std::deque<held_message> held_; // the oldest first
  std::size_t held_bytes_ = 0;
  few_names known_nodes_{max_remembered};
  few_names unknown_sessions_{max_remembered};
  std::map<std::uint64_t, sent_message> sent_;
  std::map<std::uint64_t, running_message> running_; // by our number
  control_receiver receiver_;
  std::size_t sent_bytes_ = 0;
  std::size_t running_bytes_ = 0;
  std::uint64_t last_number_;
  std::uint64_t last_running_ = 0;
};

} // namespace canang::cluster
