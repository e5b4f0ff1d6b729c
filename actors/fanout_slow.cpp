#include "actors/fanout.hpp"
#include "net/close_code.hpp"
#include "net/limits.hpp"

#include <utility>

// Members whose sockets are full, in rooms whose settings say that they lose something and are not closed. What waits for
// them is in `slow_members`; who is up to date is written to as in any room.

namespace canang::actors {

void fanout::heed_settings(local_room& room) {
  if (settings_ == nullptr)
    return;
  const auto settings = settings_->get()->of(room.name);
  const auto policy = settings.slow;
  room.compress_from = settings.compresses ? settings.compression_min_bytes : never;
  const bool may_lose = policy != cluster::slow_consumers::disconnect;
  if (room.may_lose != may_lose && room.is_dirty)
    flush_now(room); // by what it was published under
  if (may_lose && !room.may_lose)
    slow_[room.id] = new slow_members{context_, room.id, room.name, policy, *this};
  else if (may_lose)
    slow_[room.id]->set_policy(policy);
  else if (room.may_lose)
    slow_[room.id]->leave_all(); // they read to the end what waits already
  if (!may_lose)
    slow_.erase(room.id);
  room.may_lose = may_lose;
}

/// A number of rooms a tick, bucket by bucket, and round from wherever that was when there are newer settings: so each
/// room has its turn, however often they are replaced. Rooms that come meanwhile are looked up as they come.
void fanout::heed_new_settings() {
  if (settings_ == nullptr)
    return;
  const auto generation = settings_->generation();
  const auto buckets = rooms_.bucket_count();
  const bool are_new = std::exchange(settings_seen_, generation) != generation;
  const bool have_moved = std::exchange(buckets_seen_, buckets) != buckets && unheeded_buckets_ > 0;
  if (are_new || have_moved)
    unheeded_buckets_ = buckets;
  for (std::size_t rooms = 0; unheeded_buckets_ > 0 && rooms < net::max_rooms_heeded_a_tick;
       --unheeded_buckets_)
    rooms += heed_settings_in(next_bucket_++ % buckets);
  end_left_behind(); // now: rooms that disconnect leave out nobody when they are written to
}

/// @returns rooms.
std::size_t fanout::heed_settings_in(std::size_t bucket) {
  const auto end = rooms_.end(bucket);
  for (auto at = rooms_.begin(bucket); at != end; ++at)
    heed_settings(at->second);
  return rooms_.bucket_size(bucket);
}

/// Has those members wait for whom something waits already. The queues of the others are empty then, and this is the
/// first that they are written: it always fits.
void fanout::flush_lossy(local_room& room) {
  gathered_.write();
  auto& list = *slow_.at(room.id);
  for (auto& target : room.groups)
    if (!target.frames.empty())
      keep_for_slow(list, target);
  list.end_turn();
}

void fanout::keep_for_slow(slow_members& list, group& target) {
  for (auto& to : target.members) {
    to.is_served = to.is_leaving;
    if (to.is_leaving || context_.lanes.descriptor(to.lane) >= 0)
      continue; // it gets nothing more, or nothing waits
    to.is_served = to.session->is_open() && to.session->has_waiting();
    if (to.is_served)
      list.keep_for({.id = to.id,
                     .session = *to.session,
                     .format = *target.format,
                     .counts_on_all = to.counts_on_all});
  }
}

/// What they are told of a break at which nothing is lost to the others. Null where the protocol has no word for a
/// loss: they are told what the others are, then.
net::frame_buffer_ptr fanout::encode_loss(const group& target, net::room_position at) {
  at.recovered = false;
  auto word = context_.buffers.make();
  return target.format->encode_break(at, word->bytes()) ? word : nullptr;
}

void fanout::on_loss(room_id room, connection_id who) {
  auto& memberships = sessions_.find(who)->second.memberships;
  member_at(*memberships.find_if([room](const membership& one) { return one.room == room; }))
    .is_leaving = true;
  left_behind_.emplace_back(room, who);
}

/// They are told to come back, as after a break that is theirs alone.
void fanout::end_left_behind() {
  const removal why{net::messages_lost, "messages lost"};
  for (const auto& [id, who] : std::exchange(left_behind_, {})) {
    const auto found = sessions_.find(who);
    auto* const at = found == sessions_.end()
                       ? nullptr
                       : found->second.memberships.find_if(
                         [room = id](const membership& one) { return one.room == room; });
    if (at == nullptr || !member_at(*at).is_leaving)
      continue; // it has left, and maybe come back
    const auto& room = rooms_.find(id)->second;
    auto& session = *found->second.session;
    if (tell_end(session, *room.groups[at->group].format, room.name, why))
      unseat(found->second, id, &membership_owner::on_broken);
    else
      session.close(why.code, why.text, net::close_reason::messages_lost);
  }
}

void fanout::let_go_kept() {
  pages_->let_go_kept();
  bases_.let_go_all();
  for (const auto& [id, list] : slow_)
    list->let_go();
}

} // namespace canang::actors
