#pragma once

#include "net/loop_context.hpp"
#include "net/session.hpp"

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace canang::actors {

/// What a turn has for sessions that are in several rooms: slices of these rooms' frames, gathered while the
/// rooms are flushed one after the other, and written with one call a session when all of them are.
///
/// Owned by the loop's `fanout`, used on its thread.
class turn_slices {
public:
  /// A session's place here; 0 is nobody's.
  using place = std::uint32_t;

  explicit turn_slices(net::loop_context& context) : context_(context) {}
  turn_slices(const turn_slices&) = delete;
  turn_slices& operator=(const turn_slices&) = delete;

  [[nodiscard]] place acquire();
  void release(place of_session);

  /// Gathers `frames` frames in [`from`, `to`) of `buffer` for a session, behind what it has already. The session
  /// must stay until the next `write`.
  void add(place of_session, net::session& session, std::uint32_t lane,
           const net::frame_buffer_ptr& buffer, std::uint32_t from, std::uint32_t to,
           std::uint64_t frames);

  /// Writes all that was gathered.
  void write();

private:
  static constexpr std::uint32_t none = UINT32_MAX;

  struct slice {
    net::frame_slice bytes;
    std::uint32_t frames;
    std::uint32_t next; // of the same session
  };

  /// A session that is in several rooms.
  struct owner {
    net::session* session; // of this turn
    std::uint32_t lane;
    std::uint32_t first = none; // of this turn's slices
    std::uint32_t last = none;
  };

  void write(owner& to);
  [[nodiscard]] std::size_t write_now(const owner& to, std::span<const net::frame_slice> pieces);
  void count(std::size_t taken);

  net::loop_context& context_;
  std::vector<owner> owners_{1}; // by place
  std::vector<place> free_;
  std::vector<slice> slices_;                  // of this turn
  std::vector<place> touched_;                 // this turn, in this order
  std::vector<net::frame_buffer_ptr> buffers_; // that slices lie in
  std::vector<net::frame_slice> pieces_;       // of the write at hand
  std::vector<std::uint32_t> frames_;          // that each of these has
  std::vector<iovec> vectors_;                 // where each of these lies
};

} // namespace canang::actors
