#pragma once

#include "base/name_map.hpp"
#include "base/rare_text.hpp"
#include "cluster/broker.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

namespace canang::cluster {

/// Who a node is to its members, and how it writes them down.
struct presence_options {
  std::string node;
  /// The member as JSON, for publications that tell of it.
  std::function<std::string(const present_member&)> describe;
};

/// The presence of a node that runs alone. Owned by its broker, on the broker's thread.
class local_presence {
public:
  using clock = std::chrono::steady_clock;
  /// Publishes that a member came or went.
  using tell_function =
    std::function<void(std::string_view room, publication_kind kind, std::string&& member)>;

  local_presence(const presence_options& options, tell_function tell)
    : options_(options), tell_(std::move(tell)) {}

  /// A member has come or gone. `is_told`: that is published in the room.
  /// @returns whether anybody is in the room now.
  bool note(std::string_view room, bool is_told, const local_member& who, bool is_here,
            clock::time_point now);

  /// From now on comings and goings are told in the room, or not. Those who are there are not told to have come;
  /// leaves that are in their grace are told.
  void set_told(std::string_view room, bool is_told);

  /// Tells the leaves whose grace is over. To be called about once a second.
  void expire(clock::time_point now);

  void report(std::string_view room, bool with_members, room_report& into) const;

  /// The rooms with members that are wanted.
  [[nodiscard]] room_list list(const room_list_request& wanted) const;

  /// Bytes of memory that all of it takes.
  [[nodiscard]] std::size_t cost() const noexcept;

private:
  struct room_members {
    std::unordered_map<std::uint64_t, rare_text> present; // by connection: as of who_text.hpp
    name_map<std::size_t> connections;                    // by user
    name_map<std::uint64_t> leaving; // in their grace, see `leaver`: which leave it was
    bool is_told = false;
  };

  struct pending_leave {
    clock::time_point due;
    std::string room;
    std::string who; // as of who_text.hpp
    std::uint64_t connection;
    std::uint64_t number;
  };

  using room_map = name_map<room_members>;

  void forget(room_map::iterator room);
  void set_told(room_members& members, bool is_told);
  [[nodiscard]] static std::string leaver(std::uint64_t connection, std::string_view user);
  bool stop_leaving(room_members& members, const std::string& who);
  void add(std::string_view room, room_members& members, const local_member& who);
  void remove(std::string_view room, room_members& members, const local_member& who,
              clock::time_point now);
  void tell(std::string_view room, publication_kind kind, std::uint64_t connection,
            std::string_view who);

  presence_options options_;
  tell_function tell_;
  room_map rooms_;
  std::list<pending_leave> leaves_; // soonest first
  std::uint64_t leave_count_ = 0;
  std::size_t texts_cost_ =
    0; // of the rooms' names, and of who the members and those in their grace are: what they take outside
  std::size_t member_count_ = 0;
  std::size_t users_cost_ = 0; // entries of `connections` and `leaving`, of all rooms
};

} // namespace canang::cluster
