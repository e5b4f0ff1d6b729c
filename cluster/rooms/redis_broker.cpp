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

/// No room has more publications; of a script's numbers it is well within what is exact.
constexpr std::uint64_t most_history_limit = 1ULL << 31U;

} // namespace

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
         if (tell_roster_)
           tell_roster_(std::move(living));
       },
       [this](partition_id partition, redis_roster::lease_state state, const std::string& taken) {
         if (presence_.on_lease(partition, state, taken))
           send_soon();
       },
       [this](partition_id partition, const std::string& node, bool is_first) {
         reaper_.begin(partition, node, is_first);
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

void redis_broker::publish(std::string_view room, std::shared_ptr<publication> message,
                           const publish_options& options, publish_handler handler) {
  auto* target = find(room);
  const auto key = options.idempotency_key;
  const auto of_room =
    target == nullptr && !options.skip_history ? redis_room::cost_without_members(room) : 0;
  if (!has_place_for(queued_publish::cost_of(*message, key) + of_room)) {
    handler({.error = broker_errc::unavailable});
    return;
  }
  if (options.skip_history) {
    publish_unordered(room, *message, key, std::move(handler));
    return;
  }
  if (target == nullptr) {
    target = &add_room(room);
    charge(*target, of_room);
  }
  target->publish(std::move(message), key, std::move(handler));
  note_busy(*target);
  send_soon();
}

/// Nothing of it is stored, so nothing can tell whether a try whose answer was lost has got through: there is
/// one.
void redis_broker::publish_unordered(std::string_view room, const publication& message,
                                     std::string_view key, publish_handler handler) {
  const auto partition = partition_of(room);
  const auto meta = redis_key(services_.prefix, partition, "m", room);
  const auto channel = redis_channel(services_, room);
  const auto key_of_room = redis_key(services_.prefix, partition, "i", room) + '\0';
  const auto idempotency_key = key_of_room + std::string{key};
  const auto text = unordered_message(message, {services_.origin, ++services_.batches});
  const decimal ttl{services_.options.idempotency_ttl};
  const std::string_view both_keys[]{meta, idempotency_key};
  const auto keys = std::span{both_keys}.first(key.empty() ? 1 : 2);
  const std::string_view arguments[]{channel, text, ttl.text()};
  const auto cost = queued_publish::cost_of(message, key);
  services_.add_buffered(cost);
  services_.metrics.publishes.add(1);
  shard_.run(
    room_scripts().unordered, keys, arguments,
    [this, cost, handler = std::move(handler)](redis_errc error, const redis_reply& reply) {
      services_.subtract_buffered(cost);
      handler(outcome_of_unordered(error, reply));
    });
}

publish_outcome redis_broker::outcome_of_unordered(redis_errc error, const redis_reply& reply) {
  publish_outcome outcome;
  if (error != redis_errc::none) {
    services_.metrics.failed_timeout.add(1);
    outcome.error = broker_errc::unavailable;
  } else if (reply.is_error()) {
    note_refused_publish(services_, reply.text());
    outcome.error = error_of(reply.text());
  } else if (!reply.text().empty()) {
    outcome.duplicate = true;
    if (auto before = read_position(reply.text()); before.offset != 0)
      outcome.at = std::move(before);
  }
  return outcome;
}

/// Read of Redis also where there are members here: it has all that is kept, and nobody waits for it here.
void redis_broker::history(std::string_view room, const history_request& request,
                           history_handler handler) {
  if (is_stopped_) {
    handler({.error = broker_errc::unavailable});
    return;
  }
  const auto partition = partition_of(room);
  const auto meta = redis_key(services_.prefix, partition, "m", room);
  const auto stream = redis_key(services_.prefix, partition, "s", room);
  const auto events = redis_key(services_.prefix, partition, "v", room);
  const auto epoch = make_epoch();
  const decimal limit{std::min<std::uint64_t>(request.limit, most_history_limit)};
  const decimal since{request.since ? request.since->offset : 0};
  const std::string_view keys[]{meta, stream, events};
  const std::string_view arguments[]{epoch, services_.options.uses_lineage ? "1" : "0",
                                     request.since ? since.text() : std::string_view{},
                                     limit.text(), request.is_reverse ? "1" : "0"};
  services_.metrics.history_reads.add(1);
  shard_.run(
    room_scripts().history, keys, arguments,
    [this, request, handler = std::move(handler)](redis_errc error, const redis_reply& reply) {
      handler(read_history(request, error, reply));
    });
}

history_answer redis_broker::read_history(const history_request& request, redis_errc error,
                                          const redis_reply& reply) {
  if (error != redis_errc::none)
    return {.error = broker_errc::unavailable};
  if (reply.is_error()) {
    if (is_not_master(reply.text()))
      shard_.suspect_master();
    complain(reply.text());
    return {.error = error_of(reply.text())};
  }
  if (reply.size() == 0)
    return {.is_unrecoverable = request.since.has_value()};
  stored_page page;
  if (const auto fault = read_stored_page(reply, services_.origin, page);
      fault != envelope_errc::none) {
    count_bad(services_.metrics, fault);
    complain("what is stored of a room cannot be read");
  }
  if (page.top.epoch.empty())
    return {.error = broker_errc::refused};
  return answer_of(request, std::move(page));
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
  if (is_stopped_) {
    handler({.error = broker_errc::unavailable});
    return;
  }
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

/// Rooms that are known have what the settings say of them at hand.
void redis_broker::look_at_settings() {
  auto current = source_.get();
  if (current == services_.settings)
    return;
  services_.settings = std::move(current);
  for (const auto& [name, room] : rooms_)
    room->settle(services_.settings->of(name));
  presence_.settle();
}

void redis_broker::look_at_rooms() {
  const auto now = services_.now();
  look_at_settings();
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
    if (room.has_subscriber() || room.is_busy() || !room.listens || now - room.left_at() < delay)
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

/// Of rooms that are asked for in one call. Each of them has its own again with its next publication.
std::chrono::milliseconds
redis_broker::longest_meta_ttl(std::span<const room_ptr> rooms) const noexcept {
  std::chrono::milliseconds longest{0};
  for (const auto& room : rooms)
    longest = std::max(longest, meta_ttl(services_.options, room->settings()));
  return longest;
}

/// Asks where some rooms of one partition stand.
void redis_broker::check_some(const std::vector<room_ptr>& rooms, bool is_patient) {
  const auto epoch = make_epoch();
  const decimal ttl{longest_meta_ttl(rooms)};
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
