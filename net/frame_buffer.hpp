#pragma once

#include "net/metrics.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::net {

class buffer_pool;

/// Bytes that are on their way out, ready framed, shared by the outboxes of all that get them.
///
/// Made by the `buffer_pool` of a loop and used on that loop only, so its count needs no atomics.
/// Bytes are appended until the first outbox holds the buffer; after that they stay as they are, but may
/// move: nobody keeps a pointer to them between two calls. While an outbox holds it (`held_buffer`), its
/// memory counts in the loop's `outbox_memory_bytes`, once, however many hold it.
class frame_buffer {
public:
  frame_buffer(const frame_buffer&) = delete;
  frame_buffer& operator=(const frame_buffer&) = delete;

  [[nodiscard]] std::string& bytes() noexcept { return bytes_; }
  [[nodiscard]] const char* data() const noexcept { return bytes_.data(); }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
  [[nodiscard]] std::size_t capacity() const noexcept { return bytes_.capacity(); }

  /// Gives memory back where more than a quarter of it is unused: a reused buffer may have room for 256 KiB
  /// and hold a hundred bytes. For one that is to be held for as long as a client likes.
  void trim();

  /// A buffer of its own for a part of this one, of exactly its size; not kept for reuse.
  [[nodiscard]] boost::intrusive_ptr<frame_buffer> copy(std::size_t from, std::size_t to) const;

  /// Made by `copy`, and so held by nobody else.
  [[nodiscard]] bool is_copy() const noexcept { return is_copy_; }

  /// Appends to a copy. Its memory doubles, but not beyond `max_bytes`, which suffice.
  void append(std::string_view bytes, std::size_t max_bytes);

private:
  friend class buffer_pool;
  friend class held_buffer;
  friend void intrusive_ptr_add_ref(frame_buffer* buffer) noexcept;
  friend void intrusive_ptr_release(frame_buffer* buffer) noexcept;

  frame_buffer(buffer_pool* pool, bool is_copy) noexcept : pool_(pool), is_copy_(is_copy) {}
  ~frame_buffer() = default;

  void hold();
  void let_go() noexcept;

  buffer_pool* pool_;
  std::uint32_t references_ = 0;
  std::uint32_t holders_ : 31 = 0; // slices in outboxes
  bool is_copy_ : 1;
  std::string bytes_;
};

using frame_buffer_ptr = boost::intrusive_ptr<frame_buffer>;

/// Some whole frames in a buffer that others may share. A view: the buffer is held by who made it.
struct frame_slice {
  frame_buffer* buffer;
  std::uint32_t from;
  std::uint32_t to;

  [[nodiscard]] std::size_t size() const noexcept { return to - from; }
  [[nodiscard]] const char* data() const noexcept { return buffer->data() + from; }
};

/// A buffer that waits in an outbox: trimmed, and counted.
class held_buffer {
public:
  explicit held_buffer(frame_buffer_ptr buffer) : buffer_(std::move(buffer)) { buffer_->hold(); }
  held_buffer(held_buffer&& other) noexcept = default;
  held_buffer& operator=(held_buffer&& other) noexcept {
    buffer_.swap(other.buffer_);
    return *this;
  }
  ~held_buffer() { reset(); }

  void reset() noexcept {
    if (buffer_)
      buffer_->let_go();
    buffer_.reset();
  }

  frame_buffer* operator->() const noexcept { return buffer_.get(); }

private:
  frame_buffer_ptr buffer_;
};

/// Buffers kept for reuse, bounded in number and in bytes. One a loop; must outlive every buffer that it
/// made.
class buffer_pool {
public:
  /// `held_bytes` is to show the memory of those that outboxes hold; it must outlive the pool.
  explicit buffer_pool(counter& held_bytes) noexcept : held_bytes_(held_bytes) {}
  buffer_pool() noexcept : held_bytes_(unwatched_) {}
  buffer_pool(const buffer_pool&) = delete;
  buffer_pool& operator=(const buffer_pool&) = delete;
  ~buffer_pool();

  /// An empty buffer.
  [[nodiscard]] frame_buffer_ptr make();

  /// A buffer that holds `bytes`.
  [[nodiscard]] frame_buffer_ptr make(std::string_view bytes);

  /// Frees the buffers that nobody needed since the last call; to be called now and then.
  void trim() noexcept;

  /// Memory of the buffers that wait for reuse.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  /// Memory of those that outboxes hold.
  [[nodiscard]] std::uint64_t held_bytes() const noexcept { return held_bytes_.value(); }

private:
  friend class frame_buffer;
  friend void intrusive_ptr_release(frame_buffer* buffer) noexcept;
  void give_back(frame_buffer* buffer) noexcept;

  counter unwatched_;
  counter& held_bytes_;
  std::vector<frame_buffer*> free_; // the one given back last is given out first
  std::size_t bytes_ = 0;           // capacity of those in `free_`
  std::size_t least_free_ = 0;      // how few were free at some moment since the last `trim`
};

} // namespace canang::net
