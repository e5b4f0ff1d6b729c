#include "cluster/rooms/redis_room.hpp"

#include "base/memory_cost.hpp"
#include "cluster/epoch.hpp"
#include "cluster/rooms/room_scripts.hpp"

#include <numeric>
#include <utility>

namespace canang::cluster {

namespace {

/// A read that found nothing new is followed by another one of the room no sooner than after this:
/// positions that are made up and foreign epochs on the channel cost no more than one read a second.
constexpr std::chrono::seconds needless_read_pause{1};

} // namespace

std::string redis_key(std::string_view prefix, partition_id partition, std::string_view kind,
                      std::string_view rest) {
  std::string key{prefix};
  key += ":{p";
  key += static_cast<char>('0' + partition / 10);
  key += static_cast<char>('0' + partition % 10);
  key += "}:";
  key += kind;
  key += ':';
  key += rest;
  return key;
}

std::vector<partition_id> redis_room_services::partitions() const {
  if (!options.partitions.empty())
    return options.partitions;
  std::vector<partition_id> all(partition_count);
  std::iota(all.begin(), all.end(), partition_id{0});
  return all;
}

std::string redis_channel(const redis_room_services& services, std::string_view room) {
  std::string kind{"c"};
  if (const auto database = services.shard.database(); database != 0)
    kind += std::to_string(database);
  return redis_key(services.prefix, partition_of(room), kind, room);
}

redis_room::redis_room(redis_room_services& services, std::string name)
  : services_(services),
    name_(std::move(name)),
    partition_(partition_of(name_)),
    meta_key_(key("m")),
    stream_key_(key("s")),
    events_key_(key("v")),
    channel_(redis_channel(services, name_)),
    settings_(services.settings->of(name_)),
    last_heard_(services.now()),
    feed_({settings_.history_size, settings_.history_bytes}, *this) {}

void redis_room::settle(const room_settings& settings) {
  settings_ = settings;
  feed_.set_window(settings.history_size, settings.history_bytes);
  account_window();
}

std::size_t redis_room::cost() const noexcept {
  constexpr std::size_t bridge_cost = 256; // a port, and its entries in two tables
  const auto name = heap_of(name_);
  return allocated(sizeof(redis_room) + control_block_cost) + heap_of(meta_key_)
         + heap_of(stream_key_) + heap_of(events_key_) + 2 * heap_of(channel_)
         + name_map_entry_cost<
           std::shared_ptr<redis_room>> + name_map_entry_cost<std::uint64_t> + bridge_cost
         + 5 * name;
}

std::size_t redis_room::cost_without_members(std::string_view name) noexcept {
  constexpr std::size_t prefixes = 32;
  constexpr std::size_t names = 6; // keys, channel, and its own here and in the broker
  return allocated(sizeof(redis_room) + control_block_cost)
         + name_map_entry_cost<
           std::shared_ptr<redis_room>> + names * heap_of_text(prefixes + name.size());
}

std::string redis_room::key(std::string_view kind) const {
  return redis_key(services_.prefix, partition_, kind, name_);
}

// --- what the channel brings, and who joins

void redis_room::on_batch(const batch& live) {
  last_heard_ = services_.now();
  is_suspect_ = false;
  feed_.on_batch(live);
  account_window();
}

void redis_room::on_unordered(const batch& live) {
  last_heard_ = services_.now();
  for (const auto& message : live.publications)
    on_publication(message);
}

void redis_room::on_removed(const position& up_to) {
  last_heard_ = services_.now();
  feed_.on_removed(up_to);
  account_window();
}

void redis_room::on_position(const position& top, bool is_patient) {
  if (top.epoch.empty() || is_retired_)
    return;
  const auto& known = feed_.top();
  const bool is_behind = feed_.is_live() && top.epoch == known.epoch && top.offset > known.offset;
  if (is_patient && is_behind && !is_suspect_) {
    is_suspect_ = true; // the publication may be on its way at this moment
    return;
  }
  is_suspect_ = false;
  feed_.on_position(top);
}

void redis_room::recover(const recover_request& request, page_handler handler) {
  if (feed_.waiting_count() == 0)
    waiting_since_ = services_.now();
  feed_.recover(request, std::move(handler));
}

void redis_room::forget_window() {
  if (feed_.waiting_count() > 0)
    return; // somebody is about to be served from it
  feed_.forget_window();
  account_window();
}

void redis_room::retire() {
  is_retired_ = true;
  forget_window();
}

void redis_room::account_window() {
  services_.windows_cost += feed_.window_cost() - accounted_window_cost_;
  accounted_window_cost_ = feed_.window_cost();
}

void redis_room::on_publication(const publication_ptr& message) {
  if (subscriber_ != nullptr)
    subscriber_->on_publication(message);
}

void redis_room::on_break(const position& from, bool is_lost) {
  if (subscriber_ != nullptr)
    subscriber_->on_break(from, is_lost);
}

void redis_room::on_gap(bool is_filled) {
  auto& metrics = services_.metrics;
  (is_filled ? metrics.gaps_filled : metrics.gaps_lost).add(1);
}

// --- reading

void redis_room::want_page(std::optional<std::uint64_t> after) {
  wanted_page_ = after;
  send_read();
}

void redis_room::send_read() {
  if (!wanted_page_ || is_reading_ || !services_.shard.can_command())
    return;
  if (services_.now() < next_read_at_) {
    waiting_since_ = services_.now(); // it is we who let them wait, not Redis
    return;
  }
  is_reading_ = true;
  is_held_ = true;
  feed_.on_read_begins();
  services_.metrics.history_reads.add(1);
  const auto& options = services_.options;
  const auto epoch = make_epoch();
  const decimal ttl{meta_ttl(options, settings_)};
  const decimal after{wanted_page_->value_or(0)};
  const std::string_view keys[]{meta_key_, stream_key_, events_key_};
  const std::string_view arguments[]{epoch, options.uses_lineage ? "1" : "0", ttl.text(),
                                     services_.node,
                                     *wanted_page_ ? after.text() : std::string_view{}};
  services_.shard.run(
    room_scripts().read, keys, arguments,
    [self = shared_from_this(), life = reads_life_](redis_errc error, const redis_reply& reply) {
      if (life != self->reads_life_)
        return;
      self->is_reading_ = false;
      self->on_read_reply(error, reply);
    });
}

void redis_room::on_read_reply(redis_errc error, const redis_reply& reply) {
  if (error != redis_errc::none)
    return; // it is still wanted: again when the link is back
  if (reply.is_error()) {
    if (is_not_master(reply.text())) {
      services_.shard.suspect_master();
      return;
    }
    services_.complain(reply.text());
    services_.note_refusal(housekeeping::history, reply.text());
    wanted_page_.reset();
    feed_.on_read_failed(error_of(reply.text()));
    return;
  }
  stored_page page;
  const auto fault = read_stored_page(reply, services_.origin, page);
  wanted_page_.reset();
  if (fault != envelope_errc::none) {
    count_bad(services_.metrics, fault);
    services_.complain("what is stored of a room cannot be read");
  }
  if (page.top.epoch.empty()) {
    feed_.on_read_failed(broker_errc::refused);
    return;
  }
  pace_reads(page);
  feed_.on_page(std::move(page));
  waiting_since_ = services_.now(); // reads are answered: who still waits, waits for the next one
  account_window();
}

void redis_room::pace_reads(const stored_page& page) {
  const auto& known = feed_.top();
  if (feed_.is_live() && page.publications.empty() && page.top.epoch == known.epoch
      && page.top.offset <= known.offset)
    next_read_at_ = services_.now() + needless_read_pause;
}

// --- publishing

void redis_room::publish(std::shared_ptr<publication> message, std::string_view key,
                         publish_handler handler) {
  push({.message = std::move(message),
        .key = std::string{key},
        .at = services_.now(),
        .subscriber = subscriber_life_,
        .handler = std::move(handler)});
}

void redis_room::push(queued_publish&& item) {
  if (services_.buffered_bytes + item.cost() > services_.options.publish_buffer_bytes) {
    item.is_rejected = true;
    item.message = std::make_shared<publication>();
    services_.metrics.failed_buffer.add(1);
  }
  services_.add_buffered(item.cost());
  queue_.push(std::move(item));
}

publish_queue::answer_function redis_room::answer() {
  return [this](const queued_publish& item, const publish_outcome& outcome) {
    services_.subtract_buffered(item.cost());
    if (item.handler)
      item.handler(publish_outcome{outcome});
    else if (subscriber_ != nullptr && item.subscriber == subscriber_life_)
      subscriber_->on_published(outcome);
  };
}

void redis_room::send_pending() {
  send_read();
  send_batch();
  send_release();
}

void redis_room::send_batch() {
  if (!queue_.has_batch_to_send() || !services_.shard.can_command())
    return;
  const auto items = queue_.begin(++services_.batches, feed_.top().offset);
  publish_call call{services_.options, settings_, {services_.origin, queue_.sequence()}};
  call.set_keys(meta_key_, stream_key_, channel_);
  call.set_trim(feed_.bytes_floor());
  if (queue_.may_be_stored())
    call.set_second_try(queue_.seen());
  for (const auto& item : items)
    call.add(*item.message, item.key.empty() ? std::string{} : key("i") + '\0' + item.key);
  services_.metrics.publishes.add(1);
  services_.shard.run(room_scripts().publish, call.keys(), call.arguments(),
                      [self = shared_from_this()](redis_errc error, const redis_reply& reply) {
                        self->on_batch_reply(error, reply);
                      });
}

void redis_room::on_batch_reply(redis_errc error, const redis_reply& reply) {
  if (error != redis_errc::none)
    queue_.on_lost(error == redis_errc::lost);
  else if (reply.is_error())
    on_error_reply(reply.text());
  else
    on_stored(reply);
  send_batch();
}

void redis_room::on_stored(const redis_reply& reply) {
  if (reply.size() < 2) { // UNKNOWN
    services_.metrics.failed_timeout.add(1);
    queue_.on_refused(broker_errc::unavailable, answer());
    return;
  }
  std::vector<position> before;
  for (std::size_t i = 2; i < reply.size(); ++i)
    before.push_back(read_position(reply[i].text()));
  queue_.on_stored(std::string{reply[0].text()}, static_cast<std::uint64_t>(reply[1].integer()),
                   before, answer());
}

void redis_room::on_error_reply(std::string_view text) {
  if (is_not_master(text)) {
    queue_.on_lost(false);
    services_.shard.suspect_master();
    return;
  }
  note_refused_publish(services_, text);
  queue_.on_refused(error_of(text), answer());
}

// --- time

bool redis_room::is_busy() const noexcept {
  return owes_release_ || !queue_.empty() || wanted_page_.has_value() || feed_.waiting_count() > 0;
}

void redis_room::expire() {
  const auto oldest = services_.now() - services_.options.publish_timeout;
  const auto tell = answer();
  queue_.expire(oldest, [&](const queued_publish& item, const publish_outcome& outcome) {
    if (!item.is_rejected)
      services_.metrics.failed_timeout.add(1);
    tell(item, outcome);
  });
  if (feed_.waiting_count() > 0 && waiting_since_ < oldest)
    feed_.fail_waiting(broker_errc::unavailable);
}

void redis_room::give_up() {
  queue_.give_up(answer());
  feed_.fail_waiting(broker_errc::unavailable);
}

} // namespace canang::cluster
