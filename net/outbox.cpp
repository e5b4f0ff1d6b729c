#include "net/outbox.hpp"

#include <algorithm>
#include <cassert>
#include <limits>

namespace canang::net {

namespace {

/// Pieces handed to the kernel in one call; more would only lengthen the copy it makes of them.
constexpr std::size_t max_pieces = 64;

/// What a slice costs beside its bytes: its entry here and its share of a buffer. Counted against the
/// limit, or a client that never reads could make us hold half a million empty pongs in one MiB.
constexpr std::size_t slice_overhead_bytes = 64;

} // namespace

send_status outbox::send(byte_sink& sink, const frame_buffer_ptr& buffer, std::size_t from,
                         std::size_t to, boost::system::error_code& ec) {
  return send_within(max_bytes_, sink, buffer, from, to, ec);
}

send_status outbox::send_unlimited(byte_sink& sink, const frame_buffer_ptr& buffer,
                                   boost::system::error_code& ec) {
  return send_within(std::numeric_limits<std::size_t>::max(), sink, buffer, 0, buffer->size(), ec);
}

send_status outbox::send_within(std::size_t limit, byte_sink& sink, const frame_buffer_ptr& buffer,
                                std::size_t from, std::size_t to, boost::system::error_code& ec) {
  assert(from <= to && to <= buffer->size());
  if (from == to)
    return send_status::sent;
  std::size_t written = 0;
  if (bytes_ == 0) {
    const iovec piece{buffer->bytes().data() + from, to - from};
    written = sink.write_some(&piece, 1, ec);
    if (ec)
      return send_status::dropped;
    if (written == to - from)
      return send_status::sent;
  }
  const auto waiting = to - from - written;
  const auto held = bytes_ + (slices_.size() - first_) * slice_overhead_bytes;
  const bool fits = waiting <= limit && held <= limit - waiting;
  if (!fits && written == 0)
    return send_status::dropped;
  if (bytes_ == 0)
    first_is_started_ = written > 0;
  slices_.push_back(
    {buffer, static_cast<std::uint32_t>(from + written), static_cast<std::uint32_t>(to)});
  bytes_ += waiting;
  return fits ? send_status::queued : send_status::dropped;
}

send_status outbox::keep_rest(const frame_buffer_ptr& buffer, std::size_t from, std::size_t to) {
  assert(bytes_ == 0 && from < to);
  first_is_started_ = true;
  slices_.push_back({buffer, static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(to)});
  bytes_ = to - from;
  return bytes_ <= max_bytes_ ? send_status::queued : send_status::dropped;
}

std::size_t outbox::flush(byte_sink& sink, boost::system::error_code& ec) {
  std::size_t total = 0;
  while (bytes_ > 0) {
    std::array<iovec, max_pieces> pieces;
    std::size_t count = 0;
    std::size_t offered = 0;
    for (std::size_t i = first_; i < slices_.size() && count < max_pieces; ++i) {
      const auto& item = slices_[i];
      pieces[count++] = {item.buffer->bytes().data() + item.from, std::size_t{item.to} - item.from};
      offered += item.to - item.from;
    }
    const auto written = sink.write_some(pieces.data(), count, ec);
    if (ec)
      break;
    consume(written);
    total += written;
    if (written < offered)
      break;
  }
  return total;
}

void outbox::consume(std::size_t bytes) noexcept {
  bytes_ -= bytes;
  while (bytes > 0) {
    auto& item = slices_[first_];
    const auto taken = std::min<std::size_t>(bytes, item.to - item.from);
    item.from += static_cast<std::uint32_t>(taken);
    bytes -= taken;
    first_is_started_ = item.from < item.to;
    if (!first_is_started_) {
      item.buffer.reset();
      ++first_;
    }
  }
  if (bytes_ == 0) {
    clear();
  } else if (first_ > max_pieces && first_ * 2U > slices_.size()) {
    slices_.erase(slices_.begin(), slices_.begin() + first_);
    first_ = 0;
  }
}

std::size_t outbox::drop_unstarted() {
  if (!first_is_started_)
    return clear();
  slices_.erase(slices_.begin() + first_ + 1, slices_.end());
  const auto& item = slices_[first_];
  const auto dropped = bytes_ - (item.to - item.from);
  bytes_ -= dropped;
  return dropped;
}

std::size_t outbox::clear() noexcept {
  const auto dropped = bytes_;
  std::vector<slice>{}.swap(slices_);
  bytes_ = 0;
  first_ = 0;
  first_is_started_ = false;
  return dropped;
}

std::size_t outbox::held_bytes() const noexcept {
  return bytes_ + (slices_.size() - first_) * slice_overhead_bytes;
}

} // namespace canang::net
