#pragma once

#include "cluster/moderation/desk.hpp"
#include "cluster/rooms/redis_room.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace canang::cluster {

/// Where the acts of moderators are in one Redis: in one slot of their own, whatever rooms that Redis has.
struct act_keys {
  explicit act_keys(std::string_view prefix);

  std::string about;
  std::string acts;
  std::string numbers;
  std::string ends;
  std::string dropped;
  std::string lifted;
};

/// An answer of acts_read.lua.
struct act_page {
  std::string life;
  std::uint64_t last = 0;
  bool is_new = false; ///< it is the first page of all
  std::uint64_t up_to = 0;
  bool has_more = false;
  std::vector<act_change> changes{};
  std::size_t bad = 0; ///< entries that cannot be read, and are left out
};

/// Reads one. An entry that is over, or cannot be read, is one that is not there.
/// @returns nothing where it is no such answer.
[[nodiscard]] std::optional<act_page> read_act_page(const redis_reply& reply,
                                                    moderation_act::clock::time_point now);

/// One entry of it: nothing where it cannot be read. `now_ms` is Redis' clock, and `now` ours.
[[nodiscard]] act_ptr read_act(std::string_view key, std::string_view stored, std::uint64_t now_ms,
                               moderation_act::clock::time_point now);

/// The acts of moderators that one Redis has, as a node sees them: asks each second what is new, and at once when it is
/// told that there is something, or the links are whole again. Part of a broker, on its thread.
class moderation_store {
public:
  using clock = moderation_act::clock;

  struct handlers {
    std::function<void(act_news&&)> on_news;
    std::function<void(std::size_t)> on_bad; ///< entries that cannot be read
  };

  /// `services` outlive it.
  explicit moderation_store(redis_room_services& services);

  /// From now on it reads.
  void listen(handlers calls) { calls_ = std::move(calls); }

  /// To be called every 100 ms.
  void tick();

  /// The links are whole.
  void on_up();

  /// Reads, again where that is under way; `done` is called behind the news of a read that began after this call, and
  /// succeeded, however long that takes.
  void reread(std::function<void()> done);

  /// With what came of each, in their order.
  void write(const std::vector<act_write>& what,
             std::function<void(std::vector<act_stored>&&)> handler);

private:
  /// Up to which change of which data.
  struct place {
    std::string life;
    std::uint64_t up_to = 0;
  };

  void read();
  void ask(std::uint64_t base);
  void on_page(act_page&& page);
  void end_read(bool is_good);
  [[nodiscard]] std::array<std::string_view, 6> keys() const noexcept;

  redis_room_services& services_;
  act_keys at_;
  handlers calls_;
  place known_;            // what the news have told so far
  bool is_known_ = false;  // they have told something
  place reads_;            // how far the read has come that is under way
  std::uint64_t base_ = 0; // where it began
  act_news gathered_;      // by it
  bool is_reading_ = false;
  clock::time_point read_at_{};
  std::vector<std::function<void()>> waiting_;  // for the next read
  std::vector<std::function<void()>> answered_; // by this one
  std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

} // namespace canang::cluster
