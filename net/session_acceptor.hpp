#pragma once

#include "net/emulation.hpp"
#include "net/loop_context.hpp"
#include "net/metrics.hpp"
#include "net/protocol/protocol.hpp"
#include "net/session.hpp"
#include "net/websocket/handshake.hpp"

#include <optional>

namespace canang::net {

class hook_source;

/// Who takes the sessions of a loop's clients, whatever they come over.
class session_acceptor {
public:
  /// Why a new session is not taken now, if so; it is answered with 503. One that is taken counts, for as many as
  /// the rooms that it asks for: each costs a join.
  [[nodiscard]] virtual std::optional<reject_reason> refusal(std::size_t rooms) noexcept = 0;

  /// Whether clients that offer to compress messages may do so.
  [[nodiscard]] virtual bool compresses() noexcept { return false; }

  /// A session that is not open yet. Its taker attaches a handler and opens it, or drops it.
  virtual void on_session(session_ptr session, const wire_format& format,
                          connection_parameters&& parameters) = 0;

protected:
  ~session_acceptor() = default;
};

/// What an endpoint needs that makes sessions of connections: the loop they live on, who takes them, and
/// what the operator says of handshakes. One a loop; all of it outlives the loop's router.
struct session_door {
  loop_context& context;
  session_acceptor& acceptor;
  const handshake_rules& rules;
  emulation_relay* relay = nullptr;   ///< null: there are no sessions that need one
  const hook_source* hooks = nullptr; ///< null: nobody outside is asked about clients
};

} // namespace canang::net
