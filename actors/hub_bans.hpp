#pragma once

#include "actors/fanout.hpp"
#include "actors/moderation_messages.hpp"
#include "base/name_map.hpp"
#include "net/limits.hpp"

#include <boost/asio/ip/address.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace canang::actors {

/// The connections of a loop that bans forbid: finds and ends them, a few in a turn, which is from one tick to the next.
///
/// Those of a user are known, and their orders come first. Where those of an address are has to be asked of all: orders
/// about addresses that wait for that are carried out together, by one look at each connection. A part of each turn is
/// left to users, so that their orders need not wait for the next one. Owned by the loop's hub, on its thread.
class hub_bans {
public:
  /// Connections that are looked at in a turn: some 5 ms where their addresses are asked.
  static constexpr std::size_t max_looks_a_turn = 8192;

  /// What orders about addresses leave of a turn, in looks and in connections that are ended.
  static constexpr std::size_t kept_for_users = 64;

  /// Is told of each order that is carried out how much it has ended.
  using answer = std::function<void(const control_ticket&, std::uint64_t ended)>;

  /// `members` must outlive it.
  hub_bans(fanout& members, answer told) : members_(members), told_(std::move(told)) {}

  /// About a user, or about addresses. What several orders forbid counts for the first of them.
  void add(const end_banned& order);

  /// The next turn begins.
  void on_tick();

  /// Nobody is to be ended any more.
  void clear();

  /// Orders that are not carried out yet.
  [[nodiscard]] std::size_t waiting() const noexcept;

private:
  /// Connections that are looked at one after the other.
  struct row {
    std::vector<connection_id> who;
    std::size_t next = 0;

    [[nodiscard]] bool is_over() const noexcept { return next == who.size(); }
  };

  struct user_search {
    end_banned order;
    std::optional<row> looked_at{}; // none: not begun
    std::uint64_t ended = 0;
  };

  /// Of several orders: which is the first that an address concerns.
  class range_index {
  public:
    void add(const end_banned& order, std::size_t number);

    [[nodiscard]] std::optional<std::size_t> find(const boost::asio::ip::address& address) const;

    /// In looks at one connection.
    [[nodiscard]] std::size_t cost() const noexcept { return 1 + lengths_.size() / 8; }

  private:
    name_map<std::size_t> orders_;      // by the bytes and the length of a range
    std::vector<std::uint8_t> lengths_; // that there are
  };

  struct address_search {
    std::vector<control_ticket> tickets;
    std::vector<std::uint64_t> ended; // by each of these orders
    range_index ranges;
    row looked_at;
  };

  void work();
  void end_users();
  void end_addresses();
  void begin_address_search();
  void look_at(address_search& search, connection_id who);
  [[nodiscard]] bool may_go_on(std::size_t keeping) const noexcept {
    return looks_ > keeping && ends_ > keeping;
  }

  fanout& members_;
  answer told_;
  std::size_t looks_ = max_looks_a_turn; // left in this turn
  std::size_t ends_ = net::max_disconnected_a_turn;
  std::deque<user_search> users_;
  std::vector<end_banned> addresses_; // that wait for the search to be over
  std::optional<address_search> search_;
};

} // namespace canang::actors
