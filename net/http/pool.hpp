#pragma once

#include "net/limits.hpp"
#include "net/memory_holder.hpp"
#include "net/metrics.hpp"

#include <boost/intrusive/list.hpp>

#include <chrono>
#include <cstddef>

namespace canang::net {

/// The connections of a loop that are not WebSocket sessions, or not yet: so many at most, and when one
/// more comes, the one that has gone longest without a whole request is closed for it.
///
/// So nobody can keep others out by connections that are silent, or that send their headers a byte at a
/// time. In a full pool no age spares anybody: whoever opens a pool's worth within that age would close the
/// door to all others. As it is, an honest client has the time in which the whole pool is replaced, and its
/// request mostly comes along with the connection. Below that, those that came just now are spared, and only
/// the older ones have the lower limit.
///
/// Owned by the loop and used on its thread only.
class http_pool {
public:
  using clock = std::chrono::steady_clock;

  /// A connection in a pool.
  class member : public boost::intrusive::list_base_hook<>, public memory_holder {
  public:
    /// Closes the connection at once, and leaves the pool. Never called from inside a call of its own.
    virtual void give_way() = 0;

  protected:
    member() = default;
    ~member() = default;

  private:
    friend class http_pool;
    clock::time_point silent_since_{};
  };

  /// Keeps `open` true to the number of its members.
  http_pool(std::size_t limit, counter& open) noexcept : limit_(limit), open_(open) {}
  http_pool(const http_pool&) = delete;
  http_pool& operator=(const http_pool&) = delete;
  ~http_pool() { members_.clear(); }

  /// Takes a connection that has come at `now`; others go for it where there are too many.
  void enter(member& who, clock::time_point now);

  /// It has made a request: of all members it is now the last one to go.
  void note_request(member& who, clock::time_point now) noexcept;

  /// Does nothing when it is in no pool.
  void leave(member& who) noexcept;

  /// A member holds so many bytes more of a request's body.
  /// @returns false, and counts nothing, where all of them would hold too many then.
  [[nodiscard]] bool take_body_bytes(std::size_t bytes) noexcept {
    if (bytes > max_bodies_bytes - body_bytes_)
      return false;
    body_bytes_ += bytes;
    return true;
  }
  void give_body_bytes(std::size_t bytes) noexcept { body_bytes_ -= bytes; }

  /// Of bodies, held by all members.
  [[nodiscard]] std::size_t body_bytes() const noexcept { return body_bytes_; }

  /// Calls `visit` with each member; it may have that one leave.
  template <class Visit>
  void for_each(Visit visit) {
    for (auto at = members_.begin(); at != members_.end();)
      visit(*at++);
  }

  [[nodiscard]] std::size_t size() const noexcept { return members_.size(); }
  [[nodiscard]] std::size_t limit() const noexcept { return limit_; }

private:
  [[nodiscard]] bool is_too_full(clock::time_point now) const noexcept;

  const std::size_t limit_;
  counter& open_;
  std::size_t body_bytes_ = 0;
  boost::intrusive::list<member> members_; // longest without a request first
};

} // namespace canang::net
