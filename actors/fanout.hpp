#pragma once

#include "actors/join_pages.hpp"
#include "actors/messages.hpp"
#include "actors/user_index.hpp"
#include "net/frame_buffer.hpp"
#include "net/loop_context.hpp"
#include "net/session.hpp"

#include <boost/container/small_vector.hpp>

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace canang::actors {

/// What a hub knows and does: which sessions of its loop are in which room, and one write a member a
/// turn. The frames that a turn brings to a room are appended to one shared buffer (one a dialect);
/// `flush` gives each member one `send` of it, so the cost is members + messages. Those who published
/// in the turn are served first: what they get back tells them that their message is through.
///
/// Owned by the loop's hub; used on the loop's thread only, by the hub for messages of rooms and by
/// the connections of the loop for `attach` and `detach`.
class fanout {
public:
  explicit fanout(net::loop_context& context)
    : context_(context), pages_(new join_pages{context}) {}
  fanout(const fanout&) = delete;
  fanout& operator=(const fanout&) = delete;
  ~fanout() { pages_->forget_all(); }

  /// Makes a connection known, before it joins anything.
  void attach(connection_id id, net::session_ptr session);

  /// Says of which user a connection is.
  void note_user(connection_id id, std::string_view user) { users_.add(user, id); }

  /// Takes the connections of a user out of the index, and tells which: who closes them.
  [[nodiscard]] std::vector<connection_id> take_user(std::string_view user) {
    return users_.take(user);
  }

  /// Forgets a connection and all its memberships.
  void detach(connection_id id);

  /// Opens the member's session if this is its first room, answers the join, then adds the member:
  /// what is delivered after this call reaches it, and nothing before.
  void add(const add_member& request);

  void remove(room_id room, connection_id member);

  /// Puts a publication into its room's frames of this turn.
  void deliver(room_id room, const cluster::publication_ptr& message);

  /// Tells a room's members that what follows does not follow what they had; those whose dialect has no
  /// word for a loss are closed with 3010.
  void tell_break(const break_order& order);

  /// Ends the turn: writes what was gathered.
  void flush();

  /// Lets go what was kept for joins that did not come. To be called several times a second.
  void on_tick(net::loop_context::clock::time_point now);

  /// Lets go of what is kept only for joins that may come: memory is short.
  void let_go_kept() { pages_->let_go_kept(); }

  /// Closes the sessions of a room's members.
  void close_members(room_id room, std::uint16_t code, std::string_view text,
                     net::close_reason reason);

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
  struct group;

  struct membership {
    room_id room;
    std::uint32_t group;    // index in the room
    std::uint32_t position; // index in the group
  };

  struct connected {
    net::session_ptr session;
    boost::container::small_vector<membership, 1> memberships; // few; one in the plain dialect
  };

  struct member {
    net::session* session; // held by `sessions_`
    connection_id id;
    std::uint32_t lane;      // of `session`, in the loop's `send_lanes`
    std::uint32_t starts_at; // bytes of this turn's buffer that were there before it joined
    bool is_special;         // this turn: joined in it, or is left out of a part of it
    bool is_served;          // this turn: has its frames already
  };

  struct frame {
    connection_id publisher; // or 0 when it is not of this node
    bool echo;               // false: the publisher is left out
    std::uint32_t from;
    std::uint32_t to;
  };

  /// Members that get the same bytes.
  struct group {
    const net::dialect* language;
    std::vector<member> members;
    net::frame_buffer_ptr buffer; // this turn's frames, null when there are none
    std::vector<frame> frames;
  };

  struct local_room {
    std::vector<group> groups;
    std::vector<std::int64_t> received_ns; // of this turn's publications
    bool is_dirty = false;
    bool has_pages = false; // of members that joined since the last publication
  };

  void add_to_group(connection_id id, connected& who, local_room& room, const add_member& request);
  void erase_membership(connection_id id, const membership& at);
  void flush_room(local_room& room);
  void flush_group(group& target);
  void send_to(group& target, member& to);
  net::send_status send_all(const net::frame_buffer_ptr& buffer, const member& to);
  void send_special(group& target, member& to);
  void serve_publishers(group& target);
  void count(net::send_status status, std::uint64_t frames);
  [[nodiscard]] member* find_member(group& target, connection_id id);

  net::loop_context& context_;
  boost::intrusive_ptr<join_pages> pages_;
  std::unordered_map<connection_id, connected> sessions_;
  std::unordered_map<room_id, local_room> rooms_;
  std::vector<room_id> dirty_;
  user_index users_;
};

} // namespace canang::actors
