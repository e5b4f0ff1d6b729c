#include "cluster/memory_broker.hpp"

#include "cluster/epoch.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace canang::cluster {

namespace {

/// A room that is kept without history is looked at again after no less than this.
constexpr std::chrono::milliseconds least_review_interval{100};

} // namespace

memory_broker::memory_broker(const memory_broker_options& options,
                             std::function<clock::time_point()> now,
                             const presence_options& presence)
  : options_(options),
    limits_(history_limits::of(options.history_size, options.history_bytes)),
    now_(std::move(now)),
    presence_(presence, [this](std::string_view room, publication_kind kind, std::string&& member) {
      publish_event(room, kind, std::move(member));
    }) {}

memory_broker::~memory_broker() = default;

memory_broker::stream& memory_broker::stream_of(std::string_view room) {
  if (const auto known = streams_.find(room); known != streams_.end())
    return known->second;
  auto& [name, created] = *streams_.try_emplace(std::string{room}).first;
  created.name = &name;
  created.epoch = make_epoch();
  created.expires_at = now_() + options_.history_ttl;
  created.recency = by_recency_.insert(by_recency_.end(), &created);
  return created;
}

void memory_broker::subscribe(std::string_view room, room_subscriber& subscriber) {
  auto& known = stream_of(room);
  assert(known.subscriber == nullptr);
  known.subscriber = &subscriber;
}

void memory_broker::unsubscribe(std::string_view room) {
  if (const auto known = streams_.find(room); known != streams_.end())
    known->second.subscriber = nullptr;
}

void memory_broker::publish(std::string_view room, std::shared_ptr<publication> message,
                            std::string_view idempotency_key) {
  auto& target = stream_of(room);
  const auto now = now_();
  if (target.expires_at <= now)
    drop_history(target);
  publish_outcome outcome;
  outcome.at.epoch = target.epoch;
  forget_old_keys(target, now);
  if (!idempotency_key.empty()) {
    if (const auto before = target.keys.find(idempotency_key); before != target.keys.end()) {
      outcome.at.offset = before->second.offset;
      outcome.duplicate = true;
      if (target.subscriber != nullptr)
        target.subscriber->on_published(outcome);
      return;
    }
  }
  message->epoch = target.epoch;
  message->offset = ++target.offset;
  outcome.at.offset = target.offset;
  if (!idempotency_key.empty())
    remember_key(target, idempotency_key);
  const publication_ptr stored = std::move(message);
  store(target, stored);
  if (target.subscriber != nullptr)
    target.subscriber->on_publication(stored);
  if (target.subscriber != nullptr) // it may have left meanwhile
    target.subscriber->on_published(outcome);
}

void memory_broker::publish_event(std::string_view room, publication_kind kind,
                                  std::string&& member) {
  auto& target = stream_of(room);
  if (target.expires_at <= now_())
    drop_history(target);
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

void memory_broker::note_member(std::string_view room, const local_member& who, bool is_here) {
  presence_.note(room, who, is_here, now_());
}

void memory_broker::report(std::string_view room, bool with_members, report_handler handler) {
  room_report answer;
  if (const auto known = streams_.find(room); known != streams_.end())
    answer.top = {known->second.epoch, known->second.offset};
  presence_.report(room, with_members, answer);
  handler(std::move(answer));
}

void memory_broker::store(stream& room, publication_ptr message) {
  room.expires_at = now_() + options_.history_ttl;
  by_recency_.splice(by_recency_.end(), by_recency_, room.recency);
  if (room.is_in_history_order)
    by_history_.splice(by_history_.end(), by_history_, room.history_place);
  else
    room.history_place = by_history_.insert(by_history_.end(), &room);
  room.is_in_history_order = true;
  total_bytes_ -= room.recent.bytes();
  room.recent.push_back(std::move(message), limits_);
  total_bytes_ += room.recent.bytes();
  keep_total_in_limit(room);
}

void memory_broker::drop_history(stream& room) {
  if (room.is_in_history_order)
    by_history_.erase(std::exchange(room.history_place, {}));
  room.is_in_history_order = false;
  total_bytes_ -= room.recent.bytes();
  room.recent.reset(room.offset);
}

void memory_broker::keep_total_in_limit(const stream& latest) {
  while (total_bytes_ > options_.total_bytes && by_history_.front() != &latest)
    drop_history(*by_history_.front());
}

void memory_broker::remember_key(stream& room, std::string_view key) {
  room.keys[std::string{key}] = {room.offset, now_() + options_.idempotency_ttl};
  room.key_order.emplace_back(key);
  while (room.key_order.size() > options_.idempotency_keys) {
    room.keys.erase(room.key_order.front());
    room.key_order.pop_front();
  }
}

void memory_broker::forget_old_keys(stream& room, clock::time_point now) {
  while (!room.key_order.empty()) {
    const auto oldest = room.keys.find(room.key_order.front());
    if (oldest->second.expires_at > now)
      return;
    room.keys.erase(oldest);
    room.key_order.pop_front();
  }
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

void memory_broker::expire() {
  const auto now = now_();
  presence_.expire(now);
  while (!by_recency_.empty() && by_recency_.front()->expires_at <= now) {
    auto& room = *by_recency_.front();
    drop_history(room);
    forget_old_keys(room, now);
    if (room.subscriber != nullptr || !room.keys.empty()) {
      // nothing left to expire: look again later
      room.expires_at = now + std::max(options_.history_ttl, least_review_interval);
      by_recency_.splice(by_recency_.end(), by_recency_, room.recency);
      continue;
    }
    by_recency_.pop_front();
    streams_.erase(streams_.find(*room.name));
  }
}

} // namespace canang::cluster
