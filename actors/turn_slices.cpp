#include "actors/turn_slices.hpp"

#include "net/limits.hpp"

#include <cassert>
#include <utility>

namespace canang::actors {

turn_slices::place turn_slices::acquire() {
  if (free_.empty()) {
    owners_.push_back({});
    free_.reserve(owners_.size()); // so that release never allocates
    return static_cast<place>(owners_.size() - 1);
  }
  const auto taken = free_.back();
  free_.pop_back();
  return taken;
}

void turn_slices::release(place of_session) {
  assert(of_session != 0 && owners_[of_session].first == none);
  free_.push_back(of_session);
}

void turn_slices::add(place of_session, net::session& session, std::uint32_t lane,
                      const net::frame_buffer_ptr& buffer, std::uint32_t from, std::uint32_t to,
                      std::uint64_t frames) {
  if (buffers_.empty() || buffers_.back() != buffer)
    buffers_.push_back(buffer); // rooms are flushed one after the other
  auto& own = owners_[of_session];
  const auto number = static_cast<std::uint32_t>(slices_.size());
  slices_.push_back({{buffer.get(), from, to}, static_cast<std::uint32_t>(frames), none});
  if (own.first == none) {
    own = {&session, lane, number, number};
    touched_.push_back(of_session);
  } else {
    slices_[std::exchange(own.last, number)].next = number;
  }
  if (slices_.size() >= net::max_slices_a_turn)
    write();
}

void turn_slices::write() {
  if (touched_.empty())
    return;
  for (const auto of_session : touched_)
    write(owners_[of_session]);
  touched_.clear();
  slices_.clear();
  buffers_.clear();
}

void turn_slices::write(owner& to) {
  pieces_.clear();
  frames_.clear();
  for (auto at = to.first; at != none; at = slices_[at].next) {
    pieces_.push_back(slices_[at].bytes);
    frames_.push_back(slices_[at].frames);
  }
  count(write_now(to, pieces_));
  to.first = none;
}

/// Directly where the session's lane is clear; leaves everything else to the session.
/// @returns how many pieces it took, from the first.
std::size_t turn_slices::write_now(const owner& to, std::span<const net::frame_slice> pieces) {
  const int descriptor = context_.lanes.descriptor(to.lane);
  if (descriptor < 0 || pieces.size() > net::max_pieces_a_write)
    return to.session->send_slices(pieces);
  vectors_.clear();
  for (const auto& one : pieces)
    vectors_.push_back({one.buffer->bytes().data() + one.from, one.size()});
  const auto written = net::write_now(descriptor, vectors_.data(), vectors_.size());
  if (written <= 0)
    return to.session->send_slices(pieces);
  context_.metrics.sent_bytes_total.add(static_cast<std::uint64_t>(written));
  auto left = static_cast<std::size_t>(written);
  std::size_t taken = 0;
  for (; taken < pieces.size() && left >= pieces[taken].size(); ++taken)
    left -= pieces[taken].size();
  if (left > 0) {
    const auto& cut = pieces[taken++];
    to.session->send_rest(net::frame_buffer_ptr{cut.buffer}, cut.from + left, cut.to);
  }
  const auto rest = pieces.subspan(taken);
  return rest.empty() ? taken : taken + to.session->send_slices(rest);
}

void turn_slices::count(std::size_t taken) {
  for (std::size_t i = 0; i < frames_.size(); ++i) {
    auto& counted =
      i < taken ? context_.metrics.deliveries_total : context_.metrics.messages_dropped_total;
    counted.add(frames_[i]);
  }
}

} // namespace canang::actors
