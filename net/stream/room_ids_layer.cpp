#include "net/stream/room_ids_layer.hpp"

#include "base/memory_cost.hpp"
#include "net/limits.hpp"
#include "net/send_lanes.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace canang::net {

namespace {

constexpr std::string_view id_field = "id: ";

/// Memory of a position outside of its string.
constexpr std::size_t position_cost = allocated(32);

} // namespace

room_ids_layer::room_ids_layer(std::vector<room> rooms, std::unique_ptr<byte_layer> below,
                               counter* memory_bytes)
  : rooms_(std::move(rooms)), below_(std::move(below)), memory_bytes_(memory_bytes) {
  for (std::size_t i = 0; i < rooms_.size(); ++i)
    index_.emplace(rooms_[i].name, i);
  if (memory_bytes_ != nullptr)
    memory_bytes_->add(cost());
}

room_ids_layer::~room_ids_layer() {
  if (memory_bytes_ != nullptr)
    memory_bytes_->subtract(cost());
}

/// Each room is counted with a position: it has one as soon as it was joined.
std::size_t room_ids_layer::cost() const noexcept {
  // its node has a link and the hash beside key and value
  constexpr auto index_entry_cost =
    allocated(sizeof(std::pair<std::string_view, std::size_t>) + 2 * sizeof(void*)) + bucket_cost;
  std::size_t bytes = allocated(sizeof(room_ids_layer)) + allocated(rooms_.size() * sizeof(room))
                      + first_buckets_cost;
  for (const auto& one : rooms_)
    bytes += heap_of_text(one.name.size()) + position_cost + index_entry_cost;
  return bytes;
}

read_result room_ids_layer::read(int descriptor, std::span<char> into) {
  return below_ ? below_->read(descriptor, into) : read_now(descriptor, into);
}

std::ptrdiff_t room_ids_layer::write_below(int descriptor, const iovec* pieces, std::size_t count) {
  return below_ ? below_->write(descriptor, pieces, count) : write_now(descriptor, pieces, count);
}

/// Takes more only when what it made is gone: so it holds little, and the limits of the outbox hold.
std::ptrdiff_t room_ids_layer::write(int descriptor, const iovec* pieces, std::size_t count) {
  std::ptrdiff_t taken = 0;
  std::size_t done = 0; // of the first piece
  while (count > 0 || !output_.empty()) {
    if (const auto fault = flush(descriptor); fault != 0)
      return fault;
    if (!output_.empty())
      break;
    while (count > 0 && output_.size() < max_stream_piece_bytes) {
      const std::string_view rest{static_cast<const char*>(pieces->iov_base) + done,
                                  pieces->iov_len - done};
      const auto used = take(rest);
      taken += static_cast<std::ptrdiff_t>(used);
      done += used;
      if (used < rest.size())
        continue;
      ++pieces;
      --count;
      done = 0;
    }
  }
  return taken;
}

int room_ids_layer::flush(int descriptor) {
  while (!output_.empty()) {
    const iovec piece{output_.data(), output_.size()};
    const auto written = write_below(descriptor, &piece, 1);
    if (written == -EAGAIN || written == 0)
      return 0;
    if (written < 0)
      return static_cast<int>(written);
    wire_bytes_ += static_cast<std::size_t>(written);
    output_.erase(0, static_cast<std::size_t>(written));
  }
  output_ = std::string{};
  return below_ ? below_->flush(descriptor) : 0;
}

/// Makes output of bytes at the front.
/// @returns how many; some unless there are none.
std::size_t room_ids_layer::take(std::string_view bytes) {
  switch (place_) {
  case place::line_start: return take_start(bytes);
  case place::in_id: return take_id(bytes);
  case place::in_line: break;
  }
  const auto end = bytes.find('\n');
  const auto whole = end == std::string_view::npos ? bytes.size() : end + 1;
  const auto room = max_stream_piece_bytes - std::min(output_.size(), max_stream_piece_bytes - 1);
  const auto used = std::min(whole, room);
  output_ += bytes.substr(0, used);
  if (end != std::string_view::npos && used == whole)
    place_ = place::line_start;
  return used;
}

std::size_t room_ids_layer::take_start(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && line_.size() < id_field.size()
         && bytes[used] == id_field[line_.size()])
    line_ += bytes[used++];
  if (line_.size() == id_field.size()) {
    line_.clear();
    place_ = place::in_id;
  } else if (used < bytes.size()) { // it is something else
    output_ += std::exchange(line_, {});
    place_ = place::in_line;
    used += take(bytes.substr(used));
  }
  return used;
}

std::size_t room_ids_layer::take_id(std::string_view bytes) {
  const auto end = bytes.find('\n');
  line_ += bytes.substr(0, end);
  if (end == std::string_view::npos)
    return bytes.size();
  write_id(std::exchange(line_, {}));
  place_ = place::line_start;
  return end + 1;
}

/// Notes where the client is in one room, and says where it is in all of them. An EventSource keeps the last id, so
/// one that would say the same again is left out: of a client that comes back to many rooms nearly all are.
void room_ids_layer::write_id(std::string_view known) {
  const auto equals = known.find('=');
  const auto found = index_.find(known.substr(0, equals));
  if (equals != std::string_view::npos && found != index_.end()) {
    auto& position = rooms_[found->second].position;
    if (is_id_written_ && position == known.substr(equals + 1))
      return;
    position = known.substr(equals + 1);
  }
  is_id_written_ = true;
  output_ += id_field;
  bool is_first = true;
  for (const auto& each : rooms_) {
    if (each.position.empty())
      continue;
    if (!std::exchange(is_first, false))
      output_ += ',';
    output_ += each.name;
    output_ += '=';
    output_ += each.position;
  }
  output_ += '\n';
}

} // namespace canang::net
