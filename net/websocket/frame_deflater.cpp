#include "net/websocket/frame_deflater.hpp"

#include "net/frame.hpp"
#include "net/limits.hpp"

#include <zlib.h>

#include <cassert>
#include <cstdint>

namespace canang::net {

namespace {

/// Fast: what it leaves over is little where each message is by itself, and it is the loop's time.
constexpr int level = 1;
constexpr int memory_level = 8;

/// Of raw DEFLATE data, without a head and a sum of zlib's own.
constexpr int raw_window_bits(compression how) noexcept {
  return how == compression::deflate ? -15 : -9;
}

/// What ends all that zlib flushes, and goes without saying (RFC 7692, 7.2.1).
constexpr std::size_t tail_bytes = 4;

constexpr std::uint8_t rsv1_bit = 0x40;

/// A frame as `append_frame` makes it.
struct whole_frame {
  frame_type type;
  std::size_t head_bytes;
  std::string_view payload;
};

whole_frame frame_at(std::string_view frames, std::size_t at) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(frames[at + i]); };
  const auto length_bytes = byte(1) < 126 ? 0U : byte(1) == 126 ? 2U : 8U;
  std::uint64_t size = length_bytes == 0 ? byte(1) : 0U;
  for (std::size_t i = 0; i < length_bytes; ++i)
    size = size << 8U | byte(2 + i);
  const auto head_bytes = 2U + length_bytes;
  assert(byte(0) == 0x81 || byte(0) == 0x82);
  assert(at + head_bytes + size <= frames.size());
  return {static_cast<frame_type>(byte(0) & 0x0FU), head_bytes,
          frames.substr(at + head_bytes, size)};
}

void append_packed_frame(std::string& out, frame_type type, std::string_view packed) {
  const auto at = out.size();
  append_frame(out, type, packed);
  out[at] = static_cast<char>(static_cast<std::uint8_t>(out[at]) | rsv1_bit);
}

} // namespace

/// Zlib's state, ready for a message.
struct frame_deflater::stream {
  explicit stream(compression how) noexcept
    : is_ready(::deflateInit2(&state, level, Z_DEFLATED, raw_window_bits(how), memory_level,
                              Z_DEFAULT_STRATEGY)
               == Z_OK) {}
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;
  ~stream() {
    if (is_ready)
      ::deflateEnd(&state);
  }

  z_stream state{};
  bool is_ready;
};

frame_deflater::frame_deflater(loop_metrics& metrics) noexcept : metrics_(metrics) {}

frame_deflater::~frame_deflater() = default;

/// @returns null where there is no memory for it.
frame_deflater::stream* frame_deflater::stream_of(compression how) {
  assert(how != compression::none);
  auto& one = streams_[static_cast<std::size_t>(how) - 1];
  if (!one)
    one = std::make_unique<stream>(how);
  if (one->is_ready)
    return one.get();
  one.reset(); // maybe the next time
  return nullptr;
}

std::size_t frame_deflater::deflate(std::string& frames, std::size_t from, std::size_t least_bytes,
                                    compression how) {
  std::size_t tried = 0;
  std::size_t kept_to = from; // what is before it is in `replaced_`, once there is something
  stream* with = nullptr;
  replaced_.clear();
  for (std::size_t at = from; at < frames.size();) {
    const auto one = frame_at(frames, at);
    const auto end = at + one.head_bytes + one.payload.size();
    if (one.payload.size() >= least_bytes && (with != nullptr || (with = stream_of(how)))) {
      tried += one.payload.size();
      if (deflate_one(*with, one.payload)) {
        replaced_.append(frames, kept_to, at - kept_to);
        append_packed_frame(replaced_, one.type, packed_);
        metrics_.deflated_from_bytes_total.add(one.payload.size());
        metrics_.deflated_to_bytes_total.add(packed_.size());
        kept_to = end;
      }
    }
    at = end;
  }
  if (kept_to != from) {
    replaced_.append(frames, kept_to);
    frames.replace(from, std::string::npos, replaced_);
  }
  for (auto* const spare : {&packed_, &replaced_})
    if (spare->capacity() > max_pooled_buffer_bytes)
      *spare = std::string{};
  return tried;
}

/// Compresses one message into `packed_`.
/// @returns whether it became shorter.
bool frame_deflater::deflate_one(stream& with, std::string_view payload) {
  if (payload.empty() || payload.size() > max_deflated_bytes)
    return false;
  auto& state = with.state;
  // room for what is shorter, and one byte more: that one is left over unless there is more to come
  packed_.resize(payload.size() + tail_bytes);
  // zlib does not write there
  state.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(payload.data()));
  state.avail_in = static_cast<uInt>(payload.size());
  state.next_out = reinterpret_cast<Bytef*>(packed_.data());
  state.avail_out = static_cast<uInt>(packed_.size());
  const auto result = ::deflate(&state, Z_SYNC_FLUSH);
  const bool is_shorter = result == Z_OK && state.avail_out > 0;
  packed_.resize(is_shorter ? packed_.size() - state.avail_out - tail_bytes : 0);
  ::deflateReset(&state);
  return is_shorter;
}

} // namespace canang::net
