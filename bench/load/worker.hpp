#pragma once

#include "bench/load/connection.hpp"
#include "bench/load/histogram.hpp"
#include "bench/load/publisher.hpp"
#include "bench/load/run_state.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace canang::load {

/// What a worker found out; to be read after its run() has returned.
struct worker_findings {
  histogram latency;
  histogram connect_latency;
  std::map<std::string, std::uint64_t> connect_errors;
  std::map<std::string, std::uint64_t> closes;         ///< by close code, not asked for by us
  std::map<std::string, std::uint64_t> stalled_closes; ///< the same of stalled members
  std::uint64_t retyped = 0;  ///< came as binary, were sent as text, or the other way round
  std::uint64_t given_up = 0; ///< closed loop: messages in flight that never came back
};

/// One thread of the load: an epoll loop over its share of the connections. The coordinator creates
/// it and calls run() on a thread of its own; nothing else is called until that has returned.
class worker {
public:
  /// Takes the members whose index is `index` modulo `count`.
  worker(run_state& state, std::uint32_t index, std::uint32_t count);

  /// Works until the phase is closing and all connections are closed.
  void run();

  const worker_counters& counters() const noexcept { return counters_; }
  const worker_findings& findings() const noexcept { return findings_; }
  const std::vector<connection>& connections() const noexcept { return connections_; }

private:
  class inbound; // what the frame reader and the dialect call

  // worker.cpp: the loop
  void take_phase();
  void wait_and_handle();
  std::uint64_t wait_limit_ns(std::uint64_t now) const;
  void handle(connection& c, std::uint32_t events);
  void watch(connection& c);
  void flush(connection& c);
  void close_all();
  void close(connection& c, const std::string& code);
  void tell_counters();

  // worker_connect.cpp: TCP and the handshake
  void start_due_connections(std::uint64_t now);
  void start(connection& c, std::uint64_t now);
  void finish_connect(connection& c);
  void read_handshake(connection& c);
  void on_upgraded(connection& c, std::uint64_t now, std::string_view rest);
  void on_joined(connection& c, std::uint64_t now);
  void fail(connection& c, const std::string& why);
  void fail_overdue(std::uint64_t now);

  // worker_receive.cpp: messages
  /// Whether the socket may hold more: surely not; only if its end was told; since the buffer was
  /// too small.
  enum class unread : std::uint8_t { none, unlikely, likely };
  unread receive(connection& c);
  void take_bytes(connection& c, std::size_t size, std::uint64_t now);
  bool on_message(connection& c, opcode op, std::string_view message, std::uint64_t now);
  void on_publication(connection& c, std::string_view payload, std::uint64_t now);
  bool on_control(connection& c, opcode op, std::string_view payload);

  // worker_publish.cpp: sending
  void start_publishing();
  void publish(publisher& p, std::uint64_t due_ns);
  void publish_due(std::uint64_t now);
  /// A message of the publisher was delivered where that counts.
  static void on_back(publisher& p, std::string_view payload, std::uint64_t now);
  void refill(publisher& p, std::uint64_t now);
  void refill_witnessed(const connection& witness, std::uint64_t now);
  void give_up_overdue(std::uint64_t now);

  std::uint32_t random() noexcept;
  std::uint32_t index_of(const connection& c) const noexcept {
    return static_cast<std::uint32_t>(&c - connections_.data());
  }
  const member_plan& plan_of(const connection& c) const { return state_.layout.members[c.member]; }
  const room_plan& room_of(const connection& c) const {
    return state_.layout.rooms[plan_of(c).room];
  }

  run_state& state_;
  const options& opts_;
  const std::uint32_t index_;
  const std::uint32_t count_;
  const bool transparent_;
  const opcode message_opcode_;

  descriptor epoll_;
  std::vector<std::uint32_t> sequences_; // next expected, for the checkers of all connections
  std::vector<connection> connections_;
  std::vector<char> buffer_;              // of all connections; holds the bytes of one recv
  std::vector<std::uint32_t> unfinished_; // connections whose bytes did not fit into it

  phase seen_ = phase::connecting;
  std::size_t next_to_start_ = 0;
  std::uint32_t starting_ = 0;
  std::deque<std::uint32_t> started_; // connecting or handshaking, oldest first
  std::uint32_t alive_ = 0;
  std::uint64_t close_deadline_ns_ = 0;

  std::vector<publisher> publishers_;
  pacer pacer_;
  std::uint64_t record_from_ns_ = ~std::uint64_t{0};
  std::uint64_t next_check_ns_ = 0;
  std::string payload_;
  std::string message_;
  std::vector<std::uint32_t> dirty_;
  std::uint64_t random_;

  struct {
    std::uint64_t connected = 0, failed = 0, last_connected_ns = 0, closed = 0, publishes = 0,
                  deliveries = 0, expected = 0, bytes = 0, odd = 0, unmeasured = 0;
  } tally_;
  worker_counters counters_;
  worker_findings findings_;
};

} // namespace canang::load
