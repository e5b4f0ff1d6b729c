#pragma once

#include "cluster/publication.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::cluster {

enum class broker_errc : std::uint8_t {
  none,
  unavailable, ///< try again later; whether it was stored cannot be told
  refused,     ///< not stored: the room's data is not what it should be
};

/// What became of a publish.
struct publish_outcome {
  broker_errc error = broker_errc::none;
  position at{};          ///< where the publication is stored
  bool duplicate = false; ///< stored before under the same idempotency key; not delivered again
};

/// What a joining member wants to have first.
struct recover_request {
  /// The last publication that it had: all that follows, or none.
  std::optional<position> since;
  /// Without `since`: this many of the last publications, or as many as are kept.
  std::size_t limit = 0;
};

/// What came of it. What the subscriber is told afterwards follows `top` without a gap.
struct history_page {
  broker_errc error = broker_errc::none;
  position top;
  std::vector<publication_ptr> publications; ///< oldest first, the last one at `top`
  bool recovered = false; ///< there was a `since`, and nothing after it is missing
};

/// A connection that is a member of a room on this node.
struct local_member {
  std::uint64_t id = 0; ///< of the connection
  std::string who;      ///< as of cluster/who_text.hpp
};

/// A member of a room on some node.
struct present_member {
  std::string id; ///< `NODE/CONNECTION`
  std::string node;
  std::string user;
  std::string info{};      ///< what the token of its connection has others know: JSON, or nothing
  std::string room_info{}; ///< likewise that of the room
};

/// What others are told of members beside their names, of all that a report has: some thousand with as much as most
/// applications say.
inline constexpr std::size_t max_report_info_bytes = 4 * 1024 * 1024;

/// A room as it is in the whole cluster.
struct room_report {
  broker_errc error = broker_errc::none;
  position top{}; ///< with an empty epoch: nothing is known of the room
  std::vector<std::pair<std::string, std::uint64_t>> members_by_node{};
  std::vector<present_member> members{}; ///< where they were asked for and are kept
  std::size_t info_bytes = 0;            ///< of `info` and `room_info` of all of them
  bool is_info_left_out = false;         ///< of all: there is more than `max_report_info_bytes`
};

/// Which rooms are asked for: by name with `*` and `?`, so many at most.
struct room_list_request {
  std::string pattern{"*"};
  std::size_t limit = 0;
};

/// Rooms that have members, and how many.
struct room_list {
  broker_errc error = broker_errc::none;
  bool is_too_long =
    false; ///< more than were asked for, or than are looked at: then there are none
  std::vector<std::pair<std::string, std::uint64_t>> rooms{};
};

/// Rooms with members among which others are looked for, of one broker: some 20 ms of its loop.
inline constexpr std::size_t max_listed_from = 100'000;

/// How long a user may be away before its leave is told: pages are reloaded.
inline constexpr std::chrono::seconds leave_grace{3};

/// What of a room's history is wanted. Without `since`: from its beginning, or in reverse from its end.
struct history_request {
  static constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

  /// Publications that are wanted at most; joins and leaves count too.
  std::size_t limit = no_limit;
  /// Only what follows it; in reverse, what came before it.
  std::optional<position> since{};
  bool is_reverse = false;    ///< the newest first
  bool messages_only = false; ///< without joins and leaves, which do not count then
};

/// What became of it.
struct history_answer {
  broker_errc error = broker_errc::none;
  position top{}; ///< with an empty epoch: nothing is known of the room
  std::vector<publication_ptr> publications{};
  /// There was a `since` that is not of the room's history, or (not in reverse) something after it is gone.
  bool is_unrecoverable = false;
};

/// What became of the removal of a history.
struct removal_answer {
  broker_errc error = broker_errc::none;
};

/// How something is published from outside of the room.
struct publish_options {
  /// One that was used in the room within the last 5 minutes stores nothing; empty: none.
  std::string_view idempotency_key{};
  /// Delivered to whoever is a member now, without a place in the room's order: it has no offset and no epoch,
  /// is in no history, cannot be resumed, and is missed by nobody.
  bool skip_history = false;
};

using publish_handler = std::function<void(publish_outcome&&)>;
using page_handler = std::function<void(history_page&&)>;
using history_handler = std::function<void(history_answer&&)>;
using room_list_handler = std::function<void(room_list&&)>;
using removal_handler = std::function<void(removal_answer&&)>;
using report_handler = std::function<void(room_report&&)>;

/// Who hears of a room: its room actor. All calls come on the broker's thread.
class room_subscriber {
public:
  /// The room's next publication, in order of offsets; or, with an offset of 0, one that has no place in it.
  virtual void on_publication(const publication_ptr& message) = 0;

  /// The answer to the oldest publish over its channel that has none yet: answers come in the order of the
  /// publishes.
  virtual void on_published(const publish_outcome& outcome) = 0;

  /// What comes next follows `from`, which is not where the room stood. `is_lost`: between the two
  /// publications were lost, or it cannot be shown that none was; else only the epoch has changed.
  virtual void on_break(const position& from, bool is_lost) = 0;

protected:
  ~room_subscriber() = default;
};

/// What a room with members holds of its broker: by it the subscriber hears of the room. Owned by the room,
/// ends before the broker; on the broker's thread. Its end is the end of the subscription: outstanding answers
/// are not delivered any more. It may end within any call to the subscriber.
class room_channel {
public:
  room_channel() = default;
  room_channel(const room_channel&) = delete;
  room_channel& operator=(const room_channel&) = delete;
  virtual ~room_channel() = default;

  /// Stores `message` as the room's next publication, which the subscriber gets as all others do,
  /// and then the outcome. A non-empty `idempotency_key` that was used in the room within the last
  /// 5 minutes stores nothing: the outcome is that of the first time.
  virtual void publish(std::shared_ptr<publication> message, std::string_view idempotency_key) = 0;

  /// What a member that joins now is to have first. What the subscriber hears after the answer follows it.
  virtual void recover(const recover_request& request, page_handler handler) = 0;

  /// A local member has come to the room, or has left it. Where the room's settings say so, its presence is
  /// kept, and told in the room by publications of its own.
  virtual void note_member(const local_member& who, bool is_here) = 0;
};

/// Stores and hands out the publications of rooms: what makes one order of many publishers.
///
/// The embedded `memory_broker` serves a single node; a bridge to Redis serves many. A broker belongs
/// to one loop and is called on its thread only; answers may come at once, from inside the call, or
/// later. Each handler is called exactly once, at the latest when the broker ends.
class broker {
public:
  virtual ~broker() = default;

  /// Begins to tell `subscriber` of `room`'s publications. One subscriber a room: a later one takes the place of
  /// an earlier one, whose channel does nothing any more.
  [[nodiscard]] virtual std::unique_ptr<room_channel> open(std::string_view room,
                                                           room_subscriber& subscriber) = 0;

  /// Publishes in any room, whether it has members here or not.
  virtual void publish(std::string_view room, std::shared_ptr<publication> message,
                       const publish_options& options, publish_handler handler) = 0;

  /// Reads the history of any room.
  virtual void history(std::string_view room, const history_request& request,
                       history_handler handler) = 0;

  /// Removes what is kept of any room. Its epoch and offsets go on, members are not disturbed, and who resumes from an
  /// earlier place is not recovered. Publishes that are on their way come behind it or are removed, too. Keys of
  /// idempotency stay.
  virtual void remove_history(std::string_view room, removal_handler handler) = 0;

  /// Tells how any room is; counts never load the members.
  virtual void report(std::string_view room, bool with_members, report_handler handler) = 0;

  /// Tells which of its rooms have members; in a cluster those of which the presence is kept.
  virtual void list(const room_list_request& wanted, room_list_handler handler) = 0;
};

} // namespace canang::cluster
