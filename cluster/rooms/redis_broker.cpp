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

namespace {

/// A room that nothing was heard of for so long is asked for: with the slots below within 7 s.
constexpr std::chrono::seconds quiet_time{2};

/// In each second the rooms of one slot of the partitions are looked at.
constexpr std::uint32_t position_slots = 4;
constexpr std::uint32_t ticks_a_second = 10;

/// Rooms of one call of the positions script: it holds up all others while it runs.
constexpr std::size_t rooms_a_check = 64;

constexpr std::chrono::minutes complaint_interval{1};

} // namespace

redis_broker::redis_broker(boost::asio::io_context& io, redis_target target,
                           const redis_options& links, const redis_broker_options& options,
                           const node_identity& node, const presence_options& presence,
                           broker_metrics& metrics, std::function<clock::time_point()> now)
  : io_(io),
    shard_(io, std::move(target), links, node.id, metrics, *this),
    control_(shard_, links.prefix, node.id),
    services_{shard_, options, links.prefix, node.origin, metrics, std::move(now)},
    channel_name_begin_(redis_channel(services_, {}).size()),
    probe_room_(services_, node.id),
    faults_(metrics),
    presence_(services_, presence, [this] { roster_.renew_now(); }),
    reaper_(services_, presence,
            [this](std::string_view room, const redis_reply& reply, std::size_t first) {
              presence_.take_over(room, reply, first);
            }),
    roster_(services_, presence,
            {[this] { return describe_node_ ? describe_node_() : std::string{"{}"}; },
             [this](redis_roster::roster&& living) {
               if (tell_roster_)
                 tell_roster_(std::move(living));
             },
             [this](redis_roster::lease_state state, const std::string& taken) {
               presence_.on_lease(state, taken);
             },
             [this](const std::string& node) { reaper_.begin(node); }}) {
  services_.complain = [this](std::string_view text) { complain(text); };
  services_.note_refusal = [this](housekeeping what, std::string_view error) {
    faults_.note(what, error);
  };
  services_.node = node.id;
  shard_.probe_by(
    [this](std::string_view channel, std::string_view payload, redis_shard::reply_handler handler) {
      probe_room_.publish(channel, payload, std::move(handler));
    });
  const auto& scripts = room_scripts();
  shard_.preload(std::array{&scripts.publish, &scripts.read, &scripts.positions, &scripts.presence,
                            &scripts.leave, &scripts.reap, &scripts.lease, &scripts.sweep,
                            &scripts.bury, &scripts.release});
}

redis_broker::~redis_broker() { stop(); }

void redis_broker::start() { shard_.start(); }

void redis_broker::stop() {
  is_alive_.reset();
  for (const auto& [name, room] : rooms_)
    room->set_subscriber(nullptr);
  shard_.stop();
}

// --- rooms

redis_room& redis_broker::room_of(std::string_view name) {
  if (const auto known = rooms_.find(name); known != rooms_.end())
    return *known->second;
  auto& room =
    *rooms_.emplace(name, std::make_shared<redis_room>(services_, std::string{name})).first->second;
  shard_.subscribe(room.channel());
  rooms_cost_ += room.cost();
  return room;
}

redis_room* redis_broker::room_of_channel(std::string_view channel) {
  if (channel.size() <= channel_name_begin_)
    return nullptr;
  const auto known = rooms_.find(channel.substr(channel_name_begin_));
  return known == rooms_.end() || known->second->channel() != channel ? nullptr
                                                                      : known->second.get();
}

void redis_broker::subscribe(std::string_view room, room_subscriber& subscriber) {
  room_of(room).set_subscriber(&subscriber);
}

void redis_broker::unsubscribe(std::string_view room) {
  const auto known = rooms_.find(room);
  if (known == rooms_.end())
    return;
  known->second->set_subscriber(nullptr);
  if (!known->second->is_busy())
    return;
  note_busy(*known->second);
  send_soon();
}

void redis_broker::publish(std::string_view room, std::shared_ptr<publication> message,
                           std::string_view idempotency_key) {
  auto& target = room_of(room);
  target.publish(std::move(message), idempotency_key);
  note_busy(target);
  send_soon();
}

void redis_broker::recover(std::string_view room, const recover_request& request,
                           history_handler handler) {
  auto& target = room_of(room);
  target.recover(request, std::move(handler));
  if (target.is_busy())
    note_busy(target);
}

void redis_broker::note_member(std::string_view room, const local_member& who, bool is_here) {
  presence_.note(room, who, is_here);
  send_soon();
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

void redis_broker::report(std::string_view room, bool with_members, report_handler handler) {
  const presence_keys keys{services_.prefix, room, {}};
  const auto meta = redis_key(services_.prefix, partition_of(room), "m", room);
  const auto answer = std::make_shared<room_report>();
  const auto note = [answer](redis_errc error, const redis_reply& reply) {
    if (error != redis_errc::none)
      answer->error = broker_errc::unavailable;
    else if (reply.is_error())
      answer->error = broker_errc::refused;
    return answer->error == broker_errc::none;
  };
  const auto nodes = [note, answer](redis_errc error, const redis_reply& reply) {
    for (std::size_t i = 0; note(error, reply) && i + 1 < reply.size(); i += 2)
      answer->members_by_node.emplace_back(reply[i].text(), reply[i + 1].integer());
  };
  const auto members = [note, answer](redis_errc error, const redis_reply& reply) {
    for (std::size_t i = 0; note(error, reply) && i + 1 < reply.size(); i += 2) {
      const auto id = reply[i].text();
      answer->members.push_back({std::string{id}, std::string{id.substr(0, id.find('/'))},
                                 std::string{reply[i + 1].text()}});
    }
  };
  const auto position = [note, answer, handler = std::move(handler)](redis_errc error,
                                                                     const redis_reply& reply) {
    if (note(error, reply) && !reply[0].is_nil())
      answer->top = {std::string{reply[0].text()}, static_cast<std::uint64_t>(reply[1].integer())};
    handler(std::move(*answer));
  };
  shard_.command(std::array<std::string_view, 2>{"HGETALL", keys.counts}, nodes);
  if (with_members)
    shard_.command(std::array<std::string_view, 2>{"HGETALL", keys.members}, members);
  shard_.command(std::array<std::string_view, 4>{"HMGET", meta, "e", "o"}, position);
}

void redis_broker::note_busy(redis_room& room) {
  if (!std::exchange(room.is_listed, true))
    busy_.push_back(room.shared_from_this());
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
    return !room->is_listed;
  });
}

// --- what the shard tells

void redis_broker::on_up() {
  presence_.await_lease(); // what a node without one leaves behind nobody takes away
  roster_.renew_now();
  std::vector<room_ptr> live;
  for (const auto& [name, room] : rooms_)
    if (room->has_to_be_checked())
      live.push_back(room);
  check_positions(live, false);
  send_busy(false);
}

void redis_broker::on_down(std::string_view) { presence_.await_lease(); }

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
  room->on_batch(live);
  if (room->is_busy())
    note_busy(*room);
}

void redis_broker::on_messages_end() {
  keep_windows_in_limit();
  if (batch_end_)
    batch_end_();
}

// --- time

void redis_broker::tick() {
  send_busy(true);
  presence_.send();
  presence_.expire();
  roster_.tick();
  if (const auto line = faults_.line(services_.now()); !line.empty())
    spdlog::warn("redis {}: {}", shard_.identity(), line);
  if (++ticks_ % ticks_a_second == 0)
    look_at_rooms();
  if (batch_end_)
    batch_end_();
}

void redis_broker::pause_messages(bool paused) {
  if (std::exchange(is_paused_, paused) && !paused)
    resumed_at_ = services_.now();
  shard_.pause_messages(paused);
}

void redis_broker::look_at_rooms() {
  const auto now = services_.now();
  leave_channels(now);
  keep_windows_in_limit();
  note_memory();
  if (!shard_.is_up())
    return;
  const auto slot = ticks_ / ticks_a_second % position_slots;
  // what a room lacks lies in the link, and comes: to read it in the history would be a loss where that is short
  const bool is_unread = is_paused_ || now - resumed_at_ < quiet_time;
  std::vector<room_ptr> due;
  for (const auto& [name, room] : rooms_) {
    if (!room->has_subscriber())
      continue; // nobody is there
    if (room->partition() % position_slots == slot)
      presence_.sweep(name);
    const bool is_quiet = now - room->last_heard() >= quiet_time;
    const bool is_turn = is_quiet && room->partition() % position_slots == slot;
    if (!room->is_live() || (!is_unread && (room->is_suspect() || is_turn)))
      due.push_back(room);
  }
  check_positions(due, true);
}

void redis_broker::leave_channels(clock::time_point now) {
  const auto most = services_.options.max_rooms;
  const auto delay = most != 0 && rooms_.size() > most ? clock::duration::zero()
                                                       : services_.options.unsubscribe_delay;
  std::erase_if(rooms_, [&](const auto& entry) {
    auto& room = *entry.second;
    if (room.is_busy())
      note_busy(room);
    if (room.has_subscriber() || room.is_busy() || now - room.left_at() < delay)
      return false;
    shard_.unsubscribe(room.channel());
    rooms_cost_ -= room.cost();
    room.retire();
    return true;
  });
}

/// Over the limit an eighth goes, so that this is done seldom.
void redis_broker::keep_windows_in_limit() {
  const auto limit = services_.options.window_total_bytes;
  if (services_.windows_cost > limit)
    drop_windows(limit - limit / 8);
}

void redis_broker::shed(std::size_t bytes) {
  const auto before = services_.windows_cost;
  drop_windows(before - std::min(before, bytes));
  services_.metrics.shed_bytes.add(before - services_.windows_cost);
}

/// Rooms lose what they keep for joiners until it is so much in all: Redis has it.
void redis_broker::drop_windows(std::size_t until) {
  std::vector<redis_room*> quietest;
  for (const auto& [name, room] : rooms_)
    if (room->window_cost() > 0)
      quietest.push_back(room.get());
  std::sort(quietest.begin(), quietest.end(), [](const redis_room* a, const redis_room* b) {
    return std::pair{a->has_subscriber(), a->last_heard()}
           < std::pair{b->has_subscriber(), b->last_heard()};
  });
  for (auto* const room : quietest) {
    if (services_.windows_cost <= until)
      return;
    room->forget_window();
  }
}

void redis_broker::note_memory() {
  auto& metrics = services_.metrics;
  metrics.rooms_memory_bytes.set(rooms_cost_ + presence_.cost());
  metrics.windows_memory_bytes.set(services_.windows_cost);
}

void redis_broker::check_positions(std::span<const room_ptr> rooms, bool is_patient) {
  std::array<std::vector<room_ptr>, partition_count> parts;
  for (const auto& room : rooms) {
    auto& part = parts[room->partition()];
    part.push_back(room);
    if (part.size() == rooms_a_check)
      check_some(std::exchange(part, {}), is_patient);
  }
  for (auto& part : parts)
    if (!part.empty())
      check_some(part, is_patient);
}

/// Asks where some rooms of one partition stand.
void redis_broker::check_some(const std::vector<room_ptr>& rooms, bool is_patient) {
  const auto epoch = make_epoch();
  const decimal ttl{meta_ttl(services_.options)};
  std::vector<std::string_view> keys;
  for (const auto& room : rooms) {
    keys.emplace_back(room->meta_key());
    keys.emplace_back(room->stream_key());
  }
  const std::string_view arguments[]{epoch, services_.options.uses_lineage ? "1" : "0", ttl.text(),
                                     services_.node};
  shard_.run(room_scripts().positions, keys, arguments,
             [this, alive = std::weak_ptr<bool>{is_alive_}, rooms,
              is_patient](redis_errc error, const redis_reply& reply) {
               if (alive.expired() || error != redis_errc::none)
                 return;
               if (reply.is_error()) {
                 if (is_not_master(reply.text()))
                   shard_.suspect_master();
                 services_.note_refusal(housekeeping::positions, reply.text());
                 return;
               }
               for (std::size_t i = 0; i < rooms.size(); ++i) {
                 rooms[i]->on_position({std::string{reply[2 * i].text()},
                                        static_cast<std::uint64_t>(reply[2 * i + 1].integer())},
                                       is_patient);
                 if (rooms[i]->is_busy())
                   note_busy(*rooms[i]);
               }
             });
}

/// Logs what Redis refuses, once a minute at most.
void redis_broker::complain(std::string_view text) {
  if (is_acl_refusal(text))
    return; // the shard has said it, with the command
  const auto now = services_.now();
  if (last_complaint_ != clock::time_point{} && now - last_complaint_ < complaint_interval) {
    ++unspoken_complaints_;
    return;
  }
  last_complaint_ = now;
  spdlog::warn("redis {}: {} ({} more since the last such line)", shard_.identity(), text,
               std::exchange(unspoken_complaints_, 0));
}

} // namespace canang::cluster
