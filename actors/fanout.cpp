#include "actors/fanout.hpp"

#include "actors/outgoing.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace canang::actors {

namespace {

/// A member that cannot be told otherwise: publications were lost to it.
constexpr std::uint16_t messages_lost = 3010;

net::room_position position_of(const std::string& room, const cluster::position& at,
                               bool recovered) {
  return {room, at.epoch, at.offset, recovered};
}

} // namespace

void fanout::attach(connection_id id, net::session_ptr session) {
  sessions_.try_emplace(id).first->second.session = std::move(session);
}

void fanout::detach(connection_id id) {
  users_.remove(id);
  const auto found = sessions_.find(id);
  if (found == sessions_.end())
    return;
  for (const auto& at : found->second.memberships)
    erase_membership(id, at);
  sessions_.erase(found);
}

void fanout::add(const add_member& request) {
  const auto found = sessions_.find(request.member);
  if (found == sessions_.end())
    return; // died on the way; its room hears of it by itself
  auto& who = found->second;
  who.session->open();
  const auto answer = context_.buffers.make();
  request.language->encode_join(position_of(request.room_name, request.from, request.is_recovered),
                                answer->bytes());
  auto& room = rooms_[request.room];
  who.session->send_reply(answer, pages_->source_of(request));
  room.has_pages |= !request.recovered.empty();
  add_to_group(request.member, who, room, request);
}

void fanout::add_to_group(connection_id id, connected& who, local_room& room,
                          const add_member& request) {
  auto at = std::find_if(room.groups.begin(), room.groups.end(), [&](const group& candidate) {
    return candidate.language == request.language;
  });
  if (at == room.groups.end()) {
    room.groups.push_back({request.language, {}, {}, {}});
    at = std::prev(room.groups.end());
  }
  const auto present = at->buffer ? static_cast<std::uint32_t>(at->buffer->size()) : 0U;
  at->members.push_back({who.session.get(), id, who.session->lane(), present, present != 0, false});
  who.memberships.push_back({request.room, static_cast<std::uint32_t>(at - room.groups.begin()),
                             static_cast<std::uint32_t>(at->members.size() - 1)});
}

void fanout::remove(room_id room, connection_id member) {
  const auto found = sessions_.find(member);
  if (found == sessions_.end())
    return;
  auto& memberships = found->second.memberships;
  const auto at = std::find_if(memberships.begin(), memberships.end(),
                               [&](const membership& m) { return m.room == room; });
  if (at == memberships.end())
    return;
  erase_membership(member, *at);
  memberships.erase(at);
}

void fanout::on_tick(net::loop_context::clock::time_point now) {
  pages_->expire(now);
  users_.shrink();
  context_.metrics.users_memory_bytes.set(users_.cost());
}

/// Takes a member out of its group; the last member of the group takes its place.
void fanout::erase_membership([[maybe_unused]] connection_id id, const membership& at) {
  const auto found = rooms_.find(at.room);
  assert(found != rooms_.end());
  auto& room = found->second;
  auto& members = room.groups[at.group].members;
  assert(members[at.position].id == id);
  if (at.position + 1 != members.size()) {
    members[at.position] = members.back();
    auto& moved = sessions_.find(members.back().id)->second.memberships;
    std::find_if(moved.begin(), moved.end(), [&](const membership& m) {
      return m.room == at.room;
    })->position = at.position;
  }
  members.pop_back();
  const bool is_empty = std::all_of(room.groups.begin(), room.groups.end(),
                                    [](const group& g) { return g.members.empty(); });
  if (is_empty)
    rooms_.erase(found);
}

void fanout::deliver(room_id id, const cluster::publication_ptr& message) {
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
    target.language->encode(outgoing(*message), bytes);
    if (bytes.size() == from)
      continue; // not for members of this dialect
    target.frames.push_back(
      {message->publisher, message->echo, from, static_cast<std::uint32_t>(bytes.size())});
    is_full |= bytes.size() >= net::max_turn_buffer_bytes;
  }
  if (is_full)
    flush_room(room);
}

void fanout::tell_break(const break_order& order) {
  const auto found = rooms_.find(order.room);
  if (found == rooms_.end())
    return;
  auto& room = found->second;
  flush_room(room);
  const auto at = position_of(order.room_name, order.from, !order.is_lost);
  for (auto& target : room.groups) {
    const auto word = context_.buffers.make();
    const bool is_told = target.language->encode_break(at, word->bytes());
    for (const auto& to : target.members) {
      if (!is_told)
        to.session->close(messages_lost, "messages lost", net::close_reason::messages_lost);
      else if (word->size() > 0)
        to.session->send(word, 0, word->size());
    }
  }
}

void fanout::flush() {
  // sends never add to dirty_: what they find out is told later
  for (const auto id : dirty_) {
    if (const auto found = rooms_.find(id); found != rooms_.end()) {
      flush_room(found->second);
      found->second.is_dirty = false;
    }
  }
  dirty_.clear();
}

void fanout::flush_room(local_room& room) {
  for (auto& target : room.groups)
    if (target.buffer)
      flush_group(target);
  const auto now_ns = net::loop_context::clock::now().time_since_epoch().count();
  for (const auto received : room.received_ns)
    context_.metrics.publish_to_flush.observe_ns(
      static_cast<std::uint64_t>(std::max<std::int64_t>(now_ns - received, 0)));
  room.received_ns.clear();
}

void fanout::flush_group(group& target) {
  if (target.frames.empty()) {
    target.buffer.reset();
    return;
  }
  serve_publishers(target);
  for (auto& to : target.members) {
    if (!std::exchange(to.is_served, false))
      send_to(target, to);
  }
  target.buffer.reset();
  target.frames.clear();
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
  for (const auto& at : found->second.memberships)
    if (at.position < target.members.size() && target.members[at.position].id == id)
      return &target.members[at.position];
  return nullptr;
}

void fanout::send_to(group& target, member& to) {
  if (to.is_special) {
    send_special(target, to);
    return;
  }
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
    count(to.session->send(target.buffer, from, end), std::exchange(run, 0));
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

void fanout::close_members(room_id room, std::uint16_t code, std::string_view text,
                           net::close_reason reason) {
  const auto found = rooms_.find(room);
  if (found == rooms_.end())
    return;
  for (const auto& target : found->second.groups)
    for (const auto& to : target.members)
      to.session->close(code, text, reason);
}

void fanout::close_one(connection_id who, std::uint16_t code, std::string_view text,
                       net::close_reason reason) {
  const auto found = sessions_.find(who);
  if (found != sessions_.end() && found->second.session->is_open())
    found->second.session->close(code, text, reason);
}

void fanout::end_one(connection_id who, std::uint16_t code, std::string_view text,
                     net::close_reason reason) {
  const auto found = sessions_.find(who);
  if (found == sessions_.end())
    return;
  auto& ended = *found->second.session;
  if (ended.is_open())
    ended.close(code, text, reason);
  else
    ended.refuse(net::reject_reason::unavailable);
}

void fanout::close_all(std::uint16_t code, std::string_view text, net::close_reason reason) {
  for (const auto& [id, who] : sessions_) {
    if (who.session->is_open())
      who.session->close(code, text, reason);
    else
      who.session->refuse(net::reject_reason::unavailable);
  }
}

std::vector<connection_id> fanout::open_sessions() const {
  std::vector<connection_id> ids;
  ids.reserve(sessions_.size());
  for (const auto& [id, who] : sessions_)
    if (who.session->is_open())
      ids.push_back(id);
  return ids;
}

void fanout::abort_all(net::close_reason reason) {
  for (const auto& [id, who] : sessions_)
    who.session->abort(reason);
}

} // namespace canang::actors
