#include "net/frame_buffer.hpp"

#include "net/limits.hpp"

namespace canang::net {

void intrusive_ptr_add_ref(frame_buffer* buffer) noexcept { ++buffer->references_; }

void intrusive_ptr_release(frame_buffer* buffer) noexcept {
  if (--buffer->references_ == 0)
    buffer->pool_->give_back(buffer);
}

buffer_pool::~buffer_pool() {
  for (auto* buffer : free_)
    delete buffer;
}

frame_buffer_ptr buffer_pool::make() {
  if (free_.empty()) {
    free_.reserve(max_pooled_buffers); // so that give_back never allocates
    return frame_buffer_ptr{new frame_buffer{this}};
  }
  auto* const buffer = free_.back();
  free_.pop_back();
  return frame_buffer_ptr{buffer};
}

frame_buffer_ptr buffer_pool::make(std::string_view bytes) {
  auto buffer = make();
  buffer->bytes().assign(bytes);
  return buffer;
}

void buffer_pool::give_back(frame_buffer* buffer) noexcept {
  if (free_.size() >= max_pooled_buffers || buffer->bytes_.capacity() > max_pooled_buffer_bytes) {
    delete buffer;
    return;
  }
  buffer->bytes_.clear();
  free_.push_back(buffer);
}

} // namespace canang::net
