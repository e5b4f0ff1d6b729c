#include "net/outbox.hpp"

#include "net/limits.hpp"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <limits>

namespace canang::net {

namespace {

/// Pieces handed to the kernel in one call; more would only lengthen the copy it makes of them.
constexpr std::size_t max_pieces = 64;

std::uint32_t saturated(std::size_t bytes) noexcept {
  constexpr std::size_t most = std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(std::min(bytes, most));
}

/// Whether a slice is better copied than held with the buffer that it lies in.
bool is_to_be_copied(const frame_buffer& buffer, std::size_t size) noexcept {
  return size <= slice_overhead_bytes || size < buffer.size() / 2;
}

/// What a slice of that size counts once it is kept: at most, where it is copied to a tail that has room.
std::size_t cost_of(frame_buffer& buffer, std::size_t size) {
  if (is_to_be_copied(buffer, size))
    return size + slice_overhead_bytes;
  buffer.trim();
  return buffer.capacity() + slice_overhead_bytes;
}

} // namespace

outbox::outbox(outbox_limits limits) noexcept
  : limit_(saturated(limits.max_bytes)), cap_(saturated(limits.cap_bytes)) {}

send_status outbox::send(byte_sink& sink, const frame_buffer_ptr& buffer, std::size_t from,
                         std::size_t to, boost::system::error_code& ec) {
  assert(from <= to && to <= buffer->size());
  if (!empty()) {
    return add(buffer, from, to, 0);
  }
  return send_now(sink, buffer, from, to, ec);
}

send_status outbox::add(const frame_buffer_ptr& buffer, std::size_t from, std::size_t to,
                        std::size_t counted_elsewhere) {
  if (from == to)
    return send_status::sent;
  const auto counted = counted_bytes() + counted_elsewhere;
  if (!empty() && !has_room(cost_of(*buffer, to - from), counted))
    return send_status::dropped;
  if (empty() && counted > std::max(limit_, cap_))
    return send_status::dropped;
  keep(buffer, from, to);
  return send_status::queued;
}

std::size_t outbox::send(byte_sink& sink, std::span<const frame_slice> slices,
                         boost::system::error_code& ec) {
  std::size_t taken = 0;
  while (empty() && taken < slices.size() && !ec)
    taken += write_slices(sink, slices.subspan(taken), ec);
  for (; taken < slices.size() && !ec; ++taken)
    if (add(frame_buffer_ptr{slices[taken].buffer}, slices[taken].from, slices[taken].to, 0)
        == send_status::dropped)
      break;
  return taken;
}

/// Nothing waits: the sink may take them all, or as many as fit into one write. What it takes in part is kept.
/// @returns how many slices that is, at least one unless `ec` is set.
std::size_t outbox::write_slices(byte_sink& sink, std::span<const frame_slice> slices,
                                 boost::system::error_code& ec) {
  std::array<iovec, max_pieces_a_write> pieces{};
  const auto count = std::min(slices.size(), pieces.size());
  for (std::size_t i = 0; i < count; ++i)
    pieces[i] = {slices[i].buffer->bytes().data() + slices[i].from, slices[i].size()};
  auto written = sink.write_some(pieces.data(), count, ec);
  if (ec)
    return 0;
  std::size_t taken = 0;
  for (; taken < count && written >= slices[taken].size(); ++taken)
    written -= slices[taken].size();
  if (taken == count)
    return count;
  const auto& cut = slices[taken];
  keep_first(frame_buffer_ptr{cut.buffer}, cut.from + written, cut.to, written > 0);
  return taken + 1;
}

send_status outbox::send_unlimited(byte_sink& sink, const frame_buffer_ptr& buffer,
                                   boost::system::error_code& ec) {
  if (empty())
    return send_now(sink, buffer, 0, buffer->size(), ec);
  keep(buffer, 0, buffer->size());
  return send_status::queued;
}

/// Nothing waits: the sink may take it all.
send_status outbox::send_now(byte_sink& sink, const frame_buffer_ptr& buffer, std::size_t from,
                             std::size_t to, boost::system::error_code& ec) {
  if (from == to)
    return send_status::sent;
  const iovec piece{buffer->bytes().data() + from, to - from};
  const auto written = sink.write_some(&piece, 1, ec);
  if (ec)
    return send_status::dropped;
  if (written == to - from)
    return send_status::sent;
  keep_first(buffer, from + written, to, written > 0);
  return send_status::queued;
}

void outbox::keep_rest(const frame_buffer_ptr& buffer, std::size_t from, std::size_t to) {
  assert(empty() && from < to);
  keep_first(buffer, from, to, true);
}

/// Whether a slice that counts so much may wait behind what counts already.
bool outbox::has_room(std::size_t cost, std::size_t counted) const noexcept {
  if (counted + cost <= limit_)
    return true;
  return cap_ > limit_ && (counted <= limit_ || counted + cost <= cap_);
}

void outbox::keep(const frame_buffer_ptr& buffer, std::size_t from, std::size_t to) {
  if (from == to)
    return;
  if (is_to_be_copied(*buffer, to - from))
    keep_copy(*buffer, from, to);
  else
    keep_shared(buffer, from, to);
}

/// Nothing waited. Of a burst to a room many members may have a rest, all in the same buffer.
void outbox::keep_first(const frame_buffer_ptr& buffer, std::size_t from, std::size_t to,
                        bool is_rest) {
  if (is_rest && to - from > max_tail_bytes)
    keep_shared(buffer, from, to);
  else
    keep(buffer, from, to);
  first_is_started_ = is_rest;
}

void outbox::keep_shared(const frame_buffer_ptr& buffer, std::size_t from, std::size_t to) {
  slices_.push_back(
    {held_buffer{buffer}, static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(to)});
  held_ += buffer->capacity() + slice_overhead_bytes;
}

/// To the end of the tail, or of a new one.
void outbox::keep_copy(const frame_buffer& buffer, std::size_t from, std::size_t to) {
  const auto size = to - from;
  auto* const last = empty() ? nullptr : &slices_.back();
  if (last != nullptr && last->buffer->is_copy() && last->buffer->size() + size <= max_tail_bytes) {
    const auto before = last->buffer->capacity();
    last->buffer->append({buffer.data() + from, size}, max_tail_bytes);
    last->to += static_cast<std::uint32_t>(size);
    held_ += last->buffer->capacity() - before;
    return;
  }
  slices_.push_back({held_buffer{buffer.copy(from, to)}, 0, static_cast<std::uint32_t>(size)});
  held_ += slices_.back().buffer->capacity() + slice_overhead_bytes;
}

std::size_t outbox::cost_of_first() const noexcept {
  return slices_[first()].buffer->capacity() + slice_overhead_bytes;
}

std::size_t outbox::bytes() const noexcept {
  std::size_t sum = 0;
  for (std::size_t i = first(); i < slices_.size(); ++i)
    sum += slices_[i].to - slices_[i].from;
  return sum;
}

std::size_t outbox::flush(byte_sink& sink, boost::system::error_code& ec) {
  std::size_t total = 0;
  while (!empty()) {
    std::array<iovec, max_pieces> pieces;
    std::size_t count = 0;
    std::size_t offered = 0;
    for (std::size_t i = first(); i < slices_.size() && count < max_pieces; ++i) {
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

void outbox::consume(std::size_t bytes) {
  while (bytes > 0) {
    auto& item = slices_[first()];
    const auto taken = std::min<std::size_t>(bytes, item.to - item.from);
    bytes -= taken;
    first_is_started_ = taken < item.to - item.from;
    if (first_is_started_) {
      item.from += static_cast<std::uint32_t>(taken);
    } else {
      held_ -= cost_of_first();
      item.buffer.reset();
      ++first_;
    }
  }
  if (empty())
    clear();
  else if (first() > max_pieces && 2 * first() > slices_.size())
    keep_slices(first(), slices_.size());
}

/// Keeps only these, and no more memory than for them.
void outbox::keep_slices(std::size_t from, std::size_t to) {
  const auto at = [&](std::size_t index) {
    return std::make_move_iterator(slices_.begin() + static_cast<std::ptrdiff_t>(index));
  };
  slices_ = std::vector<slice>(at(from), at(to));
  first_ = 0;
}

std::size_t outbox::drop_unstarted() {
  if (!first_is_started_)
    return clear();
  const auto before = bytes();
  held_ = cost_of_first();
  keep_slices(first(), first() + 1);
  return before - bytes();
}

std::size_t outbox::clear() noexcept {
  const auto dropped = bytes();
  std::vector<slice>{}.swap(slices_);
  held_ = 0;
  first_ = 0;
  first_is_started_ = false;
  return dropped;
}

} // namespace canang::net
