#pragma once

#include "bench/load/checker.hpp"
#include "bench/load/options.hpp"
#include "bench/load/socket.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace canang::load {

/// One connection to be made.
struct member_plan {
  std::uint32_t room = 0;
  std::uint32_t server = 0;    ///< index into servers
  std::int32_t publisher = -1; ///< number of the publisher within the room, -1 for none
  bool stalled = false;        ///< never reads
  bool measured = true;
  bool witness = false; ///< a message of its room is in flight until this member has it
};

struct server_plan {
  endpoint address;
  std::string authority;
  std::string path;
  std::string query;
};

struct room_plan {
  std::string name;
  room_rules rules;
  std::uint32_t readers = 0; ///< members that are not stalled
};

/// Who connects where and does what: fixed before the first connection, read by all threads.
struct plan {
  std::uint32_t run = 0;
  std::vector<server_plan> servers;
  std::vector<endpoint> sources;
  std::vector<room_plan> rooms;
  std::vector<member_plan> members; ///< in the order of connecting, room after room
  std::uint32_t publishers = 0;     ///< a room
  std::uint32_t stalled = 0;
};

/// Lays out a run: members in turn over servers, the last members of each room publish (in the
/// servers that deliver in the order of joining they see a message after all others), the stalled
/// ones evenly among those that don't publish. With a URL for publishers these connect there and are
/// not measured: the last one before them is the witness of its room. Throws std::runtime_error when an address can't be
/// resolved.
plan make_plan(const options& o, std::uint32_t run);

} // namespace canang::load
