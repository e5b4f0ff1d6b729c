#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace canang::net {

class buffer_pool;

/// Bytes that are on their way out, ready framed, shared by the outboxes of all that get them.
///
/// Made by the `buffer_pool` of a loop and used on that loop only, so its count needs no atomics.
/// Bytes are appended until the first outbox holds the buffer; after that it does not change.
class frame_buffer {
public:
  frame_buffer(const frame_buffer&) = delete;
  frame_buffer& operator=(const frame_buffer&) = delete;

  [[nodiscard]] std::string& bytes() noexcept { return bytes_; }
  [[nodiscard]] const char* data() const noexcept { return bytes_.data(); }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }

private:
  friend class buffer_pool;
  friend void intrusive_ptr_add_ref(frame_buffer* buffer) noexcept;
  friend void intrusive_ptr_release(frame_buffer* buffer) noexcept;

  explicit frame_buffer(buffer_pool* pool) noexcept : pool_(pool) {}
  ~frame_buffer() = default;

  buffer_pool* pool_;
  std::uint32_t references_ = 0;
  std::string bytes_;
};

using frame_buffer_ptr = boost::intrusive_ptr<frame_buffer>;

/// Buffers kept for reuse. One a loop; must outlive every buffer that it made.
class buffer_pool {
public:
  buffer_pool() = default;
  buffer_pool(const buffer_pool&) = delete;
  buffer_pool& operator=(const buffer_pool&) = delete;
  ~buffer_pool();

  /// An empty buffer.
  [[nodiscard]] frame_buffer_ptr make();

  /// A buffer that holds `bytes`.
  [[nodiscard]] frame_buffer_ptr make(std::string_view bytes);

private:
  friend void intrusive_ptr_release(frame_buffer* buffer) noexcept;
  void give_back(frame_buffer* buffer) noexcept;

  std::vector<frame_buffer*> free_;
};

} // namespace canang::net
