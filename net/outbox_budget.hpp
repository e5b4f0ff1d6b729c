#pragma once

#include "net/loop_context.hpp"
#include "net/memory_holder.hpp"
#include "net/metrics.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

namespace canang::net {

/// What a loop holds in memory for its clients, in bytes: what waits for them to read, and what they sent
/// that is not whole, records of TLS too. A buffer for which many wait counts once: a burst to a large room
/// is no reason to close its members.
[[nodiscard]] inline std::uint64_t held_for_clients(const loop_metrics& of_loop) noexcept {
  return of_loop.outbox_memory_bytes.value() + of_loop.inbox_bytes.value();
}

/// How much a node may hold in memory for its clients, all of them together: each has limits of its own, but
/// there are many of them. One for all loops; asked on any of them, without a lock.
///
/// While more memory is in use than the node may, what is too much comes off the budget, whoever uses it: down
/// to a sixteenth, since below that clients would be closed who just have a frame on its way.
class outbox_budget {
public:
  /// 0: no limit.
  explicit outbox_budget(std::uint64_t max_bytes) noexcept : max_bytes_(max_bytes) {}

  /// Counts this loop too. Before the first question; `of_loop` outlives the last one.
  void watch(const loop_metrics& of_loop) { loops_.push_back(&of_loop); }

  /// What the node uses of its memory at present, and may; 0 is no limit.
  void set_memory(std::uint64_t used_bytes, std::uint64_t max_bytes) noexcept;

  /// The budget at present, in bytes; 0 is no limit.
  [[nodiscard]] std::uint64_t bytes() const noexcept;

  /// What a loop of them may hold, where all hold too much.
  [[nodiscard]] std::uint64_t share() const noexcept;

  /// How many bytes `own` has to let go of: 0 unless the node holds more than the budget and this loop more
  /// than its share of it. It is some more than what is too much, so that the next byte is not too much again.
  [[nodiscard]] std::uint64_t excess(const loop_metrics& own) const noexcept;

private:
  const std::uint64_t max_bytes_;
  std::vector<const loop_metrics*> loops_;
  std::atomic<std::uint64_t> lacking_bytes_{0}; // memory in use beyond what the node may
};

/// Keeps one loop within its share of the budget: closes those of its connections that hold most, one after the
/// other, until what is left is enough below. What they hold may be shared with others that are as far behind,
/// and goes with the last of them. Owned by the loop, used on its thread.
class budget_keeper {
public:
  /// Both must outlive it.
  budget_keeper(loop_context& context, const outbox_budget& budget)
    : context_(context), budget_(budget) {}

  /// To be called at the end of each turn; does nearly nothing while all is well. Where too much is held,
  /// `let_go_first` is called before any session is closed: it lets go of what is nobody's.
  template <class Function>
  void keep(Function let_go_first) {
    if (budget_.excess(context_.metrics) == 0)
      return;
    let_go_first();
    if (const auto excess = budget_.excess(context_.metrics); excess > 0)
      let_go(excess);
  }
  void keep() {
    keep([] {});
  }

private:
  struct holder {
    std::size_t bytes;
    memory_holder* who;
  };

  void let_go(std::uint64_t excess);
  [[nodiscard]] std::vector<holder> holders() const;
  void log(std::uint64_t closed, std::uint64_t bytes);

  loop_context& context_;
  const outbox_budget& budget_;
  loop_context::clock::time_point next_look_{};
  std::uint64_t next_look_bytes_ = 0; // held: then it looks earlier
  loop_context::clock::time_point next_line_{};
  std::uint64_t closed_ = 0; // since the last line of the log
  std::uint64_t freed_bytes_ = 0;
};

} // namespace canang::net
