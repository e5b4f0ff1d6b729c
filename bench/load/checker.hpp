#pragma once

#include "bench/load/payload.hpp"

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace canang::load {

/// What a received message turned out to be.
enum class verdict : std::uint8_t {
  expected,  ///< the next one of its publisher
  after_gap, ///< sound, but one or more before it are missing so far
  late,      ///< one of the missing ones: it came out of order
  doubled,   ///< was here before
  misrouted, ///< belongs to another room
  corrupt,   ///< ours, but damaged
  foreign,   ///< not of this run
};

/// How often a member saw what it should not have seen.
struct oddities {
  std::uint64_t reordered = 0;
  std::uint64_t doubled = 0;
  std::uint64_t misrouted = 0;
  std::uint64_t corrupt = 0;
  std::uint64_t foreign = 0;

  void add(const oddities& other) noexcept;
};

/// What all members of a room have in common; outlives their checkers.
struct room_rules {
  std::uint32_t run = 0;
  std::uint32_t room = 0;
  std::uint32_t publishers = 1;
  std::size_t message_size = payload::header_size;
  /// False: messages are only counted (--checks count).
  bool full = true;
};

/// Judges every message that one member receives: room, publisher, sequence, text, order.
///
/// Per publisher the sequence must rise by one; a jump is remembered as missing until it comes late
/// or the run ends (lost). Across publishers the order is folded into a hash that all members of
/// the room must share in the end. The expected message costs a few comparisons and no memory.
/// Owned by a connection, one thread.
class member_checker {
public:
  /// `next` has one zero for each publisher and outlives the checker.
  member_checker(const room_rules& rules, std::span<std::uint32_t> next) noexcept
    : rules_(&rules), next_(next.data()), prefix_(payload::prefix(rules.run, rules.room)) {}

  verdict accept(std::string_view message) {
    const char* const p = message.data();
    const std::size_t size = rules_->message_size;
    if (message.size() != size || message.size() < payload::header_size
        || payload::prefix_of(p) != prefix_) [[unlikely]]
      return accept_odd(message);
    if (!rules_->full) {
      ++received_;
      return verdict::expected;
    }
    const auto publisher = payload::publisher_of(p);
    const auto sequence = payload::sequence_of(p);
    if (publisher >= rules_->publishers || sequence != next_[publisher]
        || std::memcmp(p + payload::header_size, payload::filler_text(sequence),
                       size - payload::header_size)
             != 0) [[unlikely]]
      return accept_odd(message);
    next_[publisher] = sequence + 1;
    fold(publisher, sequence);
    ++received_;
    return verdict::expected;
  }

  /// Different sound messages received.
  std::uint64_t received() const noexcept { return received_; }
  /// Equal for members that saw the same messages in the same order.
  std::uint64_t order_hash() const noexcept { return order_hash_; }
  const oddities& odd() const noexcept { return odd_; }

  /// Messages that were sent before the last one that came, but never came.
  std::uint64_t missing() const noexcept { return missing_count_; }
  /// Messages after the last one that came. `sent` has the number sent a publisher.
  std::uint64_t behind(std::span<const std::uint32_t> sent) const noexcept;

private:
  struct gap {
    std::uint32_t publisher;
    std::uint32_t from;
    std::uint32_t to; // not included
  };
  static constexpr std::size_t max_gaps = 4096; // older ones can no longer turn out late

  void fold(std::uint32_t publisher, std::uint32_t sequence) noexcept {
    const std::uint64_t id = std::uint64_t{publisher} << 32 | sequence;
    order_hash_ = (order_hash_ ^ id) * 0x9E3779B97F4A7C15ULL;
    order_hash_ ^= order_hash_ >> 29;
  }

  verdict accept_odd(std::string_view message);
  verdict accept_out_of_turn(std::uint32_t publisher, std::uint32_t sequence);
  bool take_missing(std::uint32_t publisher, std::uint32_t sequence);

  const room_rules* rules_;
  std::uint32_t* next_;
  std::uint64_t prefix_;
  std::uint64_t received_ = 0;
  std::uint64_t order_hash_ = 0;
  std::uint64_t missing_count_ = 0;
  oddities odd_;
  std::vector<gap> gaps_;
};

} // namespace canang::load
