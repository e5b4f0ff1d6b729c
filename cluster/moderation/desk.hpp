#pragma once

#include "cluster/control/command.hpp"
#include "cluster/moderation/book.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::cluster {

/// Something to be done to the acts that a Redis has.
struct act_write {
  enum class what : std::uint8_t {
    put,     ///< it is in force from now on
    drop,    ///< it is not any more
    restore, ///< as `put`, where Redis knows nothing of that key ordered then or later
    redrop,  ///< as `drop`, likewise
  };

  what does = what::put;
  std::string key;
  std::uint64_t made_ms = 0;
  std::chrono::milliseconds lasts{0}; ///< 0: for good
  std::string reason{};
};

/// What came of it.
enum class act_stored : std::uint8_t {
  done,
  absent, ///< there was nothing to drop, or Redis knows something later
  full,   ///< there are as many acts as there may be
  failed, ///< Redis is away or refuses it; it may have it all the same
};

enum class moderation_errc : std::uint8_t {
  none,
  unavailable, ///< nobody can store it at present, or a Redis that has it cannot be asked to drop it: try again
  full, ///< there are as many acts as there may be
  busy, ///< too many orders have no answer yet
};

/// What came of an order.
struct moderation_result {
  moderation_errc error = moderation_errc::none;
  bool was_there = false; ///< of one that lifts: there was something to lift
  control_result
    nodes{}; ///< which nodes know of it; how many connections and memberships it has ended there
};

/// What a moderator orders: an act, or the end of one.
struct moderation_wish {
  act_key key; ///< a valid one
  bool is_lifted = false;
  std::chrono::milliseconds lasts{0}; ///< 0: for good
  std::string reason{};
};

using moderation_handler = std::function<void(moderation_result&&)>;

/// Who does for the desk what it cannot do itself. Calls nobody from inside a call, but for `tell_all`.
class moderation_staff {
public:
  /// Redis that have the acts. Without any the node runs alone, and the book is all that there is.
  [[nodiscard]] virtual std::size_t ways() const = 0;
  [[nodiscard]] virtual bool is_up(std::size_t way) const = 0;

  /// Answered with `moderation_desk::on_written`.
  virtual void write(std::size_t way, std::uint64_t ticket, std::vector<act_write> what) = 0;

  /// Has a Redis asked what is new, again where that is under way. Answered with `on_reread`, behind its news.
  virtual void reread(std::size_t way, std::uint64_t ticket) = 0;

  /// Ends what acts forbid on this node. Answered with `on_ended`.
  virtual void end_connections(std::uint64_t ticket, const std::vector<act_ptr>& acts) = 0;

  /// Has a command executed on all nodes, this one included.
  virtual void tell_all(const control_command& command, const control_handler& handler) = 0;

  /// Has `moderation_desk::on_due` called then.
  virtual void wake_at(moderation_act::clock::time_point when) = 0;

protected:
  ~moderation_staff() = default;
};

/// Where a node's orders of moderators come in, and where what Redis tells of acts becomes what is in force here: an
/// order is stored in all Redis that are up, then all nodes are told to read them. Who misses that hears of it with
/// the next read, a second later. Knows no I/O.
///
/// Owned by the node's control actor, on its thread.
class moderation_desk {
public:
  using clock = moderation_act::clock;
  using done_handler = std::function<void(std::uint64_t)>;

  /// Orders without an answer, and commands of other nodes.
  static constexpr std::size_t max_orders = 256;
  static constexpr std::size_t max_rereads = 4096;

  /// How often it is tried to give a Redis back what it has lost.
  static constexpr std::chrono::seconds give_back_interval{1};

  /// Acts whose ends of connections are remembered for the order that they came of.
  static constexpr std::size_t max_remembered = 1024;

  moderation_desk(moderation_staff& staff, moderation_source& source, moderation_metrics& metrics,
                  std::function<clock::time_point()> now);

  /// Carries an order out. The handler is called once; not at all when the desk goes before.
  void order(moderation_wish&& wish, moderation_handler handler);

  [[nodiscard]] act_list list(const act_list_request& wanted) const {
    return book_.list(wanted, now_());
  }

  /// A command of some node: reads what is new, and says how many connections and memberships the act of that key has
  /// ended here, when it has. Says nothing where this node cannot know of the order: it goes by something else, and not
  /// all Redis are up.
  void execute(const read_acts& command, done_handler done);

  void on_news(std::size_t way, act_news&& news);
  void on_written(std::uint64_t ticket, const std::vector<act_stored>& came_of_it);
  void on_reread(std::uint64_t ticket);
  void on_ended(std::uint64_t ticket, std::uint64_t count);
  void on_due();

private:
  /// An order that is being stored.
  struct pending {
    act_write what;
    moderation_handler handler;
    bool was_there = false; // as far as this node knew
    std::size_t left = 0;   // Redis that have not answered
    std::array<std::size_t, 4> came_of_it{};
  };

  /// A command that waits for what Redis have to tell.
  struct reading {
    read_acts command;
    done_handler done;
    std::size_t left = 0;
    bool is_whole = false; // all Redis are asked
  };

  /// What a Redis has lost and is being given back, a part of it at a time.
  struct giving {
    std::uint64_t ticket = 0; // 0: nothing is
    std::vector<lost_act> what;
    std::string after; // the key behind which to go on; empty: from the first one
  };

  /// What an act ends, or has ended.
  struct ending {
    std::uint64_t count = 0;
    bool is_over = false;
    std::uint64_t place = 0; // in the order in which they began
    std::vector<done_handler> waiting{};
  };

  void store(const moderation_wish& wish, moderation_handler&& handler);
  void store_alone(moderation_wish&& wish, moderation_handler&& handler);
  [[nodiscard]] act_write write_of(const moderation_wish& wish);
  void finish(pending&& order);
  void tell(const act_write& what, bool was_there, moderation_handler&& handler);
  void end_what_is_forbidden(const std::vector<act_ptr>& acts);
  void begin_ending(const std::vector<act_ptr>& acts);
  void forget_ending(std::string_view key);
  void forget_oldest_endings();
  void give_back(std::size_t way);
  bool on_given_back(std::uint64_t ticket, const std::vector<act_stored>& came_of_it);
  [[nodiscard]] bool is_read(const reading& one) const;
  void answer_late();
  void answer(const std::string& key, done_handler&& done);
  void sleep();

  moderation_staff& staff_;
  moderation_source& source_;
  moderation_metrics& metrics_;
  std::function<clock::time_point()> now_;
  moderation_book book_;
  std::map<std::uint64_t, pending> orders_;
  std::map<std::uint64_t, reading> readings_;
  std::map<std::uint64_t, std::vector<std::string>> ended_by_; // keys by ticket
  std::map<std::string, ending, std::less<>> endings_;         // by key
  std::map<std::uint64_t, std::string> endings_in_order_;      // their keys by place
  std::vector<giving> givings_;                                // by way
  clock::time_point gives_at_ = clock::time_point::max();      // again
  std::uint64_t last_place_ = 0;
  std::uint64_t last_ticket_ = 0;
  std::uint64_t last_made_ms_ = 0;
};

} // namespace canang::cluster
