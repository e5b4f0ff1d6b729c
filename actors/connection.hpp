#pragma once

#include "actors/cast.hpp"
#include "actors/fanout.hpp"
#include "actors/liveness.hpp"
#include "actors/messages.hpp"
#include "actors/runtime/slim_actor.hpp"
#include "actors/subscription.hpp"
#include "base/one_or_more.hpp"
#include "cluster/moderation/act.hpp"
#include "cluster/room_settings.hpp"
#include "net/auth/authorizer.hpp"
#include "net/hooks/hook_answer.hpp"
#include "net/hooks/hook_kind.hpp"
#include "net/protocol/protocol.hpp"
#include "net/publish_rate.hpp"
#include "net/session.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace canang::net {
class hook_source;
class tracer;
struct hook_question;
} // namespace canang::net

namespace canang::actors {

class moderation_rules;

/// What a client is told while a message of its is read: sent in one piece. One a loop.
struct reply_batch {
  const void* of = nullptr; ///< the connection whose message is read
  net::frame_buffer_ptr bytes{};
};

/// What a connection uses of its loop. Outlives every connection of the loop.
struct connection_services {
  std::uint32_t loop = 0;
  net::loop_context& context;
  fanout& members;
  liveness& beats;
  const node_cast& cast;
  const bridge_cast* bridges = nullptr;                    ///< null: the node runs alone
  std::string_view node{};                                 ///< its id
  std::string_view personal_room{};                        ///< see `loop_options`
  reply_batch* replies = nullptr;                          ///< null: each is sent by itself
  std::chrono::milliseconds pings{};                       ///< how often a client is pinged
  net::publish_price price{context.limits.publishing};     ///< of what a client sends
  net::authorizer* authorizer = nullptr;                   ///< null: all is allowed
  const cluster::room_settings_source* settings = nullptr; ///< null: no room has limits of its own
  net::hook_source* hooks = nullptr;      ///< null: nobody outside is asked about clients
  moderation_rules* moderation = nullptr; ///< null: nobody is banned
  net::tracer* tracer = nullptr;          ///< null: nothing is followed
};

/// One client. Turns what its session reads into commands, keeps its memberships of rooms, and sends them what
/// it says; ends when the session does, and by ending leaves its rooms, whatever the reason was.
///
/// A membership begins as a `subscription` that awaits first the authorizer's word, unless the server wants it, then the
/// room's. The room's yes comes through the loop's fan-out, which answers the client in the same moment: so the client
/// never knows of a membership that the connection does not know of. Whatever else comes carries the
/// subscription's id, and is ignored where that has ended.
///
/// Owns its session; pinned to the loop that accepted it.
class connection final : public slim_actor, net::command_sink, membership_owner {
public:
  connection(caf::actor_config& config, const connection_services& services,
             net::session_ptr session, const net::wire_format& format);
  ~connection() override;

  /// Does what the URL says. To be called through `enter`, once.
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
  static constexpr std::size_t memory_bytes = 930;

  /// Each room more that it is in, its place there included. Measured likewise.
  static constexpr std::size_t further_room_bytes = 320;

private:
  using clock = net::publish_allowance::clock;

  class deadline;
  struct asked_backend;
  struct asked_query;
  struct entering;
  struct followed_publish;
  struct lifetimes;
  struct rare;
  struct waiting_publish;

  void on_mail(caf::type_erased_tuple& content) override;
  void on_exit() override;

  // net::command_sink
  void open() override;
  void on_command(net::identify_command&& command) override;
  void on_command(net::join_command&& command) override;
  void on_command(const net::leave_command& command) override;
  void on_command(const net::publish_command& command) override;
  void on_command(const net::query_command& command) override;
  void on_refresh(const net::refresh_command& command) override;
  void on_entering(net::entering_command&& command) override;
  bool on_call(const net::call_command& command) override;
  [[nodiscard]] net::connection_facts facts() const override;
  void reply(net::frame_type type, std::string_view payload) override;
  void close(std::uint16_t code, std::string_view text) override;

  // membership_owner
  [[nodiscard]] bool on_added(const add_member& request) override;
  [[nodiscard]] bool answers(const add_member& request) override;
  void on_invited(const invitation& to) override;
  void on_refreshed_by_server(net::expiry until) override;
  void on_removed(subscription_id id) override;
  void on_broken(subscription_id id) override;
  [[nodiscard]] std::size_t on_moderated() override;

  // memberships, in connection_rooms.cpp
  [[nodiscard]] std::optional<net::command_fault> fault_of(const net::join_command& wanted,
                                                           std::uint32_t name_hash);
  [[nodiscard]] subscription& begin(net::join_command&& wanted, std::uint32_t name_hash);
  void begin_by_server(const invitation& to);
  [[nodiscard]] net::room_traits traits_of(std::string_view room) const;
  void ask_to_join(subscription& wanted);
  void on_join_verdict(subscription_id id, net::verdict verdict);
  void ask_for_history(subscription& wanted);
  void on_history_verdict(subscription_id id, net::verdict verdict);
  void join(subscription& wanted);
  void on_join_failed(const join_failed& answer, const net::worded_fault* worded = nullptr);
  void leave(subscription& left, std::string_view room);
  void accept(subscription& joined, const add_member& request);
  [[nodiscard]] subscription* find(subscription_id id);
  [[nodiscard]] subscription* find(std::string_view room, std::uint32_t name_hash);
  [[nodiscard]] subscription* find(std::string_view room);
  [[nodiscard]] static std::string_view name_of(const subscription& one);

  // rooms that the server has chosen, in connection_entering.cpp
  void note_entered(const add_member& request);
  void on_entered_one();
  void on_not_entered(net::command_fault why);

  // who it is, in connection_identity.cpp
  void on_proof(net::proof is, net::client_admission&& as);
  void await_identity();
  void become(net::identity&& who);
  void deny(net::proof is);
  void deny(const net::failed_command& failed);
  void take_waiting_joins();
  void when_checked(std::function<void(connection&)> check);
  void check_next();
  void on_checked();
  void check_token_of_room(subscription& wanted);
  void on_pass(subscription_id id, net::proof is, net::room_pass&& pass);
  void refresh_itself(const std::string& token, std::uint32_t request);
  void on_refreshed(std::uint32_t request, net::proof is, net::client_admission&& as);
  void refresh_room(const std::string& room, const std::string& token, std::uint32_t request);
  void on_room_refreshed(subscription_id id, std::uint32_t request, net::proof is,
                         net::room_pass&& pass);

  void keep_room_info(subscription_id id, std::string&& info);
  [[nodiscard]] std::unique_ptr<const cluster::publication_notes>
  authorship(const subscription* in) const;

  // what the operator's program is asked, in connection_hooks.cpp and connection_hooks_stay.cpp
  using hook_next = std::function<void(connection&, net::hook_outcome&&)>;
  [[nodiscard]] bool has_hook(net::hook_kind what) const noexcept;
  [[nodiscard]] bool is_asked_enough() const noexcept;
  [[nodiscard]] bool is_for_hook(const net::credentials& shown) const noexcept;
  void ask_hook(net::hook_kind what, const net::hook_question& question, hook_next next);
  void ask_who_it_is(const net::identify_command& command);
  void on_told_who(net::hook_outcome&& outcome);
  void ask_hook_to_join(subscription_id id);
  void on_told_of_join(subscription_id id, net::hook_outcome&& outcome);
  void ask_hook_to_publish(const std::string& room, waiting_publish&& one);
  void on_told_of_publish(const std::string& room, waiting_publish&& one,
                          net::hook_outcome&& outcome);
  void publish_as_told(const std::string& room, waiting_publish&& one,
                       const net::hook_result* told);
  void on_told_of_call(std::uint32_t request, net::hook_outcome&& outcome);
  void ask_whether_it_may_stay();
  void on_told_of_stay(net::hook_outcome&& outcome);
  void ask_whether_it_may_stay_in(subscription_id id);
  void on_told_of_stay_in(subscription_id id, net::hook_outcome&& outcome);
  [[nodiscard]] bool is_kept_by_hook(const subscription& one) const;
  void tell_that_it_has_gone(std::uint16_t code, net::close_reason why) const;
  void fail_as_told(net::failed_command failed, const net::hook_outcome& outcome);
  void disconnect_as_told(const net::hook_refusal& why);

  // what moderators have decided, in connection_moderation.cpp
  [[nodiscard]] cluster::act_ptr act_against(cluster::act_kind kind, std::string_view user,
                                             std::string_view room) const;
  [[nodiscard]] bool is_banned_from(std::string_view room) const;
  [[nodiscard]] bool moderates(std::string_view room) const;
  [[nodiscard]] std::optional<net::command_fault> silenced_in(std::string_view room) const;
  [[nodiscard]] std::string reason_told(net::command_fault why, std::string_view room) const;
  void note_refused(net::command_fault why);
  [[nodiscard]] bool is_shut_out(std::string_view user);
  void end_with(std::uint16_t code, std::string_view text, net::close_reason why);
  [[nodiscard]] std::size_t end_what_is_banned();
  void end_membership(subscription_id id);
  [[nodiscard]] std::shared_ptr<const publish_pace> pace_in(std::string_view room) const;
  [[nodiscard]] std::uint32_t members_max_in(std::string_view room) const;
  void tell_too_soon(const published& answer);

  // how long it may stay, in connection_expiry.cpp
  void set_expiry(net::expiry at);
  void set_expiry(subscription_id id, net::expiry at);
  void await_expiry();
  [[nodiscard]] net::expiry due_of_connection() const;
  [[nodiscard]] bool is_kept_by_hook(subscription_id id);
  void on_expiry(clock::time_point now);
  void expire(subscription_id id);
  void tell_refreshed(std::uint32_t request, bool is_of_room, net::expiry at);
  [[nodiscard]] net::expiry expiry_of(subscription_id id) const;
  [[nodiscard]] static std::uint32_t seconds_until(std::int64_t at);

  // publishing, in connection_publish.cpp
  void on_publish_verdict(subscription_id id, std::uint32_t asked_in, net::verdict verdict);
  void publish_or_ask(subscription& to, waiting_publish&& one);
  void send_publish(subscription& to, std::shared_ptr<cluster::publication> message,
                    std::uint32_t request, std::string key, bool outlives_room);
  [[nodiscard]] std::optional<net::command_fault> fault_of(const subscription* to,
                                                           std::size_t bytes) const;
  void note_limit(subscription& of);
  [[nodiscard]] std::vector<waiting_publish> take_waiting(subscription_id id);
  [[nodiscard]] bool has_verdict(const subscription& to) const noexcept;
  [[nodiscard]] std::uint32_t generation() const noexcept;
  [[nodiscard]] std::shared_ptr<cluster::publication>
  publication_of(const net::publish_command& command, const subscription* in);
  void wait_for_verdict(subscription& to, const net::publish_command& command);
  void wait_for(const subscription& to, const net::publish_command& command);
  void ask_whether_it_may_publish(subscription& to);
  void on_joined(subscription& to);
  void drop_waiting(subscription_id id, net::command_fault why, std::string_view room);
  void on_published(const published& answer);

  // publishing where it is no member, and questions, in connection_query.cpp
  void publish_outside(const net::publish_command& command);
  void send_outside(const std::string& room, waiting_publish&& one);
  [[nodiscard]] std::optional<net::command_fault>
  fault_outside(net::verdict verdict, const std::string& room, std::size_t bytes) const;
  [[nodiscard]] std::optional<net::command_fault> fault_of(const net::query_command& query) const;
  void ask_next();
  void ask_authorizer(const asked_query& query);
  void on_query_verdict(const asked_query& query, net::verdict verdict);
  void ask_keeper(const asked_query& query);
  void ask_about_room(net::query_command::subject what, std::uint32_t request,
                      const std::string& room, bool with_members);
  void tell_members(const room_told& answer);
  void pay_for_answer(std::size_t bytes);
  void on_answers_paced(clock::time_point now);
  void on_room_told(const room_told& answer);
  void on_history_told(const history_told& answer);
  void end_query();
  [[nodiscard]] const caf::actor& keeper_of(std::string_view room) const;

  // publishes that are followed, in connection_tracing.cpp
  void publish_followed(subscription* to, const std::string& room, waiting_publish&& one,
                        const std::optional<trace_context>& trace);
  void on_followed(const published& answer);
  void end_followed();

  // what it is told
  void fail(const net::failed_command& failed);
  void give_up(const net::failed_command& failed);
  void end_for(net::close_reason why);
  template <class Act>
  void say_together(Act act);
  template <class Encode>
  void tell(Encode encode);
  void send_replies();
  void say_all();
  [[nodiscard]] const net::framing& frames() const noexcept;

  // flow control
  void pay(std::size_t bytes);
  void pay_for_command();
  void on_silence(clock::time_point now);
  void slow_down(clock::time_point now);
  void on_pace(clock::time_point now);
  void settle_reading();
  [[nodiscard]] bool has_too_much_unanswered() const noexcept;

  [[nodiscard]] const net::identity& who() const noexcept;
  template <class Continue>
  [[nodiscard]] auto continue_with(Continue next);
  void log_connect(const std::string& room);
  [[nodiscard]] rare& ensure_rare();
  void drop_rare_if_empty();

  const connection_services& services_;
  net::session_ptr session_;
  const net::wire_format& format_;
  net::conversation_ptr talk_;
  std::unique_ptr<rare> rare_; // what few connections have
  one_or_more<subscription> subscriptions_;
  beat beat_;
  net::publish_allowance allowance_;
  std::uint32_t unanswered_bytes_ = 0; // payloads of the publishes that are
  std::uint16_t unanswered_ = 0;       // on their way, and their number
  bool held_back_ : 1 = true;          // not read
  bool is_opened_ : 1 = false;
  bool is_started_ : 1 = false; // what comes now is of the client, not of its URL
  bool is_identified_ : 1 = false;
  bool is_identifying_ : 1 = false; // it is being told
  std::uint32_t last_subscription_ = 0;
};

/// Spawns the connection of a session and starts it.
void start_connection(caf::actor_system& system, caf::execution_unit& home,
                      const connection_services& services, net::session_ptr session,
                      const net::wire_format& format, const net::connection_parameters& parameters);

} // namespace canang::actors
