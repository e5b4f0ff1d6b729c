#pragma once

#include "actors/change_bases.hpp"
#include "actors/join_pages.hpp"
#include "actors/messages.hpp"
#include "actors/slow_members.hpp"
#include "actors/subscribe_tally.hpp"
#include "actors/turn_answers.hpp"
#include "actors/turn_slices.hpp"
#include "actors/user_index.hpp"
#include "base/one_or_more.hpp"
#include "cluster/room_settings.hpp"
#include "net/frame_buffer.hpp"
#include "net/loop_context.hpp"
#include "net/session.hpp"
#include "net/tracing/tracer.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace canang::actors {

/// To a connection: the server makes it a member of a room.
struct invitation {
  const std::string& room;
  const std::optional<cluster::position>& since;
  const subscribe_tally_ptr& tally; ///< to be held as long as it tries
};

/// Whose session it is: told what becomes of its memberships, at the moment at which it does. Called on the
/// loop, from the hub.
class membership_owner {
public:
  /// A room has taken it.
  /// @returns false when it does not want that any more.
  [[nodiscard]] virtual bool on_added(const add_member& request) = 0;

  /// Asked behind `on_added`: whether it answers the join itself, which it does now.
  [[nodiscard]] virtual bool answers(const add_member&) { return false; }

  /// The server wants it to be a member of a room, which it becomes if it can.
  virtual void on_invited(const invitation&) {}

  /// The server lets it stay until then.
  virtual void on_refreshed_by_server(net::expiry) {}

  /// Somebody may have been banned: ends what that forbids.
  /// @returns how much that was: itself, or so many memberships.
  [[nodiscard]] virtual std::size_t on_moderated() { return 0; }

  /// A membership has ended, and not by its own will.
  virtual void on_removed(subscription_id subscription) = 0;

  /// A membership has ended since its order is broken: its room does not know of that yet.
  virtual void on_broken(subscription_id subscription) = 0;

protected:
  ~membership_owner() = default;
};

/// What a hub knows and does: which sessions of its loop are in which room, and one write a member a
/// turn. The frames that a turn brings to a room are appended to one shared buffer (one a wire format);
/// `flush` gives each member one `send` of it, so the cost is members + messages. Sessions that are in several
/// rooms get theirs of all these rooms in one write, too (`turn_slices`). Those who published
/// in the turn are served first: what they get back tells them that their message is through.
///
/// Owned by the loop's hub; used on the loop's thread only, by the hub for messages of rooms and by
/// the connections of the loop for `attach`, `detach` and `leave`.
class fanout final : loss_listener {
public:
  /// `settings` say what becomes of slow members; null: they are closed.
  explicit fanout(net::loop_context& context,
                  const cluster::room_settings_source* settings = nullptr)
    : context_(context),
      settings_(settings),
      pages_(new join_pages{context}),
      answers_(context),
      gathered_(context),
      bases_(context) {}
  fanout(const fanout&) = delete;
  fanout& operator=(const fanout&) = delete;
  ~fanout() { pages_->forget_all(); }

  /// Makes a connection known, before it joins anything. `owner` opens the session, and must stay until it is
  /// detached; without one, the first room does.
  void attach(connection_id id, net::session_ptr session, membership_owner* owner = nullptr);

  /// Says of which user a connection is.
  void note_user(connection_id id, std::string_view user) { users_.add(user, id); }

  /// The connections of a user that are chosen. An empty name finds only the one that is chosen by itself, if it is
  /// here and has no user.
  [[nodiscard]] std::vector<connection_id> find_user(std::string_view user,
                                                     const chosen_connections& which) const;

  /// A connection is no user's any more: it is about to be closed.
  void forget_user(connection_id id) { users_.remove(id); }

  /// Forgets a connection and all its memberships.
  void detach(connection_id id);

  /// Asks the member's owner, answers the join, then adds the member: what is delivered after this call
  /// reaches it, and nothing before.
  void add(const add_member& request);

  /// Hands it to the connection, if that is here.
  void invite(connection_id who, const invitation& to);
  void refresh(connection_id who, net::expiry until);

  /// Has it end what is forbidden by now. @returns how much that was.
  std::size_t moderate(connection_id who);

  /// All sessions, open or not.
  [[nodiscard]] std::vector<connection_id> all_sessions() const;

  /// See `net::session::peer`; empty where there is no such session.
  [[nodiscard]] std::string peer_of(connection_id who) const;

  /// Its owner wants that: nothing of the room reaches it after this call.
  void leave(room_id room, connection_id member, subscription_id subscription);

  /// Its room wants that: the owner is told, and where there is a reason the client too.
  void remove(const remove_member& order);

  /// The room is gone: so are its memberships. Members whose protocol has no word for that are closed.
  void end_room(room_id room, const removal& why);

  /// Puts a publication into its room's frames of this turn.
  void deliver(room_id room, const cluster::publication_ptr& message);

  /// Tells a room's members that what follows does not follow what they had. Where the protocol says so their
  /// memberships end, and they come back; those whose protocol has no word for a loss are closed with 3010.
  void tell_break(const break_order& order);

  /// Has the deliveries of publications that are followed recorded, as those of that loop. The tracer outlives it.
  /// @param from_reading they begin when the node has read them: it has not made them itself
  void trace_to(net::tracer* whom, std::uint32_t loop, bool from_reading) noexcept {
    tracer_ = whom;
    loop_ = loop;
    is_from_reading_ = from_reading;
  }

  /// What publishers are told in this turn.
  [[nodiscard]] turn_answers& answers() noexcept { return answers_; }

  /// Ends the turn: writes what was gathered.
  void flush();

  /// Lets go what was kept for joins that did not come. To be called several times a second.
  void on_tick(net::loop_context::clock::time_point now);

  /// Lets go of what is kept only for joins that may come, or to tell less, and of what members may lose: memory is
  /// short.
  void let_go_kept();

  /// Closes a session, if it is open.
  void close_one(connection_id who, std::uint16_t code, std::string_view text,
                 net::close_reason reason);

  /// Closes a session; one that is not open yet is answered with 503 instead.
  void end_one(connection_id who, std::uint16_t code, std::string_view text,
               net::close_reason reason);

  /// Closes all sessions; those that are not open yet are answered with 503 instead.
  void close_all(std::uint16_t code, std::string_view text, net::close_reason reason);

  /// Ends all sessions at once.
  void abort_all(net::close_reason reason);

  [[nodiscard]] std::size_t session_count() const noexcept { return sessions_.size(); }

  /// The sessions that are open and not closing.
  [[nodiscard]] std::vector<connection_id> open_sessions() const;

private:
  /// Where a session stands in one of its rooms. Kept once a member.
  struct membership {
    room_id room = 0;
    subscription_id subscription = 0;
    std::uint32_t group : 8 = 0;     // index in the room: there are few wire formats
    std::uint32_t position : 24 = 0; // index in the group: less than a process has descriptors

    explicit operator bool() const noexcept { return room != 0; }
  };

  struct connected {
    net::session_ptr session;
    membership_owner* owner = nullptr;
    one_or_more<membership> memberships;
  };

  struct member {
    net::session* session; // held by `sessions_`
    connection_id id;
    std::uint32_t lane;       // of `session`, in the loop's `send_lanes`
    std::uint32_t starts_at;  // bytes of this turn's buffer that were there before it joined
    turn_slices::place place; // of one that is in other rooms too, else 0
    bool is_special;          // this turn: joined in it, or is left out of a part of it
    bool is_served;           // this turn: has its frames already
    bool counts_on_all;       // see `slow_members::member`
    bool is_leaving;          // it has lost something, and is about to be told to come back

    /// It gets the whole buffer, and nothing else.
    [[nodiscard]] bool is_usual() const noexcept {
      return (place | static_cast<unsigned>(is_special) | static_cast<unsigned>(is_served)) == 0;
    }
  };

  struct frame {
    connection_id publisher; // or 0 when it is not of this node
    bool echo;               // false: the publisher is left out
    std::uint32_t from;
    std::uint32_t to;
  };

  /// What the members of a group were told last.
  enum class base : std::uint8_t {
    any,    // it does not matter
    shared, // what `bases_` has of the room, or something else where that has nothing
    none,   // nothing, since they have just come
  };

  /// Members that get the same bytes.
  struct group {
    const net::wire_format* format;
    std::vector<member> members{};
    net::frame_buffer_ptr buffer{}; // this turn's frames, null when there are none
    std::vector<frame> frames{};
    base told_last = base::any;
    bool is_told = false; // this turn: a message
  };

  /// A delivery that is followed.
  struct delivery {
    room_id room;
    trace_context parent;
    net::span::clock::time_point began;
  };

  static constexpr std::size_t never = ~std::size_t{0};

  struct local_room {
    std::vector<group> groups;
    std::vector<std::int64_t> received_ns; // of this turn's publications
    std::size_t compress_from = never;     // bytes of payload
    std::string name;
    room_id id = 0;
    bool tells_changes = false; // to some of its groups
    bool is_dirty = false;
    bool has_pages = false; // of members that joined since the last publication
    bool may_lose = false;  // `slow_` has it
  };

  [[nodiscard]] membership_owner* owner_of(connection_id who) const;
  [[nodiscard]] connected* ask_owner(const add_member& request);
  void answer_join(net::session& session, const add_member& request);
  void add_to_group(connected& who, local_room& room, const add_member& request);
  [[nodiscard]] turn_slices::place place_for_next(connected& who);
  [[nodiscard]] member& member_at(const membership& at);
  [[nodiscard]] membership* find_membership(connected& who, room_id room,
                                            subscription_id subscription);
  void end_membership(connected& who, membership& at);
  using owner_call = void (membership_owner::*)(subscription_id);
  void end_and_tell_owner(connected& who, membership& at, owner_call tell);
  void unseat(connected& who, room_id room, owner_call tell);
  void tell_break(const local_room& room, const group& target, const net::room_position& at);
  void end_broken(const group& target, const std::string& room,
                  std::vector<connection_id>& leaving);
  void erase_member(const membership& at);
  [[nodiscard]] bool tell_end(net::session& session, const net::wire_format& format,
                              const std::string& room, const removal& why);

  // what changes, in fanout_changes.cpp
  [[nodiscard]] base base_of(local_room& room, const add_member& request);
  void encode_change(const local_room& room, group& target, const cluster::publication& message);
  void settle_newcomers(local_room& room);
  void let_go_base(local_room& room);

  // members whose sockets are full, in fanout_slow.cpp
  void heed_settings(local_room& room);
  void heed_new_settings();
  std::size_t heed_settings_in(std::size_t bucket);
  void flush_lossy(local_room& room);
  void keep_for_slow(slow_members& list, group& target);
  [[nodiscard]] net::frame_buffer_ptr encode_loss(const group& target, net::room_position at);
  void on_loss(room_id room, connection_id who) override;
  void end_left_behind();

  [[nodiscard]] static std::size_t group_of(local_room& room, const net::wire_format& format,
                                            base told_last);
  void follow(room_id room, const cluster::publication& message);
  void end_followed();
  void record(const delivery& one);
  void flush_now(local_room& room);
  void flush_room(local_room& room);
  void flush_group(const local_room& room, group& target);
  void compress(const local_room& room, group& target, std::size_t from);
  void send_to(group& target, member& to);
  net::send_status send_all(const net::frame_buffer_ptr& buffer, const member& to);
  void send_special(group& target, member& to);
  void serve_publishers(group& target);
  void count(net::send_status status, std::uint64_t frames);
  [[nodiscard]] member* find_member(group& target, connection_id id);

  net::loop_context& context_;
  net::tracer* tracer_ = nullptr; // null: nothing is followed
  std::uint32_t loop_ = 0;
  bool is_from_reading_ = false;
  const cluster::room_settings_source* settings_;
  std::uint64_t settings_seen_ = 0;
  std::size_t buckets_seen_ = 0;     // of `rooms_`
  std::size_t next_bucket_ = 0;      // whose rooms are looked up by new settings
  std::size_t unheeded_buckets_ = 0; // from that one on
  boost::intrusive_ptr<join_pages> pages_;
  turn_answers answers_;
  turn_slices gathered_;
  change_bases bases_;
  std::string change_;         // the one that is being told
  std::size_t compressed_ = 0; // bytes that were tried this turn
  std::unordered_map<connection_id, connected> sessions_;
  std::unordered_map<room_id, local_room> rooms_;
  std::vector<room_id> dirty_;
  std::vector<delivery> followed_;                                       // of this turn
  std::unordered_map<room_id, boost::intrusive_ptr<slow_members>> slow_; // of rooms that may lose
  std::vector<std::pair<room_id, connection_id>> left_behind_;           // members that are leaving
  user_index users_;
};

} // namespace canang::actors
