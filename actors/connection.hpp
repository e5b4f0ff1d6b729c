#pragma once

#include "actors/cast.hpp"
#include "actors/fanout.hpp"
#include "actors/liveness.hpp"
#include "actors/messages.hpp"
#include "actors/runtime/slim_actor.hpp"
#include "net/auth/authorizer.hpp"
#include "net/dialect.hpp"
#include "net/publish_rate.hpp"
#include "net/session.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace canang::actors {

/// What a connection uses of its loop. Outlives every connection of the loop.
struct connection_services {
  std::uint32_t loop = 0;
  net::loop_context& context;
  fanout& members;
  liveness& beats;
  const node_cast& cast;
  net::publish_price price{context.limits.publishing}; ///< of what a client sends
  net::authorizer* access = nullptr;                   ///< null: all is allowed
};

/// One client. Turns what its session reads into commands and sends them to the room; ends when the
/// session does, and by ending leaves its room, whatever the reason was.
///
/// Owns its session; pinned to the loop that accepted it.
class connection final : public slim_actor, net::command_sink {
public:
  connection(caf::actor_config& config, const connection_services& services,
             net::session_ptr session, const net::dialect& language);
  ~connection() override;

  /// Joins what the URL says. To be called through `enter`, once.
  void start(const net::connection_parameters& parameters);

  /// A message of the client; through `enter`.
  void on_message(net::frame_type type, std::span<const char> payload);

  /// A frame of the client that is no message; through `enter`.
  void on_frame() { pay(0); }

  /// The session is over; through `enter`.
  void on_closed(const net::close_info& info);

  const char* name() const override { return "connection"; }

  /// Bytes of memory that an idle one takes, with its session, its place in the fan-out and its entry among
  /// the members of its room, apart from the presence. Measured (`./dev memory`), as much of it is CAF's.
  static constexpr std::size_t memory_bytes = 870;

private:
  void on_mail(caf::type_erased_tuple& content) override;
  void on_exit() override;

  void on_command(net::join_command&& command) override;
  void on_command(const net::publish_command& command) override;

  void on_published(const published& answer);
  void tell_fault(net::publish_fault fault);
  [[nodiscard]] bool may(net::room_action what, const std::string& room,
                         const std::string& user) const;
  void pay(std::size_t bytes);
  void slow_down(net::publish_allowance::clock::time_point now);
  void on_pace(net::publish_allowance::clock::time_point now);
  void settle_reading();
  [[nodiscard]] bool has_too_much_unanswered() const noexcept;
  void log_connect(const std::string& room);
  void drop_rare_if_empty();

  class pace;

  struct log_facts {
    std::string peer;
    std::string room; // quoted
  };

  /// What few connections have.
  struct rare {
    std::optional<log_facts> facts; // where it is to be logged
    std::unique_ptr<pace> held;     // while it has more to send than it may
  };

  const connection_services& services_;
  net::session_ptr session_;
  const net::dialect& language_;
  std::unique_ptr<rare> rare_;
  caf::actor room_;
  beat beat_;
  net::publish_allowance allowance_;
  std::uint32_t unanswered_bytes_ = 0; // payloads of the publishes that are
  std::uint16_t unanswered_ = 0;       // on their way, and their number
  bool held_back_ = true;              // until it may publish
  bool echo_ = true;
};

/// Spawns the connection of a session and starts it.
void start_connection(caf::actor_system& system, caf::execution_unit& home,
                      const connection_services& services, net::session_ptr session,
                      const net::dialect& language, const net::connection_parameters& parameters);

} // namespace canang::actors
