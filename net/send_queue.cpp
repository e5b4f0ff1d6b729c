#include "net/send_queue.hpp"

#include <algorithm>
#include <cassert>
#include <utility>
#include <vector>

namespace canang::net {

namespace {

/// For what must wait although nothing was tried: it stands behind a source.
class full_sink final : public byte_sink {
public:
  std::size_t write_some(const iovec*, std::size_t, boost::system::error_code&) override {
    return 0;
  }
};

full_sink nowhere; // has no state: all threads may use it

} // namespace

/// Sources in their order. The piece is of the first one.
struct send_queue::later {
  struct part {
    frame_source_ptr source;
    outbox behind; // what was sent after the source was added, and before the next one was
  };

  std::vector<part> parts;
  frame_buffer_ptr piece; // null: to be asked for
  std::size_t from = 0;   // bytes of it that are with the kernel
  bool is_paused = false;
};

send_queue::send_queue(outbox_limits limits) noexcept : slices_(limits) {}

send_queue::~send_queue() = default;

/// Queues a slice behind the last source.
send_status send_queue::queue_last(const frame_buffer_ptr& buffer, std::size_t from,
                                   std::size_t to) {
  auto& last = later_->parts.back().behind;
  return last.add(buffer, from, to, counted_bytes() - last.counted_bytes());
}

std::size_t send_queue::queue_last(std::span<const frame_slice> slices) {
  std::size_t taken = 0;
  while (taken < slices.size()
         && queue_last(frame_buffer_ptr{slices[taken].buffer}, slices[taken].from, slices[taken].to)
              != send_status::dropped)
    ++taken;
  return taken;
}

send_status send_queue::send_unlimited(byte_sink& sink, const frame_buffer_ptr& buffer,
                                       boost::system::error_code& ec) {
  if (!later_)
    return slices_.send_unlimited(sink, buffer, ec);
  return later_->parts.back().behind.send_unlimited(nowhere, buffer, ec);
}

void send_queue::add(frame_source_ptr source) {
  assert(source);
  if (!later_)
    later_ = std::make_unique<later>();
  later_->parts.push_back({std::move(source), slices_.another()});
}

std::size_t send_queue::flush(byte_sink& sink, std::size_t share, boost::system::error_code& ec) {
  std::size_t total = 0;
  do {
    total += slices_.flush(sink, ec);
    if (later_ && slices_.empty() && !ec && later_->piece)
      total += write_piece(sink, ec);
  } while (!ec && go_on(total, share));
  return total;
}

/// Makes ready what comes next when all before it is written.
/// @returns false when there is nothing more to be written now.
bool send_queue::go_on(std::size_t written, std::size_t share) {
  if (!later_)
    return false;
  later_->is_paused = false;
  if (!slices_.empty() || later_->piece)
    return false; // the sink is full
  if (written >= share) {
    later_->is_paused = true;
    return false;
  }
  auto& first = later_->parts.front();
  if (!first.source->is_ready())
    return false;
  later_->piece = first.source->next();
  if (later_->piece)
    return true;
  slices_ = std::move(first.behind);
  later_->parts.erase(later_->parts.begin());
  if (later_->parts.empty())
    later_.reset();
  return true;
}

/// Writes of the piece what `sink` takes, and lets it go when that is all.
std::size_t send_queue::write_piece(byte_sink& sink, boost::system::error_code& ec) {
  auto& piece = later_->piece;
  auto& from = later_->from;
  const iovec rest{piece->bytes().data() + from, piece->size() - from};
  const auto written = sink.write_some(&rest, 1, ec);
  from += written;
  if (from == piece->size()) {
    piece.reset();
    from = 0;
  }
  return written;
}

void send_queue::drop_unready() noexcept {
  if (!later_)
    return;
  auto& parts = later_->parts;
  const auto first = std::find_if(parts.begin(), parts.end(),
                                  [](const later::part& one) { return !one.source->is_ready(); });
  parts.erase(first, parts.end());
  if (parts.empty())
    later_.reset();
}

void send_queue::drop_unstarted() {
  const auto gone = std::move(later_);
  if (!gone || !slices_.empty())
    slices_.drop_unstarted();
  else if (gone->from > 0)
    slices_.keep_rest(gone->piece, gone->from, gone->piece->size());
}

void send_queue::clear() noexcept {
  slices_.clear();
  later_.reset();
}

bool send_queue::is_paused() const noexcept { return later_ && later_->is_paused; }

/// Over all slices, wherever they stand.
std::size_t send_queue::sum(std::size_t (outbox::*figure)() const noexcept) const noexcept {
  auto sum = (slices_.*figure)();
  if (later_) {
    for (const auto& part : later_->parts)
      sum += (part.behind.*figure)();
  }
  return sum;
}

std::size_t send_queue::started_bytes() const noexcept {
  if (!later_ || !slices_.empty())
    return slices_.started_bytes();
  return later_->from > 0 ? later_->piece->capacity() : 0;
}

std::size_t send_queue::pinned_bytes() const noexcept {
  std::size_t sum = 0;
  if (later_) {
    for (const auto& part : later_->parts)
      sum += part.source->pinned_bytes();
  }
  return sum;
}

} // namespace canang::net
