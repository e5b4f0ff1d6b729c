#include "actors/fanout.hpp"

#include "actors/outgoing.hpp"

#include <algorithm>
#include <utility>

// What a turn brings to the rooms, and how it is written. Who is in them is in fanout_members.cpp.

namespace canang::actors {

void fanout::deliver(room_id id, const cluster::publication_ptr& message) {
  context_.assert_on_loop();
  const auto found = rooms_.find(id);
  if (found == rooms_.end())
    return; // its last member here has gone
  auto& room = found->second;
  if (std::exchange(room.has_pages, false))
    pages_->forget(id);
  if (!room.is_dirty) {
    room.is_dirty = true;
    dirty_.push_back(id);
  }
  room.received_ns.push_back(message->received_at.time_since_epoch().count());
  bool is_full = false;
  for (auto& target : room.groups) {
    if (target.members.empty())
      continue;
    if (!target.buffer)
      target.buffer = context_.buffers.make();
    auto& bytes = target.buffer->bytes();
    const auto from = static_cast<std::uint32_t>(bytes.size());
    if (target.told_last == base::any) [[likely]]
      target.format->encode_of_turn(outgoing(*message, room.name), bytes);
    else
      encode_change(room, target, *message);
    if (bytes.size() == from)
      continue; // not for members of this protocol
    if (target.format->packing != net::compression::none
        && !target.format->frames.makes_one_of_turn()) [[unlikely]]
      compress(room, target, from);
    target.frames.push_back(
      {message->publisher, message->echo, from, static_cast<std::uint32_t>(bytes.size())});
    is_full |= bytes.size() >= net::max_turn_buffer_bytes;
  }
  if (room.may_lose) [[unlikely]]
    slow_.at(id)->deliver(message);
  if (tracer_ != nullptr && message->notes) [[unlikely]]
    follow(id, *message);
  if (room.tells_changes && message->kind == cluster::publication_kind::message) [[unlikely]]
    bases_.set(id, message);
  if (is_full)
    flush_now(room);
}

void fanout::flush() {
  context_.assert_on_loop();
  answers_.write();
  // sends never add to dirty_: what they find out is told later
  for (const auto id : dirty_) {
    if (const auto found = rooms_.find(id); found != rooms_.end()) {
      flush_room(found->second);
      found->second.is_dirty = false;
    }
  }
  dirty_.clear();
  compressed_ = 0;
  gathered_.write();
  if (!followed_.empty()) [[unlikely]]
    end_followed();
  if (!left_behind_.empty()) [[unlikely]]
    end_left_behind();
}

/// Before the end of the turn.
void fanout::flush_now(local_room& room) {
  answers_.write();
  flush_room(room);
  gathered_.write();
}

void fanout::flush_room(local_room& room) {
  if (room.may_lose) [[unlikely]]
    flush_lossy(room);
  for (auto& target : room.groups)
    if (target.buffer)
      flush_group(room, target);
  if (room.tells_changes) [[unlikely]]
    settle_newcomers(room);
  const auto now_ns = net::loop_context::clock::now().time_since_epoch().count();
  for (const auto received : room.received_ns)
    context_.metrics.publish_to_flush.observe_ns(
      static_cast<std::uint64_t>(std::max<std::int64_t>(now_ns - received, 0)));
  room.received_ns.clear();
}

void fanout::flush_group(const local_room& room, group& target) {
  if (target.frames.empty()) {
    target.buffer.reset();
    return;
  }
  target.format->frames.finish(target.buffer->bytes());
  if (target.format->packing != net::compression::none && target.format->frames.makes_one_of_turn())
    [[unlikely]]
    compress(room, target, 0);
  serve_publishers(target);
  const auto frames = target.frames.size();
  for (auto& to : target.members) {
    if (to.is_usual()) [[likely]]
      count(send_all(target.buffer, to), frames);
    else if (!std::exchange(to.is_served, false))
      send_to(target, to);
  }
  target.buffer.reset();
  target.frames.clear();
}

/// Compresses the frames of a group from `from` on, once for all of its members; in a turn no more than some
/// milliseconds' worth. Members may have many wire formats, each of which takes its time: beyond that they get theirs
/// as it is, which they can always read.
void fanout::compress(const local_room& room, group& target, std::size_t from) {
  if (room.compress_from == never || compressed_ >= net::max_compressed_bytes_a_turn)
    return;
  const auto tried = context_.deflater.deflate(target.buffer->bytes(), from, room.compress_from,
                                               target.format->packing);
  compressed_ += tried;
  context_.sockets.charge_next(tried * net::cost_of_deflated_byte);
}

/// Marks the publishers that are left out of their own frames, then sends to all publishers.
void fanout::serve_publishers(group& target) {
  for (const auto& item : target.frames) {
    if (item.echo || item.publisher == 0)
      continue;
    if (auto* const publisher = find_member(target, item.publisher))
      publisher->is_special = true;
  }
  connection_id last = 0;
  for (const auto& item : target.frames) {
    if (item.publisher == 0 || item.publisher == last)
      continue;
    last = item.publisher;
    auto* const publisher = find_member(target, item.publisher);
    if (publisher != nullptr && !publisher->is_served) {
      publisher->is_served = true;
      send_to(target, *publisher);
    }
  }
}

/// The member of this group with that id, or null.
fanout::member* fanout::find_member(group& target, connection_id id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end())
    return nullptr;
  const auto* const at = found->second.memberships.find_if([&](const membership& candidate) {
    return candidate.position < target.members.size()
           && target.members[candidate.position].id == id;
  });
  return at == nullptr ? nullptr : &target.members[at->position];
}

void fanout::send_to(group& target, member& to) {
  if (to.is_special) {
    send_special(target, to);
    return;
  }
  if (to.place != 0)
    gathered_.add(to.place, *to.session, to.lane, target.buffer, 0,
                  static_cast<std::uint32_t>(target.buffer->size()), target.frames.size());
  else
    count(send_all(target.buffer, to), target.frames.size());
}

/// Writes the whole buffer directly where the member's lane is clear, which it nearly always is; leaves
/// everything else to the session.
net::send_status fanout::send_all(const net::frame_buffer_ptr& buffer, const member& to) {
  const auto size = buffer->size();
  const int descriptor = context_.lanes.descriptor(to.lane);
  if (descriptor < 0)
    return to.session->send(buffer, 0, size);
  const auto taken = net::write_now(descriptor, buffer->data(), size);
  if (taken <= 0)
    return to.session->send(buffer, 0, size);
  const auto written = static_cast<std::size_t>(taken);
  context_.metrics.sent_bytes_total.add(written);
  return written == size ? net::send_status::sent : to.session->send_rest(buffer, written, size);
}

void fanout::count(net::send_status status, std::uint64_t frames) {
  auto& metrics = context_.metrics;
  auto& counted =
    status == net::send_status::dropped ? metrics.messages_dropped_total : metrics.deliveries_total;
  counted.add(frames);
}

/// Sends the runs of frames that this member is to have.
void fanout::send_special(group& target, member& to) {
  std::uint32_t from = to.starts_at;
  std::uint32_t end = to.starts_at;
  std::uint64_t run = 0;
  const auto send_run = [&] {
    if (run == 0)
      return;
    if (to.place != 0)
      gathered_.add(to.place, *to.session, to.lane, target.buffer, from, end, run);
    else
      count(to.session->send(target.buffer, from, end), run);
    run = 0;
  };
  for (const auto& item : target.frames) {
    if (item.from < to.starts_at)
      continue;
    if (item.publisher == to.id && !item.echo) {
      send_run();
      from = item.to;
    } else {
      ++run;
    }
    end = item.to;
  }
  send_run();
  to.starts_at = 0;
  to.is_special = false;
}

} // namespace canang::actors
