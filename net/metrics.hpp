#pragma once

#include "net/auth/proof.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace canang::net {

/// A number that one thread changes and any thread may read. Not an atomic read-modify-write: on the
/// fan-out path a counter costs what a plain variable costs.
class counter {
public:
  void add(std::uint64_t n) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void subtract(std::uint64_t n) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) - n, std::memory_order_relaxed);
  }
  void set(std::uint64_t n) noexcept { value_.store(n, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

private:
  std::atomic<std::uint64_t> value_{0};
};

/// A number that several threads change. Alone on its cache line, so that nothing else waits for it.
class alignas(64) shared_counter {
public:
  /// @returns the sum.
  std::uint64_t add(std::uint64_t n) noexcept {
    return value_.fetch_add(n, std::memory_order_relaxed) + n;
  }
  void subtract(std::uint64_t n) noexcept { value_.fetch_sub(n, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

private:
  std::atomic<std::uint64_t> value_{0};
};

/// Upper bounds of the latency histograms, in nanoseconds: 10 us to 10 s, three a decade.
inline constexpr std::array<std::uint64_t, 19> latency_bounds_ns{
  10'000,      25'000,        50'000,        100'000,       250'000,       500'000,     1'000'000,
  2'500'000,   5'000'000,     10'000'000,    25'000'000,    50'000'000,    100'000'000, 250'000'000,
  500'000'000, 1'000'000'000, 2'500'000'000, 5'000'000'000, 10'000'000'000};

/// A histogram of durations; one writing thread, any reader.
class latency_histogram {
public:
  void observe_ns(std::uint64_t ns) noexcept;

  /// Count of the bucket `index`; the last one is everything over the highest bound.
  [[nodiscard]] std::uint64_t bucket(std::size_t index) const noexcept {
    return buckets_[index].value();
  }
  [[nodiscard]] std::uint64_t sum_ns() const noexcept { return sum_ns_.value(); }

  static constexpr std::size_t bucket_count = latency_bounds_ns.size() + 1;

private:
  std::array<counter, bucket_count> buckets_;
  counter sum_ns_;
};

/// Why a connection ended, from the server's view. Each connection counts once.
enum class close_reason : std::uint8_t {
  normal,         ///< the client closed with 1000 or without a code
  going_away,     ///< the client closed with 1001: a page was left
  client_close,   ///< the client closed with any other code
  abnormal,       ///< the connection ended without a close frame
  protocol_error, ///< the client broke RFC 6455
  bad_payload,    ///< text that is not UTF-8
  too_big,        ///< a message over the limit
  write_error,    ///< the socket refused to be written
  ping_timeout,   ///< a ping stayed without an answer
  slow_consumer,  ///< its outbox was over the limit
  drain,          ///< this node is shutting down
  messages_lost,  ///< publications were lost to it and it could not be told otherwise
  publish_failed, ///< its publish failed and it could not be told otherwise
  join_failed,    ///< a room could not be joined and it could not be told otherwise
  rebalance,      ///< this node had more than its share of the cluster's connections
  rate_limited,   ///< it went on sending more than it may
  over_budget,    ///< it held most of what the node may hold for its clients
  unidentified,   ///< it did not say in time who it is
  not_allowed,    ///< it did what it may not, and could not be told otherwise
  disconnected,   ///< somebody had its user disconnected, or removed from its room
  bad_token,      ///< the token that it showed is none of ours, or it showed none and has to
  expired,        ///< its time, or its token's, was over
  handler_error,  ///< a fault of ours; never expected
};
inline constexpr std::size_t close_reason_count = 23;

/// The label of a reason, as in `canang_closes_total{reason=...}` and in the log.
[[nodiscard]] std::string_view to_string(close_reason reason) noexcept;

/// Why a handshake was not accepted.
enum class reject_reason : std::uint8_t {
  bad_request,
  bad_method,
  not_an_upgrade,
  bad_room,
  headers_too_large,
  timeout,
  unavailable, ///< the node does not serve now, or the room cannot be joined
  connections, ///< the node has as many connections as it may
  memory,      ///< the node has no memory for more
  rate,        ///< too many new connections at once
  origin,      ///< a page of a site that may not
  address,     ///< its address has as many connections as it may
  crowded,     ///< it had made no request when others needed its place
  rooms,       ///< the node has as many rooms as it may, and this would be one more
  forbidden,   ///< it may not join that room
  no_token,    ///< nobody is let in without a token
  bad_token,   ///< its token is none of ours, or not for this
  expired,     ///< its token was good
};
inline constexpr std::size_t reject_reason_count = 18;

/// The label of a reason, as in `canang_handshakes_rejected_total{reason=...}`.
[[nodiscard]] std::string_view to_string(reject_reason reason) noexcept;

/// Closes by code and reason. Codes that a client made up share a slot a range, since labels must not
/// grow with what clients send.
class close_counters {
public:
  static constexpr std::size_t code_slots = 18; // 1000..1015, 3xxx, 4xxx

  void count(std::uint16_t code, close_reason reason) noexcept;

  /// The slot of a code; one that no close may have shares that of 1006.
  [[nodiscard]] static std::size_t slot_of(std::uint16_t code) noexcept;

  [[nodiscard]] std::uint64_t value(std::size_t slot, close_reason reason) const noexcept {
    return counts_[slot][static_cast<std::size_t>(reason)].value();
  }

  /// The label of a slot: "1006", "3xxx".
  [[nodiscard]] static std::string_view label(std::size_t slot) noexcept;

private:
  std::array<std::array<counter, close_reason_count>, code_slots> counts_;
};

/// Why something of a room was let go before its time.
enum class forget_reason : std::uint8_t {
  budget, ///< all histories were too large: its history
  rooms,  ///< there were too many rooms: all that was kept of it
  memory, ///< memory was over its limit: all that was kept of it
};
inline constexpr std::size_t forget_reason_count = 3;

/// The label of a reason, as in `canang_rooms_forgotten_total{reason=...}`.
[[nodiscard]] std::string_view to_string(forget_reason reason) noexcept;

/// By which rule of its room a slow member lost messages.
enum class slow_loss : std::uint8_t { drop_oldest, latest };
inline constexpr std::size_t slow_loss_count = 2;

/// The label of a rule, as in `canang_slow_consumer_dropped_total{policy=...}`.
[[nodiscard]] std::string_view to_string(slow_loss policy) noexcept;

/// What became of something that a client said in a request of its own, see `emulated_session`.
enum class emulation_outcome : std::uint8_t {
  taken,   ///< its session has it
  unknown, ///< there is no such session
  busy,    ///< too much waits for the session already
  unavailable, ///< nobody could be asked, or nobody answered in time: the session may have it all the same
};
inline constexpr std::size_t emulation_outcome_count = 4;

/// The label of an outcome, as in `canang_emulation_requests_total{outcome=...}`.
[[nodiscard]] std::string_view to_string(emulation_outcome outcome) noexcept;

/// What became of a connection to a port that speaks TLS before its first request.
enum class tls_outcome : std::uint8_t {
  full,       ///< the handshake is done
  resumed,    ///< done, with an earlier session
  failed,     ///< client and server have nothing in common, or the client broke the protocol
  unverified, ///< the client's certificate is missing, expired, or of another authority
  not_tls,    ///< it spoke something else
  timeout,    ///< it was not done in time
  crowded,    ///< others needed its place
  left,       ///< the client went
};
inline constexpr std::size_t tls_outcome_count = 8;

/// The label of an outcome, as in `canang_tls_handshakes_total{result=...}`.
[[nodiscard]] std::string_view to_string(tls_outcome outcome) noexcept;

/// All that one loop counts. Written on the loop's thread only, read by a scrape from any thread.
struct loop_metrics {
  counter accepted_total;
  counter accept_errors_total;
  counter connections;          ///< open WebSocket sessions
  counter http_connections;     ///< connections that are none, or not yet
  counter http_displaced_total; ///< of those, closed because others needed their place
  counter http_answers_due;     ///< requests whose body, answer or both are on their way
  counter http_failures_total;  ///< requests whose handler failed: a fault of ours
  counter rooms;
  counter members;
  counter publications_total;
  counter deliveries_total;
  counter received_bytes_total;
  counter sent_bytes_total;
  counter deflated_from_bytes_total; ///< payload of compressed messages, once for all members
  counter deflated_to_bytes_total;   ///< the same, compressed
  counter inflated_from_bytes_total; ///< payload of messages of clients that were compressed
  counter inflated_to_bytes_total;   ///< the same, inflated
  counter outbox_bytes;              ///< what waits for clients, as it counts for the limit of each
  counter outbox_memory_bytes; ///< the memory of it: a buffer that several wait for counts once
  counter inbox_bytes;         ///< memory of messages, bodies and records not sent whole by clients
  counter messages_dropped_total; ///< publications that a closing or slow session did not take
  std::array<counter, slow_loss_count>
    slow_lost_total; ///< messages that slow members lost, and stayed
  counter pings_sent_total;
  counter turns_total;
  counter history_bytes; ///< of payload
  counter known_rooms;   ///< with an actor, or kept for those who may come back
  counter idle_rooms;    ///< of these, without members
  counter room_actors_memory_bytes;
  counter kept_rooms_memory_bytes;
  counter history_memory_bytes;
  counter idle_history_memory_bytes; ///< of these, of rooms without members
  counter shed_bytes_total;          ///< let go because memory was over its limit
  std::array<counter, forget_reason_count> forgotten_rooms_total;
  counter room_waiting_bytes; ///< publishes that wait, because their rooms are over their rate
  counter users_memory_bytes; ///< of the index of users
  counter stream_rooms_memory_bytes; ///< of what event streams of several rooms know of them
  counter recovered_total;           ///< members that resumed and miss nothing
  counter not_recovered_total;       ///< members that asked to resume and had to be told no
  std::array<counter, reject_reason_count> rejected_total;
  std::array<counter, proof_count> token_checks_total;
  std::array<counter, tls_outcome_count> tls_handshakes_total;
  close_counters closes;
  std::array<shared_counter, emulation_outcome_count> emulations_total; ///< from any thread
  latency_histogram publish_to_flush;
  latency_histogram turn;
  /// Steady clock at the last turn, in nanoseconds; how `/healthz` sees that a loop is stuck.
  std::atomic<std::int64_t> last_turn_ns{0};
  /// Publications on their way to the loop's hub, and from bridges to its rooms, that it has not handled yet: in
  /// bytes, see `actors::cost_in_flight`. Changed by all loops; what is on its way may outlive the loop.
  std::shared_ptr<shared_counter> backlog_bytes = std::make_shared<shared_counter>();
};

} // namespace canang::net
