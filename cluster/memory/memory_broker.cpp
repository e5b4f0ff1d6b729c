#include "cluster/memory/memory_broker.hpp"

#include "cluster/epoch.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace canang::cluster {

namespace {

/// A room that is kept without history is looked at again after no less than this.
constexpr std::chrono::milliseconds least_review_interval{100};

history_limits limits_of(const memory_broker_options& options) {
  auto limits = history_limits::of(options.history_size, options.history_bytes);
  limits.cost = options.total_bytes;
  return limits;
}

} // namespace

memory_broker::memory_broker(const memory_broker_options& options,
                             std::function<clock::time_point()> now,
                             const presence_options& presence)
  : options_(options),
    limits_(limits_of(options)),
    now_(std::move(now)),
    presence_(presence, [this](std::string_view room, publication_kind kind, std::string&& member) {
      publish_event(room, kind, std::move(member));
    }) {}

memory_broker::~memory_broker() = default;

// --- rooms, and who hears of them

memory_broker::stream& memory_broker::stream_of(std::string_view room) {
  if (const auto known = streams_.find(room); known != streams_.end())
    return known->second;
  auto& [name, created] = *streams_.try_emplace(std::string{room}).first;
  created.name = &name;
  created.epoch = make_epoch();
  created.expires_at = now_() + options_.history_ttl;
  by_recency_.push_back(created);
  names_cost_ += heap_of(name);
  put_in_place(created);
  return created;
}

void memory_broker::subscribe(std::string_view room, room_subscriber& subscriber) {
  auto& known = stream_of(room);
  assert(known.subscriber == nullptr);
  known.subscriber = &subscriber;
  take(known);
}

void memory_broker::take(stream& room) {
  if (std::exchange(room.is_taken, true))
    return;
  ++taken_count_;
  idle_cost_ -= room.counted_cost;
  put_in_place(room);
}

void memory_broker::unsubscribe(std::string_view room) {
  const auto found = streams_.find(room);
  if (found == streams_.end() || found->second.subscriber == nullptr)
    return;
  auto& known = found->second;
  known.subscriber = nullptr;
  known.is_taken = false;
  --taken_count_;
  idle_cost_ += known.counted_cost;
  if (known.offset == 0)
    forget(known); // it was only joined: there is nothing to come back to
  else
    put_in_place(known);
}

bool memory_broker::claim(std::string_view room) {
  const auto known = streams_.find(room);
  if (known == streams_.end() || known->second.subscriber != nullptr)
    return false;
  take(known->second);
  return true;
}

std::size_t memory_broker::idle_count() const noexcept { return streams_.size() - taken_count_; }

std::size_t memory_broker::rooms_cost() const noexcept {
  return streams_.size() * name_map_entry_cost<stream> + names_cost_ + presence_.cost();
}

void memory_broker::note_member(std::string_view room, const local_member& who, bool is_here) {
  const bool has_members = presence_.note(room, who, is_here, now_());
  const auto known = streams_.find(room);
  if (known == streams_.end() || known->second.has_members == has_members)
    return;
  known->second.has_members = has_members;
  put_in_place(known->second);
}

void memory_broker::report(std::string_view room, bool with_members, report_handler handler) {
  room_report answer;
  if (const auto known = streams_.find(room); known != streams_.end())
    answer.top = {known->second.epoch, known->second.offset};
  presence_.report(room, with_members, answer);
  handler(std::move(answer));
}

// --- publications

void memory_broker::publish(std::string_view room, std::shared_ptr<publication> message,
                            std::string_view idempotency_key) {
  auto& target = stream_of(room);
  begin_to_store(target);
  publish_outcome outcome;
  outcome.at.epoch = target.epoch;
  if (!idempotency_key.empty() && target.keys) {
    if (const auto before = target.keys->find(idempotency_key)) {
      outcome.at.offset = *before;
      outcome.duplicate = true;
      if (target.subscriber != nullptr)
        target.subscriber->on_published(outcome);
      return;
    }
  }
  message->epoch = target.epoch;
  message->offset = ++target.offset;
  outcome.at.offset = target.offset;
  if (!idempotency_key.empty()) {
    if (!target.keys)
      target.keys = std::make_unique<idempotency_keys>();
    target.keys->remember(idempotency_key, target.offset, now_() + options_.idempotency_ttl,
                          options_.idempotency_keys);
  }
  const publication_ptr stored = std::move(message);
  store(target, stored);
  if (target.subscriber != nullptr)
    target.subscriber->on_publication(stored);
  if (target.subscriber != nullptr) // it may have left meanwhile
    target.subscriber->on_published(outcome);
}

void memory_broker::publish_event(std::string_view room, publication_kind kind,
                                  std::string&& member) {
  const auto known = streams_.find(room);
  if (known == streams_.end())
    return; // forgotten before the grace of a leave was over
  auto& target = known->second;
  begin_to_store(target);
  auto message = std::make_shared<publication>();
  message->kind = kind;
  message->data = std::move(member);
  message->received_at = now_();
  message->epoch = target.epoch;
  message->offset = ++target.offset;
  const publication_ptr stored = std::move(message);
  store(target, stored);
  if (target.subscriber != nullptr)
    target.subscriber->on_publication(stored);
}

/// What is over its lifetime goes first.
void memory_broker::begin_to_store(stream& room) {
  const auto now = now_();
  if (room.expires_at <= now)
    drop_history(room);
  forget_old_keys(room, now);
}

void memory_broker::store(stream& room, publication_ptr message) {
  room.expires_at = now_() + options_.history_ttl;
  room.recency.unlink();
  by_recency_.push_back(room);
  total_bytes_ -= room.recent.bytes();
  room.recent.push_back(std::move(message), limits_);
  total_bytes_ += room.recent.bytes();
  account(room);
  put_in_place(room);
  keep_total_in_limit(room);
}

void memory_broker::recover(std::string_view room, const recover_request& request,
                            history_handler handler) {
  auto& source = stream_of(room);
  if (source.expires_at <= now_())
    drop_history(source);
  history_page page;
  page.top = {source.epoch, source.offset};
  const auto& recent = source.recent;
  auto from = request.limit == 0 ? source.offset : recent.before_last(request.limit);
  if (request.since) {
    const auto& since = *request.since;
    page.recovered = since.epoch == source.epoch && since.offset <= source.offset
                     && since.offset >= recent.floor();
    from = page.recovered ? since.offset : source.offset;
  }
  page.publications = recent.after(from);
  handler(std::move(page));
}

// --- what is kept, and for how long

std::size_t memory_broker::cost_of(const stream& room) noexcept {
  return room.recent.cost() + (room.keys ? room.keys->cost() : 0);
}

/// What is kept of the room has changed.
void memory_broker::account(stream& room) {
  const auto cost = cost_of(room);
  total_cost_ += cost - room.counted_cost; // may wrap around, and back
  if (!room.is_taken)
    idle_cost_ += cost - room.counted_cost;
  room.counted_cost = cost;
}

/// Puts a room at the end of the list that it belongs to.
void memory_broker::put_in_place(stream& room) {
  room.place.unlink();
  const bool keeps_something = !room.recent.empty() || room.keys != nullptr;
  if (!room.is_taken)
    (keeps_something ? abandoned_ : bare_).push_back(room);
  else if (keeps_something)
    (room.has_members ? attended_ : lingering_).push_back(room);
}

void memory_broker::drop_history(stream& room) {
  const bool had_some = !room.recent.empty();
  total_bytes_ -= room.recent.bytes();
  room.recent.reset(room.offset);
  if (!had_some)
    return;
  account(room);
  if (!room.keys)
    put_in_place(room);
}

void memory_broker::drop_all(stream& room) {
  room.keys.reset();
  drop_history(room);
  account(room);
  put_in_place(room);
}

void memory_broker::forget_old_keys(stream& room, clock::time_point now) {
  if (!room.keys)
    return;
  room.keys->forget_old(now);
  if (room.keys->empty())
    room.keys.reset();
  account(room);
  if (!room.keys && room.recent.empty())
    put_in_place(room);
}

/// Of a room without a subscriber.
void memory_broker::forget(stream& room) {
  total_bytes_ -= room.recent.bytes();
  total_cost_ -= room.counted_cost;
  if (room.is_taken)
    --taken_count_; // by somebody who never came
  else
    idle_cost_ -= room.counted_cost;
  names_cost_ -= heap_of(*room.name);
  streams_.erase(streams_.find(*room.name));
}

memory_broker::stream* memory_broker::first_idle() noexcept {
  if (!bare_.empty())
    return &bare_.front();
  return abandoned_.empty() ? nullptr : &abandoned_.front();
}

std::size_t memory_broker::forget_rooms(std::size_t most) {
  std::size_t count = 0;
  for (; count < most; ++count) {
    auto* const idle = first_idle();
    if (idle == nullptr)
      break;
    forget(*idle);
  }
  forgotten_.for_rooms += count;
  return count;
}

std::size_t memory_broker::shed(std::size_t bytes) {
  std::size_t freed = 0;
  while (freed < bytes) {
    auto* const idle = first_idle();
    if (idle == nullptr)
      break;
    freed += idle->counted_cost + name_map_entry_cost<stream> + heap_of(*idle->name);
    forget(*idle);
    ++forgotten_.for_memory;
  }
  return freed;
}

/// Who loses its history next; null: only `latest`, of which something was just published, has one.
memory_broker::stream* memory_broker::first_to_lose(const stream& latest) noexcept {
  for (auto* const rooms : {&abandoned_, &lingering_, &attended_})
    if (!rooms->empty() && &rooms->front() != &latest)
      return &rooms->front();
  return nullptr;
}

void memory_broker::keep_total_in_limit(stream& latest) {
  while (total_cost_ > options_.total_bytes) {
    auto* const loser = first_to_lose(latest);
    if (loser == nullptr) {
      drop_history(latest); // its keys alone leave too little
      return;
    }
    drop_all(*loser);
    ++forgotten_.for_budget;
  }
}

void memory_broker::expire() {
  const auto now = now_();
  presence_.expire(now);
  give_back_buckets(streams_);
  while (!by_recency_.empty() && by_recency_.front().expires_at <= now) {
    auto& room = by_recency_.front();
    drop_history(room);
    forget_old_keys(room, now);
    if (room.subscriber == nullptr && !room.keys) {
      forget(room);
      continue;
    }
    // nothing left to expire: look again later
    room.expires_at = now + std::max(options_.history_ttl, least_review_interval);
    room.recency.unlink();
    by_recency_.push_back(room);
  }
}

} // namespace canang::cluster
