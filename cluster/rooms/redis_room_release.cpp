// When somebody is in a room, and what becomes of what Redis keeps for those who were.

#include "cluster/rooms/redis_room.hpp"
#include "cluster/rooms/room_scripts.hpp"

#include <utility>

namespace canang::cluster {

void redis_room::set_subscriber(room_subscriber* subscriber) {
  subscriber_ = subscriber;
  ++subscriber_life_;
  owes_release_ = false;
  if (subscriber != nullptr)
    return;
  left_at_ = services_.now();
  release();
}

/// Of a room in which something was published the history says where it stands, and for how long.
void redis_room::release() {
  if (!is_held_ || feed_.top().offset > 0)
    return;
  forget_position();
  owes_release_ = true;
}

void redis_room::forget_position() {
  feed_.begin_again(is_confirmed_);
  wanted_page_.reset();
  is_reading_ = false;
  next_read_at_ = {};
  ++reads_life_;
  account_window();
}

void redis_room::send_release() {
  if (!owes_release_ || !queue_.empty() || !services_.shard.can_command())
    return;
  owes_release_ = is_held_ = false;
  const auto counts = key("n");
  const std::string_view keys[]{meta_key_, counts};
  const std::string_view arguments[]{services_.node};
  services_.shard.run(room_scripts().release, keys, arguments,
                      [self = shared_from_this()](redis_errc error, const redis_reply& reply) {
                        if (reply.is_error())
                          self->services_.note_refusal(housekeeping::release, reply.text());
                        if (error == redis_errc::none || self->subscriber_ != nullptr)
                          return;
                        self->is_held_ = self->owes_release_ = true; // again when the link is back
                      });
}

void redis_room::on_subscribed() {
  is_confirmed_ = true;
  feed_.on_subscribed(subscriber_ != nullptr);
}

bool redis_room::has_to_be_checked() {
  if (subscriber_ == nullptr && feed_.is_live())
    forget_position(); // whoever comes has it read
  return feed_.is_live();
}

} // namespace canang::cluster
