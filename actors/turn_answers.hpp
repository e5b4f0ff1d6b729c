#pragma once

#include "net/framing.hpp"
#include "net/loop_context.hpp"
#include "net/session.hpp"

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

namespace canang::actors {

/// Answers to publishes, which come one by one while a turn runs: those of a session are written together when it
/// ends, as one message where the framing makes one of a turn.
///
/// Owned by the loop's `fanout`, used on its thread.
class turn_answers {
public:
  explicit turn_answers(net::loop_context& context) : context_(context) {}
  turn_answers(const turn_answers&) = delete;
  turn_answers& operator=(const turn_answers&) = delete;

  /// Where to append the next answer for a session, in what its framing gathers a turn with. Valid until the next
  /// call.
  [[nodiscard]] std::string& of(const net::session_ptr& session, const net::framing& frames);

  /// Writes what was gathered: when the turn ends, and before sessions are closed.
  void write();

private:
  struct answers {
    net::session_ptr session;
    const net::framing* frames;
    net::frame_buffer_ptr bytes;
  };

  static void write(const answers& one);

  net::loop_context& context_;
  std::vector<answers> gathered_; // of this turn
  std::unordered_map<const net::session*, std::size_t> places_;
};

} // namespace canang::actors
