#pragma once

#include "net/memory_holder.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <sys/epoll.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace canang::net {

/// The sockets of a loop's sessions: an epoll set of our own, edge-triggered, which Asio knows as one
/// descriptor. A session is told once of each thing that happens and reads once for it, where Asio reads
/// again until nothing is left; it costs a slot of 16 bytes instead of Asio's descriptor_state.
///
/// Edge-triggered means that a thing is told once, so whoever listens keeps to these rules:
/// - EPOLLIN says that bytes came since the last time. Read until a read comes back short, or ask to be
///   told `again`. A short read has emptied the socket; what comes later is told anew.
/// - EPOLLRDHUP, EPOLLHUP and EPOLLERR are told once too, maybe along with the last bytes. After one of
///   them a short read proves nothing: read until the end or the error shows (FIN: 0, RST: ECONNRESET).
/// - EPOLLPRI tells of urgent data. A read stops short in front of it, whatever lies behind it, so from
///   then on a short read proves nothing either: read until nothing is left (EAGAIN).
/// - While reading is paused, remember that something came; ask to be told `again` when it resumes.
/// - EPOLLOUT means something only after a write that did not fit: the kernel tells of it when there is
///   room again. It is watched from the start, so no epoll_ctl is needed to wait for it.
///
/// Fair: a turn tells at most `max_cost_a_turn` worth of things, one session takes at most its share of
/// it (both in limits.hpp), and those that asked to go on get at most half, oldest first. What is left
/// over is told in the next turn, before anything new.
///
/// Used on the loop's thread only.
class readiness {
public:
  /// One that hears of its socket.
  class listener : public memory_holder {
  public:
    /// `events` is made of EPOLLIN, EPOLLPRI, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR; 0 where it had
    /// asked to go on.
    virtual void on_ready(std::uint32_t events) = 0;

    /// It is not watched any more and may go: some time after `remove`, never from inside a call; or the
    /// set is being destroyed, and then nothing else of the loop may be asked for anything.
    virtual void on_removed() noexcept = 0;

  protected:
    ~listener() = default;
  };

  readiness();
  readiness(const readiness&) = delete;
  readiness& operator=(const readiness&) = delete;
  ~readiness();

  /// Watches `descriptor`. `place` is a small number that no other has: the session's lane. `who` must
  /// live until `on_removed`.
  /// @returns false when the system refuses; then `who` is not watched.
  [[nodiscard]] bool add(std::uint32_t place, int descriptor, listener& who);

  /// Forgets `place`, whose descriptor is closed next. What has happened there already is not told.
  void remove(std::uint32_t place);

  /// Tells the one at `place` once more, in the next turn.
  void again(std::uint32_t place);

  /// Tells what has happened.
  /// @returns how many things had.
  std::size_t poll();

  /// Whether the next `poll` has something to do whatever the sockets say: then the loop must not sleep.
  [[nodiscard]] bool has_more() const noexcept {
    return !due_.empty() || !removed_.empty() || next_event_ < event_count_;
  }

  /// Calls `visit` with each one that is watched. It may not add any meanwhile; those that it removes
  /// stay alive until the next `poll`.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const auto& place : slots_)
      if (place.who != nullptr)
        visit(*place.who);
  }

  /// Takes `cost` off what is left of this turn.
  void charge(std::size_t cost) noexcept { cost_left_ -= cost < cost_left_ ? cost : cost_left_; }

  /// Takes `cost` off the turn that the next `poll` begins: for what was read past this set, before it. That has half
  /// of the turn at most.
  void charge_next(std::size_t cost) noexcept { cost_of_next_ += cost; }

  /// Whether that half is used up: whatever reads past this set has to wait for the next `poll`.
  [[nodiscard]] bool is_next_charged() const noexcept;

  /// Whether nothing is left of this turn: what can wait is to wait for the next one.
  [[nodiscard]] bool is_spent() const noexcept { return cost_left_ == 0; }

  /// Where a session reads to. What is in it is valid until the session returns to the set.
  [[nodiscard]] std::span<char> scratch() noexcept;

  [[nodiscard]] int descriptor() const noexcept { return set_; }

private:
  struct slot {
    listener* who = nullptr;
    std::uint32_t generation = 0; // tells whether a thing is about this one or an earlier one
  };

  /// One that asked to be told again.
  struct due {
    std::uint32_t place;
    std::uint32_t generation;
  };

  std::size_t tell_due();
  std::size_t tell_events();
  void release_removed();
  void tell(std::uint32_t place, std::uint32_t generation, std::uint32_t events);

  int set_;
  std::uint32_t generations_ = 0;
  std::size_t cost_left_ = 0;
  std::size_t cost_of_next_ = 0;
  std::vector<slot> slots_;
  std::vector<due> due_;
  std::vector<due> telling_; // those of `due_` that this turn tells
  std::vector<listener*> removed_;
  std::vector<epoll_event> events_;
  std::size_t next_event_ = 0;
  std::size_t event_count_ = 0;
  std::unique_ptr<char[]> scratch_;
};

/// Wakes an `io_context` that waits when something has happened in a readiness set.
class readiness_waker {
public:
  using executor_type = boost::asio::io_context::executor_type;

  readiness_waker(boost::asio::io_context& io, const readiness& set);
  readiness_waker(const readiness_waker&) = delete;
  readiness_waker& operator=(const readiness_waker&) = delete;
  ~readiness_waker();

  /// To be called before each wait: the kernel looks again, so nothing that happened meanwhile is missed.
  void arm();

private:
  boost::asio::posix::basic_stream_descriptor<executor_type> descriptor_;
  bool is_armed_ = false;
};

} // namespace canang::net
