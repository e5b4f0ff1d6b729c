#pragma once

#include <boost/asio/ip/address.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace canang::net {

class address_counts;

/// One connection's place in the count of its address, given back when this goes. On any thread.
class address_ticket {
public:
  address_ticket() noexcept = default;
  address_ticket(address_ticket&& other) noexcept : place_(std::exchange(other.place_, nullptr)) {}
  address_ticket& operator=(address_ticket&& other) noexcept {
    std::swap(place_, other.place_);
    return *this;
  }
  ~address_ticket();

  /// Whether it counts anywhere.
  explicit operator bool() const noexcept { return place_ != nullptr; }

private:
  friend class address_counts;

  /// What is known of an address. Stays where it is while somebody has a ticket.
  struct place {
    address_counts& owner;
    std::uint64_t key;
    std::uint64_t connections = 0;
  };

  explicit address_ticket(place& of) noexcept : place_(&of) {}

  place* place_ = nullptr;
};

/// Counts the connections of each address, over all loops, and says whether it may have one more. Used
/// from any thread; outlives all tickets.
///
/// An address is an IPv4 address, also where it comes as IPv6 (`::ffff:192.0.2.1`), or the first 64 bits
/// of an IPv6 one: that is what one subscriber has (RFC 6177), who may take any address in it. What has no
/// connection is not kept. The table is ordered, so there is no hash that somebody could aim at.
class address_counts {
public:
  /// What is to happen with a connection that has come.
  enum class verdict : std::uint8_t {
    served,
    told, ///< it is over the limit, and its request is to be answered with that
    shut, ///< not even that: it has no ticket
  };

  struct arrival {
    verdict what = verdict::served;
    address_ticket ticket{};
  };

  /// `limit` connections an address, and beyond it an eighth, one at least, that are told so.
  explicit address_counts(std::uint64_t limit) noexcept : limit_(limit) {}
  address_counts(const address_counts&) = delete;
  address_counts& operator=(const address_counts&) = delete;

  [[nodiscard]] arrival arrive(const boost::asio::ip::address& from);

  /// Addresses that have connections.
  [[nodiscard]] std::size_t size() const;

  /// What stands for an address.
  [[nodiscard]] static std::uint64_t key_of(const boost::asio::ip::address& address) noexcept;

private:
  friend class address_ticket;
  void give_back(address_ticket::place& place) noexcept;

  const std::uint64_t limit_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, address_ticket::place> places_;
};

/// The tickets of a loop's sessions by their lanes, so that a session itself need not be larger for what
/// is seldom used. Takes no memory while no address is counted. On the loop's thread only.
class lane_tickets {
public:
  void keep(std::uint32_t lane, address_ticket&& ticket) {
    if (!ticket)
      return;
    if (lane >= tickets_.size())
      tickets_.resize(lane + std::size_t{1});
    tickets_[lane] = std::move(ticket);
  }

  void drop(std::uint32_t lane) noexcept {
    if (lane < tickets_.size())
      tickets_[lane] = address_ticket{};
  }

private:
  std::vector<address_ticket> tickets_;
};

} // namespace canang::net
