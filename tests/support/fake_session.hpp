#pragma once

#include "net/loop_context.hpp"
#include "net/session.hpp"
#include "tests/support/later_queue.hpp"

#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace canang::sim {

class fake_session;
class sim_home;

/// A message of a client or of the server.
struct message {
  net::frame_type type = net::frame_type::text;
  std::string payload;

  friend bool operator==(const message&, const message&) = default;
};

/// The client's end of a fake session: what it got, and what it does. Outlives the session.
struct fake_peer {
  std::vector<message> received;
  std::size_t pings = 0;
  std::optional<std::uint16_t> close_code;  ///< of the server's close frame
  std::optional<net::close_reason> aborted; ///< cut by the server, and why
  std::optional<net::close_info> reported;  ///< what the session's handler was told at the end
  bool was_opened = false;
  bool was_refused = false;         ///< got a 503 instead
  net::reject_reason refused_for{}; ///< then: why
  bool reading_is_paused = false;
  std::size_t pauses = 0;
  /// Bytes that it still takes; what is over makes it a slow consumer.
  std::size_t appetite_bytes = std::numeric_limits<std::size_t>::max();
  bool write_fails = false;        ///< the next write finds the connection gone
  bool pause_throws = false;       ///< a fault of ours: pausing ends in an exception
  bool reads_later = false;        ///< its socket is full: what it is sent it takes in later steps
  bool is_stuck = false;           ///< then: it takes nothing, until `go_on_reading`
  fake_session* session = nullptr; ///< null once it is destroyed

  /// Sends a message, or closes: the server finds it in this order when it reads.
  void send(net::frame_type type, std::string payload);
  void close(std::uint16_t code, net::close_reason reason);

  /// It is not stuck any more.
  void go_on_reading();

  /// The connection is gone, and the server sees it whatever it is doing.
  void vanish();
};

/// A session without a socket. Calls its handler only from the `later_queue`, as the contract of
/// `net::session` wants it, and checks that it is used and destroyed on its own home.
class fake_session final : public net::session {
public:
  /// `home` may be null, for tests without actors.
  fake_session(std::uint64_t number, net::loop_context& context, later_queue& later,
               const sim_home* home, std::shared_ptr<fake_peer> peer);
  ~fake_session() override;

  void attach(std::unique_ptr<net::session_handler> handler) override;
  void open() override;
  [[nodiscard]] bool is_open() const noexcept override { return state_ == state::open; }
  net::send_status send(const net::frame_buffer_ptr& buffer, std::size_t from,
                        std::size_t to) override;
  [[nodiscard]] bool has_waiting() const noexcept override { return !waiting_.empty(); }
  void refuse(net::reject_reason reason) override;
  net::send_status send_reply(const net::frame_buffer_ptr& head,
                              net::frame_source_ptr rest) override;
  void pause_reading(bool paused) override;
  [[nodiscard]] bool has_unread() const noexcept override { return !inputs_.empty(); }
  void close(std::uint16_t code, std::string_view text, net::close_reason reason) override;
  void abort(net::close_reason reason) override;
  [[nodiscard]] clock::time_point last_heard() const noexcept override { return heard_; }
  [[nodiscard]] std::string peer() const override { return "client" + std::to_string(number_); }
  void ping() override;

  void set_last_heard(clock::time_point when) noexcept { heard_ = when; }

private:
  friend struct fake_peer;

  enum class state : std::uint8_t { opening, open, closing, closed };

  struct input {
    message data;
    std::optional<net::close_info> close;
  };

  /// What was sent behind the answer to a join while the client was still reading that; or to one that reads later.
  struct waiting {
    net::frame_source_ptr answer; // or null
    std::string frames{};
  };

  void check_home() const;
  void read_more();
  void read_one();
  void report(const net::close_info& info);
  void report_later(const net::close_info& info);
  void take_or_queue(std::string_view frames);
  void take_later();
  void take_waiting(std::size_t pieces);
  void take_frames(std::string_view bytes);

  std::uint64_t number_;
  net::loop_context& context_;
  later_queue& later_;
  const sim_home* home_;
  std::shared_ptr<fake_peer> peer_;
  std::unique_ptr<net::session_handler> handler_;
  std::deque<input> inputs_;
  std::deque<waiting> waiting_; // first an answer, then what was sent behind it, ...
  clock::time_point heard_;
  state state_ = state::opening;
  bool reading_ = false;
  bool reported_ = false;
};

} // namespace canang::sim
