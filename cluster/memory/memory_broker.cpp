#include "cluster/memory/memory_broker.hpp"

#include "base/memory_cost.hpp"
#include "cluster/epoch.hpp"
#include "cluster/history.hpp"

#include <algorithm>
#include <utility>

namespace canang::cluster {

memory_broker::memory_broker(const memory_broker_options& options,
                             std::function<clock::time_point()> now,
                             const room_settings_source& settings, const presence_options& presence)
  : options_(options),
    now_(std::move(now)),
    source_(settings),
    table_(settings.get()),
    presence_(presence, [this](std::string_view room, publication_kind kind, std::string&& member) {
      publish_event(room, kind, std::move(member));
    }) {}

memory_broker::~memory_broker() = default;

// --- rooms, and who hears of them

memory_broker::stream& memory_broker::stream_of(std::string_view room) {
  if (const auto known = streams_.find(room); known != streams_.end()) {
    settle(known->second);
    return known->second;
  }
  auto& [name, created] = *streams_.try_emplace(std::string{room}).first;
  created.name = &name;
  created.epoch = make_epoch();
  created.settled = settings_count_;
  created.kept_by = &policy_of(name);
  created.expires_at = now_() + created.kept_by->settings.history_ttl;
  created.kept_by->rooms.push_back(created);
  names_cost_ += heap_of(name);
  put_in_place(created);
  return created;
}

// --- who hears of them

/// Where its room is, unless a successor has taken its place.
class memory_broker::channel final : public room_channel {
public:
  channel(memory_broker& broker, stream& room, room_subscriber& subscriber)
    : broker_(broker), room_(&room), subscriber_(subscriber) {}

  ~channel() override {
    if (room_ != nullptr)
      broker_.close(*room_);
  }

  void publish(std::shared_ptr<publication> message, std::string_view idempotency_key) override {
    if (room_ == nullptr)
      return;
    auto& room = *room_;
    auto& subscriber = subscriber_;
    const auto life = room.life;
    const auto outcome = broker_.publish_in(room, std::move(message), idempotency_key);
    if (room.life == life) // else this has ended meanwhile
      subscriber.on_published(outcome);
  }

  void recover(const recover_request& request, page_handler handler) override {
    history_page page;
    if (room_ == nullptr)
      page.error = broker_errc::unavailable;
    else
      page = broker_.recover(*room_, request);
    handler(std::move(page));
  }

  void note_member(const local_member& who, bool is_here) override {
    if (room_ != nullptr)
      broker_.note_member(*room_, who, is_here);
  }

  void let_go() noexcept { room_ = nullptr; }
  [[nodiscard]] room_subscriber& subscriber() const noexcept { return subscriber_; }

private:
  memory_broker& broker_;
  stream* room_;
  room_subscriber& subscriber_;
};

std::unique_ptr<room_channel> memory_broker::open(std::string_view room,
                                                  room_subscriber& subscriber) {
  auto& known = stream_of(room);
  if (known.open != nullptr) {
    known.open->let_go();
    --open_count_;
  }
  auto opened = std::make_unique<channel>(*this, known, subscriber);
  known.open = opened.get();
  ++known.life;
  ++open_count_;
  take(known);
  return opened;
}

void memory_broker::take(stream& room) {
  if (std::exchange(room.is_taken, true))
    return;
  ++taken_count_;
  idle_cost_ -= room.counted_cost;
  put_in_place(room);
}

void memory_broker::close(stream& room) {
  room.open = nullptr;
  ++room.life;
  room.is_taken = false;
  --open_count_;
  --taken_count_;
  idle_cost_ += room.counted_cost;
  if (room.offset == 0 && !room.keys)
    forget(room); // it was only joined: there is nothing to come back to
  else
    put_in_place(room);
}

bool memory_broker::claim(std::string_view room) {
  const auto known = streams_.find(room);
  if (known == streams_.end() || known->second.open != nullptr)
    return false;
  take(known->second);
  return true;
}

bool memory_broker::keeps(std::string_view room) const noexcept { return streams_.contains(room); }

std::size_t memory_broker::idle_count() const noexcept { return streams_.size() - taken_count_; }

std::size_t memory_broker::rooms_cost() const noexcept {
  return streams_.size() * name_map_entry_cost<stream> + names_cost_
         + open_count_ * allocated(sizeof(channel)) + presence_.cost();
}

void memory_broker::note_member(stream& room, const local_member& who, bool is_here) {
  settle(room);
  const bool has_members =
    presence_.note(*room.name, room.kept_by->settings.join_leave, who, is_here, now_());
  if (std::exchange(room.has_members, has_members) != has_members)
    put_in_place(room);
}

void memory_broker::report(std::string_view room, bool with_members, report_handler handler) {
  room_report answer;
  if (const auto known = streams_.find(room); known != streams_.end())
    answer.top = {known->second.epoch, known->second.offset};
  presence_.report(room, with_members && table_->of(room).keeps_presence(), answer);
  handler(std::move(answer));
}

void memory_broker::list(const room_list_request& wanted, room_list_handler handler) {
  handler(presence_.list(wanted));
}

// --- publications

bool memory_broker::is_duplicate(const stream& room, std::string_view key, publish_outcome& into) {
  if (key.empty() || !room.keys)
    return false;
  const auto before = room.keys->find(key);
  if (!before)
    return false;
  if (*before != 0)
    into.at = {room.epoch, *before};
  into.duplicate = true;
  return true;
}

void memory_broker::remember_key(stream& room, std::string_view key, std::uint64_t offset) {
  if (key.empty())
    return;
  if (!room.keys)
    room.keys = std::make_unique<idempotency_keys>();
  room.keys->remember(key, offset, now_() + options_.idempotency_ttl, options_.idempotency_keys);
}

void memory_broker::tell(const stream& room, const publication_ptr& message) {
  if (room.open != nullptr)
    room.open->subscriber().on_publication(message);
}

void memory_broker::publish(std::string_view room, std::shared_ptr<publication> message,
                            const publish_options& options, publish_handler handler) {
  const auto key = options.idempotency_key;
  handler(options.skip_history ? publish_live(room, std::move(message), key)
                               : publish_in(stream_of(room), std::move(message), key));
}

publish_outcome memory_broker::publish_in(stream& room, std::shared_ptr<publication> message,
                                          std::string_view idempotency_key) {
  begin_to_store(room);
  publish_outcome outcome;
  if (is_duplicate(room, idempotency_key, outcome))
    return outcome;
  outcome.at = {room.epoch, room.offset + 1};
  remember_key(room, idempotency_key, outcome.at.offset);
  store_next(room, std::move(message));
  return outcome;
}

/// Of a room that nobody knows of nothing remains, unless there is a key to be remembered.
publish_outcome memory_broker::publish_live(std::string_view room,
                                            std::shared_ptr<publication> message,
                                            std::string_view idempotency_key) {
  publish_outcome outcome;
  auto known = streams_.find(room);
  if (!idempotency_key.empty()) {
    auto& target = stream_of(room);
    begin_to_store(target);
    if (is_duplicate(target, idempotency_key, outcome))
      return outcome;
    remember_key(target, idempotency_key, 0);
    account(target);
    put_in_place(target);
    keep_total_in_limit(target);
    known = streams_.find(room);
  }
  message->epoch = std::string_view{};
  message->offset = 0;
  if (known != streams_.end())
    tell(known->second, std::move(message));
  return outcome;
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
  store_next(target, std::move(message));
}

/// What is over its lifetime goes, by the settings in force.
void memory_broker::freshen(stream& room, clock::time_point now) {
  settle(room);
  if (room.expires_at <= now)
    drop_history(room);
}

/// Keys, too: they are asked for when something is stored.
void memory_broker::begin_to_store(stream& room) {
  const auto now = now_();
  freshen(room, now);
  forget_old_keys(room, now);
}

/// Gives a message the room's next place.
void memory_broker::store_next(stream& room, std::shared_ptr<publication> message) {
  message->epoch = room.epoch;
  message->offset = ++room.offset;
  const publication_ptr stored = std::move(message);
  store(room, stored);
  tell(room, stored);
}

void memory_broker::store(stream& room, publication_ptr message) {
  auto& kept_by = *room.kept_by;
  room.expires_at = now_() + kept_by.settings.history_ttl;
  room.recency.unlink();
  kept_by.rooms.push_back(room);
  total_bytes_ -= room.recent.bytes();
  room.recent.push_back(std::move(message), kept_by.limits);
  total_bytes_ += room.recent.bytes();
  account(room);
  put_in_place(room);
  keep_total_in_limit(room);
}

history_page memory_broker::recover(stream& source, const recover_request& request) {
  freshen(source, now_());
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
  return page;
}

void memory_broker::remove_history(std::string_view room, removal_handler handler) {
  if (const auto known = streams_.find(room); known != streams_.end())
    drop_history(known->second);
  handler({});
}

void memory_broker::history(std::string_view room, const history_request& request,
                            history_handler handler) {
  const auto known = streams_.find(room);
  if (known == streams_.end()) {
    history_answer nothing;
    nothing.is_unrecoverable = request.since.has_value();
    handler(std::move(nothing));
    return;
  }
  auto& source = known->second;
  freshen(source, now_());
  const auto& recent = source.recent;
  stored_page page;
  page.top = {source.epoch, source.offset};
  page.floor = recent.floor();
  if (request.since && !request.is_reverse)
    page.publications = recent.after(request.since->offset);
  else if (!request.since && request.is_reverse && !request.messages_only)
    page.publications = recent.after(recent.before_last(request.limit));
  else
    page.publications = recent.after(0);
  handler(answer_of(request, std::move(page)));
}

} // namespace canang::cluster
