#include "cluster/rooms/redis_broker.hpp"

#include "cluster/epoch.hpp"
#include "cluster/redis/refusal.hpp"
#include "cluster/rooms/room_scripts.hpp"

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <utility>

namespace canang::cluster {

redis_broker::redis_broker(boost::asio::io_context& io, redis_target target,
                           const redis_options& links, const redis_broker_options& options,
                           const node_identity& node, const room_settings_source& settings,
                           const presence_options& presence, broker_metrics& metrics,
                           std::function<clock::time_point()> now)
  : io_(io),
    source_(settings),
    shard_(io, std::move(target), links, node.id, metrics, *this),
    control_(shard_, links.prefix, node.id),
    services_{.shard = shard_,
              .options = options,
              .settings = settings.get(),
              .prefix = links.prefix,
              .origin = node.origin,
              .metrics = metrics,
              .now = std::move(now),
              .node = node.id},
    channel_name_begin_(redis_channel(services_, {}).size()),
    probe_room_(services_, node.id),
    faults_(metrics),
    moderation_(services_),
    presence_(services_, presence,
              [this](partition_id partition) { roster_.renew_now(partition); }),
    reaper_(services_, presence,
            [this](std::string_view room, const redis_reply& reply, std::size_t first) {
              presence_.take_over(room, reply, first);
            }),
    roster_(
      services_, presence,
      {[this] { return describe_node_ ? describe_node_() : std::string{"{}"}; },
       [this](redis_roster::roster&& living) {
         living_.clear();
         for (const auto& entry : living)
           living_.push_back(entry.node);
         if (tell_roster_)
           tell_roster_(std::move(living));
       },
       [this](partition_id partition, redis_roster::lease_state state, const std::string& taken) {
         if (presence_.on_lease(partition, state, taken))
           send_soon();
       },
       [this](partition_id partition, const std::string& node, bool is_first) {
         reaper_.begin(partition, node, is_first);
       },
       [this](bool are_there) {
         has_old_nodes_ = are_there;
         write_notes(wants_notes_);
       }}) {
  services_.complain = [this](std::string_view text) { complain(text); };
  services_.note_refusal = [this](housekeeping what, std::string_view error) {
    faults_.note(what, error);
  };
  shard_.probe_by(
    [this](std::string_view channel, std::string_view payload, redis_shard::reply_handler handler) {
      probe_room_.publish(channel, payload, std::move(handler));
    });
  const auto& scripts = room_scripts();
  shard_.preload(std::array{&scripts.publish, &scripts.read, &scripts.positions, &scripts.presence,
                            &scripts.leave, &scripts.reap, &scripts.lease, &scripts.sweep,
                            &scripts.bury, &scripts.release, &scripts.unordered, &scripts.history});
}

redis_broker::~redis_broker() { stop(); }

void redis_broker::start() { shard_.start(); }

void redis_broker::stop() {
  if (std::exchange(is_stopped_, true))
    return;
  is_alive_.reset();
  for (const auto& [name, room] : rooms_)
    room->set_subscriber(nullptr);
  shard_.stop();
  for (const auto& [name, room] : rooms_)
    room->give_up();
}

// --- rooms with members

/// Where its room is, unless a successor has taken its place. Of a broker that has stopped it does nothing.
class redis_broker::channel final : public room_channel {
public:
  channel(redis_broker& broker, room_ptr room)
    : broker_(broker), room_(std::move(room)), life_(room_->subscriber_life()) {}

  ~channel() override {
    if (is_current())
      broker_.close(*room_);
  }

  void publish(std::shared_ptr<publication> message, std::string_view idempotency_key) override {
    if (!is_current())
      return;
    room_->publish(std::move(message), idempotency_key);
    broker_.note_busy(*room_);
    broker_.send_soon();
  }

  void recover(const recover_request& request, page_handler handler) override {
    if (!is_current()) {
      history_page failed;
      failed.error = broker_errc::unavailable;
      handler(std::move(failed));
      return;
    }
    room_->recover(request, std::move(handler));
    if (room_->is_busy())
      broker_.note_busy(*room_);
  }

  void note_member(const local_member& who, bool is_here) override {
    if (!is_current())
      return;
    broker_.presence_.note(room_->name(), who, is_here);
    broker_.send_soon();
  }

private:
  [[nodiscard]] bool is_current() const noexcept { return room_->subscriber_life() == life_; }

  redis_broker& broker_;
  room_ptr room_;
  std::uint32_t life_;
};

redis_room* redis_broker::find(std::string_view name) {
  const auto known = rooms_.find(name);
  return known == rooms_.end() ? nullptr : known->second.get();
}

redis_room& redis_broker::add_room(std::string_view name) {
  return *rooms_.emplace(name, std::make_shared<redis_room>(services_, std::string{name}))
            .first->second;
}

void redis_broker::listen(redis_room& room) {
  if (std::exchange(room.listens, true))
    return;
  charge(room, 0);
  shard_.subscribe(room.channel());
  rooms_cost_ += room.cost();
}

redis_room* redis_broker::room_of_channel(std::string_view channel) {
  if (channel.size() <= channel_name_begin_)
    return nullptr;
  auto* const known = find(channel.substr(channel_name_begin_));
  return known == nullptr || known->channel() != channel ? nullptr : known;
}

std::unique_ptr<room_channel> redis_broker::open(std::string_view room,
                                                 room_subscriber& subscriber) {
  auto* const known = find(room);
  auto& opened = known != nullptr ? *known : add_room(room);
  listen(opened);
  opened.set_subscriber(&subscriber);
  return std::make_unique<channel>(*this, opened.shared_from_this());
}

void redis_broker::close(redis_room& room) {
  room.set_subscriber(nullptr);
  if (!room.is_busy())
    return;
  note_busy(room);
  send_soon();
}

// --- any room

/// What a room without members takes while something is published in it counts against the buffer.
void redis_broker::charge(redis_room& room, std::size_t bytes) {
  services_.subtract_buffered(std::exchange(room.charged_bytes, bytes));
  services_.add_buffered(bytes);
}

bool redis_broker::has_place_for(std::size_t bytes) {
  if (!is_stopped_ && services_.buffered_bytes + bytes <= services_.options.publish_buffer_bytes)
    return true;
  services_.metrics.failed_buffer.add(1);
  return false;
}

void redis_broker::on_roster(std::function<std::string()> describe,
                             std::function<void(redis_roster::roster&&)> tell) {
  describe_node_ = std::move(describe);
  tell_roster_ = std::move(tell);
}

void redis_broker::leave(std::function<void()> done) {
  presence_.clear();
  for (const auto& [name, room] : rooms_) {
    room->release();
    room->send_pending();
  }
  const std::array<std::string_view, 1> ping{"PING"}; // answered when all before it is
  shard_.command(ping, [this, done = std::move(done), ping,
                        alive = std::weak_ptr<bool>{is_alive_}](redis_errc, const redis_reply&) {
    if (alive.expired())
      return done();
    roster_.give_up(presence_.leaves_members());
    shard_.command(ping, [done](redis_errc, const redis_reply&) { done(); });
  });
}

void redis_broker::note_busy(redis_room& room) {
  if (!std::exchange(room.is_listed, true))
    busy_.push_back(room.shared_from_this());
}

/// What was published from outside in a room without members has its answer.
void redis_broker::forget(redis_room& room) {
  charge(room, 0);
  room.retire();
  rooms_.erase(rooms_.find(room.name()));
}

/// Sends after the turn that is going on, so that what it gathers goes out together.
void redis_broker::send_soon() {
  if (std::exchange(is_send_posted_, true))
    return;
  boost::asio::post(io_, [this, alive = std::weak_ptr<bool>{is_alive_}] {
    if (alive.expired())
      return;
    is_send_posted_ = false;
    presence_.send();
    send_busy(false);
  });
}

void redis_broker::send_busy(bool expires) {
  for (std::size_t i = 0; i < busy_.size(); ++i) { // it may grow meanwhile
    const auto room = busy_[i];
    if (expires)
      room->expire();
    room->send_pending();
  }
  std::erase_if(busy_, [&](const room_ptr& room) {
    room->is_listed = room->is_busy();
    if (!room->is_listed && !room->listens)
      forget(*room);
    return !room->is_listed;
  });
}

// --- what the shard tells

void redis_broker::on_up() {
  presence_.await_leases(); // what a node without one leaves behind nobody takes away
  roster_.renew_now();
  moderation_.on_up();
  std::vector<room_ptr> live;
  for (const auto& [name, room] : rooms_)
    if (room->has_to_be_checked())
      live.push_back(room);
  check_positions(live, false);
  send_busy(false);
}

void redis_broker::on_down(std::string_view) { presence_.await_leases(); }

void redis_broker::on_subscribed(std::string_view channel) {
  if (auto* const room = room_of_channel(channel)) {
    room->on_subscribed();
    note_busy(*room);
  }
}

void redis_broker::on_message(std::string_view channel, std::string_view payload) {
  auto* const room = room_of_channel(channel);
  if (room == nullptr) { // of control, or it is being left
    control_.on_message(channel, payload);
    return;
  }
  batch live;
  const auto fault = read_message(payload, services_.origin, live);
  if (fault != envelope_errc::none) {
    count_bad(services_.metrics, fault);
    complain("a message on a channel is not ours");
    return;
  }
  if (live.is_removal) {
    room->on_removed({live.epoch, live.first});
    return;
  }
  if (live.is_unordered()) {
    room->on_unordered(live);
    return;
  }
  room->on_batch(live);
  if (room->is_busy())
    note_busy(*room);
}

void redis_broker::on_messages_end() {
  keep_windows_in_limit();
  if (batch_end_)
    batch_end_();
}

} // namespace canang::cluster
