#pragma once

#include "actors/messages.hpp"
#include "cluster/publication.hpp"
#include "net/frame_source.hpp"
#include "net/loop_context.hpp"
#include "net/protocol/protocol.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

namespace canang::actors {

class join_page;

/// What a loop's joining members get first: for each place in a room's history at which members join, one
/// page of publications that all of them share, encoded piece by piece as the first of them needs it.
///
/// What is kept for whoever comes next has limits in bytes and time (limits.hpp); a piece that was let go
/// is encoded again when it is needed. Pages, encoded pieces and the publications of pages count as bytes
/// that wait for clients (`outbox_memory_bytes`), each of them once and not for each member or page: a thousand
/// members that come back have the same few hundred publications, and take no more memory than one.
///
/// Made by the loop's `fanout`, lives as long as that or the last page, used on the loop's thread only.
class join_pages : public boost::intrusive_ref_counter<join_pages, boost::thread_unsafe_counter> {
public:
  using clock = std::chrono::steady_clock;

  explicit join_pages(net::loop_context& context);
  join_pages(const join_pages&) = delete;
  join_pages& operator=(const join_pages&) = delete;
  ~join_pages();

  /// What `request` recovered, for its member, and in a protocol that has it inside of its answer that
  /// answer too; null when nothing was recovered.
  [[nodiscard]] net::frame_source_ptr source_of(const add_member& request);

  /// The room has something new, so nobody will join any more where its pages begin and end.
  void forget(room_id room);

  void forget_all();

  /// Lets go of what is kept only for whoever comes next: memory is short.
  void let_go_kept();

  /// Lets go what nobody has asked for in a while. To be called several times a second.
  void expire(clock::time_point now);

  /// Pages that the next one to join may share.
  [[nodiscard]] std::size_t page_count() const noexcept { return recent_.size(); }

  /// Bytes of the pieces that are encoded.
  [[nodiscard]] std::size_t encoded_bytes() const noexcept { return encoded_bytes_; }

  /// Publications that were encoded, ever.
  [[nodiscard]] std::uint64_t encodings() const noexcept { return encodings_; }

private:
  friend class join_page;
  class reply;

  struct recent_page {
    room_id room;
    boost::intrusive_ptr<join_page> page;
    clock::time_point joined_at; // the last one
  };

  /// An encoded piece that nobody is being sent.
  struct idle_piece {
    join_page* page;
    std::size_t number;
    clock::time_point since;
  };
  using idle_place = std::list<idle_piece>::iterator;

  [[nodiscard]] boost::intrusive_ptr<join_page> page_of(const add_member& request);
  std::size_t pin(const cluster::publication& message);
  void unpin(const cluster::publication& message) noexcept;
  [[nodiscard]] net::frame_buffer_ptr keep_encoded();
  [[nodiscard]] idle_place idle(join_page& page, std::size_t number);
  void let_go(std::size_t encoded) noexcept;
  void charge(std::size_t bytes) noexcept { context_.metrics.outbox_memory_bytes.add(bytes); }
  void discharge(std::size_t bytes) noexcept {
    context_.metrics.outbox_memory_bytes.subtract(bytes);
  }

  net::loop_context& context_;
  std::unordered_map<const cluster::publication*, std::size_t> pins_; // the pages that each is in
  std::vector<recent_page> recent_; // few; who joined last is last
  std::list<idle_piece> idle_;      // the longest idle first
  std::string scratch_;             // where pieces are encoded
  std::size_t encoded_bytes_ = 0;
  std::uint64_t encodings_ = 0;
  clock::time_point now_ = clock::now(); // at the last `expire`
};

} // namespace canang::actors
