#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace canang::net {

/// Deadlines of many connections at the cost of a few pointers each, instead of a timer each.
///
/// A hashed wheel after Varghese and Lauck: an entry hangs in the slot of its deadline's tick, ticks
/// beyond one round stay in their slot until their round comes. Schedule and cancel are O(1).
/// Owned by a loop (or an actor on it) and used on that thread only. A deadline fires at its tick or
/// later, never earlier, and late by at most one tick plus the time between calls of `advance`.
class timing_wheel {
public:
  using clock = std::chrono::steady_clock;

  /// The part that an object with a deadline embeds or inherits. Leaves its wheel when destroyed.
  class entry {
  public:
    entry() = default;
    entry(const entry&) = delete;
    entry& operator=(const entry&) = delete;

    /// Takes the entry off its wheel; does nothing when it is on none.
    void cancel() noexcept;

    [[nodiscard]] bool scheduled() const noexcept { return next_ != nullptr; }

  protected:
    virtual ~entry() { cancel(); }

  private:
    friend class timing_wheel;

    /// Called by `advance`, off the wheel; may schedule itself or others, or destroy itself.
    virtual void on_deadline(clock::time_point now) = 0;

    entry* next_ = nullptr;
    entry* previous_ = nullptr;
    std::uint32_t tick_ = 0; // enough for 13 years of 100 ms; last, so that its padding can be used
  };

  /// A wheel of `slots` slots, each `tick` long, that starts at `now`.
  explicit timing_wheel(clock::time_point now,
                        std::chrono::milliseconds tick = std::chrono::milliseconds{100},
                        std::size_t slots = 512);

  timing_wheel(const timing_wheel&) = delete;
  timing_wheel& operator=(const timing_wheel&) = delete;
  ~timing_wheel();

  /// Puts `item` on the wheel, or moves it when it is there already.
  void schedule(entry& item, clock::time_point deadline);

  /// Fires everything that is due at `now`.
  /// @returns how many entries fired.
  std::size_t advance(clock::time_point now);

  [[nodiscard]] std::chrono::milliseconds tick() const noexcept { return tick_; }

private:
  struct anchor final : entry {
    anchor() noexcept;
    ~anchor() override;

  private:
    void on_deadline(clock::time_point) override {}
    friend class timing_wheel;
  };

  static void link_before(entry& position, entry& item) noexcept;
  [[nodiscard]] std::uint64_t tick_of(clock::time_point deadline) const;
  std::size_t fire_slot(std::uint64_t tick, clock::time_point now);

  clock::time_point start_;
  std::chrono::milliseconds tick_;
  std::uint64_t current_ = 0; // all ticks up to this one have fired
  std::vector<anchor> slots_;
};

} // namespace canang::net
