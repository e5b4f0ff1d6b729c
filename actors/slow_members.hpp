#pragma once

#include "actors/ids.hpp"
#include "cluster/publication.hpp"
#include "cluster/room_settings.hpp"
#include "net/loop_context.hpp"
#include "net/protocol/protocol.hpp"
#include "net/session.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

namespace canang::actors {

/// Hears of members that count on missing nothing, and have lost something. May be called from within a write of
/// their sessions.
class loss_listener {
public:
  virtual void on_loss(room_id room, connection_id member) = 0;

protected:
  ~loss_listener() = default;
};

/// What waits for the members of one room whose sockets are full, where the room's settings say that such members
/// lose publications rather than being closed: one list for all of them, each of which reads from where it stands.
/// So a slow member costs its place in the list, and the list is limited as an outbox is. A member that has lost
/// something is told so before what follows, if its protocol has a word for that.
///
/// A member that has something to read is a *reader*, with a source in its session's queue (`net::send_queue`): so
/// it gets this in order with all else that it is told, encoded as its socket takes it. A source ends where the
/// list ended when its turn came. What comes later is read by another source, behind what else waits by then: a
/// busy room holds up nothing.
///
/// Made by the loop's `fanout`, lives as long as that or the last reader, used on the loop's thread only.
class slow_members
  : public boost::intrusive_ref_counter<slow_members, boost::thread_unsafe_counter> {
public:
  struct member {
    connection_id id;
    net::session& session;
    const net::wire_format& format;
    bool counts_on_all; ///< if it misses something the listener is told, and it gets nothing more
  };

  /// `listener` is called for members that have not left, no others.
  slow_members(net::loop_context& context, room_id room, std::string name,
               cluster::slow_consumers policy, loss_listener& listener);
  slow_members(const slow_members&) = delete;
  slow_members& operator=(const slow_members&) = delete;
  ~slow_members();

  void set_policy(cluster::slow_consumers policy) noexcept { policy_ = policy; }

  /// A publication of this turn, for the members that `keep_for` will name.
  void deliver(const cluster::publication_ptr& message) { turn_.push_back(message); }

  /// Something waits for this member already: it reads this turn's publications later. Its session is open.
  void keep_for(const member& who);

  /// This turn's are written, or kept.
  void end_turn() noexcept;

  /// The room's order breaks, which all members are told now: what comes from now on is read behind that. Those who
  /// `may_lose` something are to be told of a loss there, and are not told later of what they lost before it.
  void part_here() noexcept;

  /// Something waits for this member that it has not read: it may lose that yet, or has lost it and does not know.
  [[nodiscard]] bool may_lose(connection_id who) const noexcept;

  /// A member has left: it still reads what waits for it, and nothing of what comes.
  void leave(connection_id who);

  /// The same for all of them. The listener is told of those that have lost something already.
  void leave_all();

  /// Memory is short: all but the newest publication is lost to those who wait for it.
  void let_go();

  /// Bytes of memory of what is in the list.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

private:
  class reader;
  class source;

  /// In the list, whose publications are numbered from the first one ever on.
  struct place {
    std::uint64_t number = 0;
    std::uint64_t messages = 0; // before it
  };

  /// A publication, and how many stand at it: readers that are to read it next.
  struct entry {
    cluster::publication_ptr message;
    std::uint32_t readers;
  };

  void take_turn();
  void append(cluster::publication_ptr&& message);
  void take_first() noexcept;
  void lose_first();
  [[nodiscard]] std::uint32_t& readers_at(std::uint64_t number) noexcept;
  void move(std::uint64_t from, std::uint64_t to) noexcept;
  void go(std::uint64_t from) noexcept;
  void forget(const reader& gone) noexcept;
  void count_lost(std::uint64_t messages) noexcept;

  net::loop_context& context_;
  room_id room_;
  std::string name_;
  cluster::slow_consumers policy_;
  loss_listener& listener_;
  std::vector<cluster::publication_ptr> turn_; // not in the list
  place turn_began_;                           // once they are: in the list, and held there
  bool is_turn_taken_ = false;                 // they are
  std::deque<entry> list_;
  place first_; // of the list
  place end_;
  std::uint32_t readers_at_end_ = 0;
  std::size_t bytes_ = 0;
  std::uint64_t lost_until_ =
    0; // the number behind the last one that was lost and has a place in the room's order
  cluster::position lost_at_;                          // that place
  std::unordered_map<connection_id, reader*> readers_; // of those who are members
};

} // namespace canang::actors
