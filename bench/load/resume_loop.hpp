#pragma once

#include "bench/load/connection.hpp"
#include "bench/load/frame_reader.hpp"
#include "bench/load/journal.hpp"
#include "bench/load/publisher.hpp"
#include "bench/load/resume.hpp"
#include "bench/load/socket.hpp"
#include "bench/load/url.hpp"

#include <cstdint>
#include <functional>
#include <queue>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::load {

/// A member over all its connections. Owned by a resume_loop.
struct returning_member {
  enum class place : std::uint8_t { away, connecting, handshaking, joining, open };

  place at = place::away;
  bool waits_for_write = false;
  descriptor fd;
  frame_reader reader;
  std::string out;   ///< waits for the socket
  std::string key;   ///< Sec-WebSocket-Key, during the handshake
  std::string epoch; ///< of the last frame with a position; empty before the first
  std::uint64_t offset = 0;
  std::uint64_t begun_ns = 0; ///< this connection; when open: the membership
  std::uint64_t heard_ns = 0; ///< when open: the last byte of the server
  std::uint32_t attempt = 0;  ///< since it was last in its room for some time
  std::uint32_t published = 0;
};

/// The loop of `canang-load resume`: one thread, epoll, all members. Lives for one run.
class resume_loop {
public:
  explicit resume_loop(const resume_options& o);

  /// Until told to stop and all has come; true when every member is in its room at the end.
  bool run();

private:
  using place = returning_member::place;
  class inbound; // what the frame reader calls

  enum class phase : std::uint8_t { ramping_up, publishing, settling };

  // resume.cpp
  void take_phase(std::uint64_t now);
  bool has_settled() const;
  void publish_due(std::uint64_t now);
  bool publish_in(std::uint32_t room, std::uint64_t now);
  void wait_and_handle(std::uint64_t now);
  void handle(std::uint32_t index, std::uint32_t events);
  void receive(std::uint32_t index);
  void take_bytes(std::uint32_t index, std::size_t size, std::uint64_t now);
  bool on_message(std::uint32_t index, std::string_view text, std::uint64_t now);
  bool on_control(std::uint32_t index, opcode op, std::string_view payload, std::uint64_t now);
  void tell_progress(std::uint64_t now);

  // resume_connect.cpp
  void start_due(std::uint64_t now);
  void start(std::uint32_t index, std::uint64_t now);
  void finish_connect(std::uint32_t index);
  void read_handshake(std::uint32_t index);
  void fail_overdue(std::uint64_t now);
  void flush(std::uint32_t index);
  /// It was in its room, and comes back.
  void lose(std::uint32_t index, std::string_view code);
  /// It did not get as far as that, and tries again.
  void fail(std::uint32_t index, std::string_view why);
  void come_back(std::uint32_t index, std::uint64_t now);

  std::string room_of(std::uint32_t index) const;
  std::uint32_t mask() { return static_cast<std::uint32_t>(random_()); }

  const resume_options& opts_;
  const url url_;
  const endpoint server_;
  std::vector<endpoint> sources_;
  descriptor epoll_;
  journal journal_;
  std::vector<returning_member> members_;
  std::vector<std::uint32_t> turns_; // a room: whose turn it is to publish
  std::vector<char> buffer_;         // of all members; holds the bytes of one recv
  std::mt19937_64 random_;

  using due = std::pair<std::uint64_t, std::uint32_t>; // when, and which member
  std::priority_queue<due, std::vector<due>, std::greater<>> away_;
  std::uint32_t open_ = 0;
  phase phase_ = phase::ramping_up;
  pacer pacer_;
  std::uint64_t next_check_ns_ = 0;
  std::uint64_t stopped_ns_ = 0;
  std::uint64_t last_arrival_ns_ = 0;
  struct {
    std::uint64_t time_ns = 0, published = 0, got = 0, closes = 0;
  } told_, tally_;
};

/// The steady clock, as it stands in journals: other processes of the machine read the same.
std::uint64_t steady_ns() noexcept;

} // namespace canang::load
