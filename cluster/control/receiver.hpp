#pragma once

#include "base/name_map.hpp"
#include "cluster/control/wire.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace canang::cluster {

/// Which commands of other nodes have come here, and what was answered to them: so that each is executed once, and a
/// copy gets the answer of the first. Bounded: what is forgotten is never executed again either. Knows no I/O; part
/// of a control centre.
class control_receiver {
public:
  using clock = std::chrono::steady_clock;

  /// Commands that are known, of all nodes; a sender tries for 5 s, so these are 800 a second.
  static constexpr std::size_t max_known = 4096;

  /// How long one is known at least, unless there are too many: much longer than its sender tries.
  static constexpr std::chrono::seconds known_for{60};

  /// Nodes of which something is known. Each start of a node is another one; the one that was silent longest goes.
  static constexpr std::size_t max_senders = 1024;

  enum class verdict : std::uint8_t {
    is_new,    ///< execute it, then `answered`
    running,   ///< a copy, and the first one is being executed: its answer will do
    answered,  ///< a copy; `answer` is what it got
    forgotten, ///< so old that it cannot be told whether it was executed: it is not
  };

  struct finding {
    verdict what = verdict::is_new;
    control_answer answer{};
  };

  /// A command has come.
  [[nodiscard]] finding note(std::string_view sender, std::uint64_t number, clock::time_point now);

  /// It is executed.
  void answered(std::string_view sender, std::uint64_t number, const control_answer& answer);

  [[nodiscard]] std::size_t known() const noexcept { return order_.size(); }
  [[nodiscard]] std::size_t senders() const noexcept { return senders_.size(); }

private:
  struct sender {
    std::map<std::uint64_t, std::optional<control_answer>> commands; // by number
    std::uint64_t forgotten_up_to = 0;
    clock::time_point heard_at{};
  };
  using sender_map = name_map<sender>;

  struct entry {
    std::string sender;
    std::uint64_t number;
    clock::time_point at;
  };

  sender& sender_of(std::string_view name, clock::time_point now);
  void forget(clock::time_point now);

  sender_map senders_;
  std::deque<entry> order_; // as they came
};

} // namespace canang::cluster
