#include "net/frame_buffer.hpp"

#include "net/limits.hpp"

#include <algorithm>
#include <cassert>

namespace canang::net {

void intrusive_ptr_add_ref(frame_buffer* buffer) noexcept { ++buffer->references_; }

void intrusive_ptr_release(frame_buffer* buffer) noexcept {
  if (--buffer->references_ == 0)
    buffer->pool_->give_back(buffer);
}

void frame_buffer::trim() {
  if (bytes_.capacity() > least_trimmed_bytes && bytes_.size() < bytes_.capacity() / 4 * 3)
    bytes_.shrink_to_fit();
}

frame_buffer_ptr frame_buffer::copy(std::size_t from, std::size_t to) const {
  frame_buffer_ptr part{new frame_buffer{pool_, true}};
  part->bytes_.assign(bytes_, from, to - from);
  return part;
}

/// A string's own growth knows no bound but the double.
void frame_buffer::append(std::string_view bytes, std::size_t max_bytes) {
  const auto needed = size() + bytes.size();
  const auto before = capacity();
  assert(is_copy_ && needed <= max_bytes);
  if (needed > before) {
    std::string larger;
    larger.reserve(std::max(needed, std::min(2 * before, max_bytes)));
    larger += bytes_;
    bytes_.swap(larger);
  }
  bytes_ += bytes;
  if (holders_ > 0)
    pool_->held_bytes_.add(capacity() - before);
}

void frame_buffer::hold() {
  if (holders_ == 0) {
    trim();
    pool_->held_bytes_.add(sizeof *this + capacity());
  }
  ++holders_;
  pool_->held_bytes_.add(slice_entry_bytes);
}

void frame_buffer::let_go() noexcept {
  pool_->held_bytes_.subtract(slice_entry_bytes);
  if (--holders_ == 0)
    pool_->held_bytes_.subtract(sizeof *this + capacity());
}

buffer_pool::~buffer_pool() {
  for (auto* buffer : free_)
    delete buffer;
}

frame_buffer_ptr buffer_pool::make() {
  if (free_.empty()) {
    free_.reserve(max_pooled_buffers); // so that give_back never allocates
    return frame_buffer_ptr{new frame_buffer{this, false}};
  }
  auto* const buffer = free_.back();
  free_.pop_back();
  bytes_ -= buffer->capacity();
  least_free_ = std::min(least_free_, free_.size());
  return frame_buffer_ptr{buffer};
}

frame_buffer_ptr buffer_pool::make(std::string_view bytes) {
  auto buffer = make();
  buffer->bytes().assign(bytes);
  return buffer;
}

void buffer_pool::give_back(frame_buffer* buffer) noexcept {
  const auto capacity = buffer->capacity();
  if (buffer->is_copy_ || free_.size() >= max_pooled_buffers || capacity > max_pooled_buffer_bytes
      || bytes_ + capacity > max_pooled_bytes) {
    delete buffer;
    return;
  }
  buffer->bytes_.clear();
  free_.push_back(buffer);
  bytes_ += capacity;
}

/// Those that were free all the time lie below the others: the last one given back goes out first.
void buffer_pool::trim() noexcept {
  const auto unused = free_.begin() + static_cast<std::ptrdiff_t>(least_free_);
  for (auto at = free_.begin(); at != unused; ++at) {
    bytes_ -= (*at)->capacity();
    delete *at;
  }
  free_.erase(free_.begin(), unused);
  least_free_ = free_.size();
}

} // namespace canang::net
