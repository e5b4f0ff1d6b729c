#include "actors/directory.hpp"

#include "actors/interfaces.hpp"
#include "actors/slow_mode.hpp"
#include "base/memory_cost.hpp"
#include "net/log_text.hpp"

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace canang::actors {

namespace {

constexpr std::chrono::seconds housekeeping_interval{1};

/// What is let go at once, a tick, when memory is short: some milliseconds of work.
constexpr std::uint64_t most_shed_bytes = 16 * 1024 * 1024;
constexpr std::size_t most_stopped_rooms = 1024;

/// Rooms without members here in which clients publish, a second.
constexpr std::size_t most_outside_rates = 65'536;

/// The room's actor, and its name there and here.
std::uint64_t memory_of(const std::string& name) {
  return room::memory_bytes + 2 * heap_of_text(name.size());
}

} // namespace

directory::directory(caf::actor_config& config, const room_services& services,
                     const directory_options& options, std::function<void()> on_tick)
  : pinned(config), services_(services), options_(options), housekeeping_(std::move(on_tick)) {}

caf::behavior directory::make_behavior() {
  set_down_handler([this](const caf::down_msg& death) { on_room_down(death); });
  return interfaces::directory::behavior_type{
    [this](join_room& request) { on_join(request); },
    [this](leave_room& request) { on_leave(request); },
    [this](const room_empty& report) { on_room_empty(report); },
    [this](expel_user& order) { on_expel(order); },
    [this](const give_way& order) { on_give_way(order); },
    [this](const shed_memory& order) {
      to_shed_bytes_ = order.bytes;
      shed_some();
    },
    [this](room_query& query) {
      services_.broker.report(query.room, query.with_members, std::move(query.answer));
    },
    [this](publish_to_room& request) { on_publish(request); },
    [this](client_publish& request) { on_client_publish(request); },
    [this](const turn_settled& report) { services_.paces->settle(report.taken, report.is_stored); },
    [this](history_query& query) {
      services_.broker.history(query.room, query.wanted, std::move(query.answer));
    },
    [this](room_list_query& query) {
      services_.broker.list(query.wanted, std::move(query.answer));
    },
    [this](history_removal& order) {
      services_.broker.remove_history(order.room, std::move(order.answer));
    },
    [this](const tick& now) { on_tick(now); },
  }
    .unbox();
}

void directory::on_exit() {
  for (auto& [name, known] : rooms_) {
    send_exit(known.handle, caf::exit_reason::user_shutdown);
    services_.metrics.room_actors_memory_bytes.subtract(memory_of(name));
  }
  services_.metrics.rooms.subtract(rooms_.size());
  empty_.clear();
  by_id_.clear();
  rooms_.clear();
}

// --- joins

/// The room of that name; null when it would be one too many. Those that clients enter as they connect are made in
/// any case: they are no more than the connections are, and nobody could log in otherwise.
directory::known_room* directory::room_of(const std::string& name, bool is_entering) {
  if (const auto known = rooms_.find(name); known != rooms_.end())
    return &known->second;
  keep_within_limit(); // what is too much is no room that could be joined
  const bool is_kept = services_.kept != nullptr && services_.kept->claim(name);
  return is_kept || make_place() || is_entering ? &start(name) : nullptr;
}

directory::known_room& directory::start(const std::string& name) {
  auto& entry = *rooms_.try_emplace(name).first;
  auto& handle = entry.second.handle;
  handle =
    spawn_pinned<room>(system(), *context(), services_, name, caf::actor_cast<caf::actor>(this));
  by_id_.emplace(handle.id(), &entry);
  monitor(handle);
  services_.metrics.rooms.add(1);
  services_.metrics.room_actors_memory_bytes.add(memory_of(name));
  count_rooms();
  return entry.second;
}

void directory::on_join(join_room& request) {
  auto* const target = room_of(request.room, request.is_entering);
  if (target == nullptr) {
    refuse(request);
    return;
  }
  ++target->joins_handed;
  if (target->empty_since != clock::time_point{}) {
    empty_.erase({std::exchange(target->empty_since, {}), target->handle.id()});
    count_rooms();
  }
  send(target->handle, std::move(request));
}

/// Of a join that went this way before it.
void directory::on_leave(leave_room& request) {
  if (const auto known = rooms_.find(request.room); known != rooms_.end())
    send(known->second.handle, std::move(request));
}

void directory::refuse(const join_room& request) {
  request.ticket->refuse(net::command_fault::room_limit);
  note_refusal("a join");
}

void directory::note_refusal(std::string_view what) {
  if (const auto unsaid = services_.limit->note_refusal(clock::now()))
    spdlog::warn("--max-rooms: {} rooms are known and none can give way; refused {} that would "
                 "make one more ({} more since the last such line)",
                 services_.limit->most(), what, *unsaid);
}

// --- what is published from outside

/// A room that nobody is in exists by its history, and has a place like any other.
void directory::on_publish(publish_to_room& request) {
  const auto refuse = [&] { request.answer({.error = cluster::broker_errc::unavailable}); };
  if (is_far_behind()) {
    refuse();
    return;
  }
  const bool is_known = rooms_.contains(request.room)
                        || (services_.kept != nullptr && services_.kept->keeps(request.room))
                        || (request.skip_history && request.idempotency_key.empty());
  if (!is_known) { // and will be
    keep_within_limit();
    if (!make_place()) {
      note_refusal("a publication");
      refuse();
      return;
    }
  }
  services_.broker.publish(
    request.room, std::move(request.message),
    {.idempotency_key = request.idempotency_key, .skip_history = request.skip_history},
    std::move(request.answer));
  if (!is_known)
    count_rooms();
}

/// The rate of a room holds for clients outside of it, too. Where it has no actor here there is nothing that could hold
/// publishes back: those above the rate fail, and can be tried again.
void directory::on_client_publish(client_publish& request) {
  auto& what = request.what;
  if (const auto known = rooms_.find(request.room); known != rooms_.end()) {
    caf::send_as(request.publisher, known->second.handle, std::move(what));
    return;
  }
  const auto now = services_.context.now();
  const auto pace = take_turn(request, now);
  if (pace.is_refused()) {
    tell_too_soon(request, pace.wait);
    return;
  }
  if (!take_outside_rate(request, now)) {
    if (pace.has_turn())
      services_.paces->settle(pace.taken, false);
    return; // its ticket says so
  }
  publish_to_room order;
  order.answer = answer_to(request, pace);
  order.room = std::move(request.room);
  order.message = std::move(what.message);
  order.idempotency_key = std::move(what.idempotency_key);
  if (services_.bridges.is_clustered())
    send(services_.bridges.of(order.room), std::move(order));
  else
    on_publish(order);
}

/// The answer may come on the loop of a bridge. What became of a turn is told here before it is told there: who is
/// told that it failed may try again at once.
cluster::answer_once<cluster::publish_outcome> directory::answer_to(client_publish& request,
                                                                    const pace_verdict& pace) {
  auto& what = request.what;
  const auto bytes = static_cast<std::uint32_t>(what.message->data.size());
  auto paced_by = pace.has_turn() ? caf::actor_cast<caf::actor>(this) : caf::actor{};
  return [ticket = std::move(what.ticket), to = std::move(request.publisher),
          request = what.request, bytes, paced_by = std::move(paced_by),
          taken = pace.taken](cluster::publish_outcome&& outcome) {
    if (paced_by)
      caf::anon_send(paced_by, turn_settled{taken, outcome.error == cluster::broker_errc::none});
    ticket->settle();
    caf::anon_send(to,
                   published{.outcome = std::move(outcome), .bytes = bytes, .request = request});
  };
}

bool directory::take_outside_rate(const client_publish& request, clock::time_point now) {
  if (outside_.size() >= most_outside_rates && !outside_.contains(request.room))
    forget_outside_rates(now);
  auto& rate = outside_.try_emplace(request.room).first->second;
  if (rate.is_used_up(now) || outside_.size() > most_outside_rates)
    return false;
  rate.take(services_.price.of(request.what.message->data.size()), now);
  return true;
}

/// In a room of slow mode; in others there is none to take.
pace_verdict directory::take_turn(const client_publish& request, clock::time_point now) {
  const auto& what = request.what;
  if (!what.pace || services_.paces == nullptr)
    return {};
  return services_.paces->claim(request.room, what.pace->who, what.pace->interval,
                                what.idempotency_key, now);
}

void directory::tell_too_soon(const client_publish& request, std::chrono::milliseconds wait) {
  const auto& what = request.what;
  what.ticket->settle();
  send(request.publisher, published{.outcome = {},
                                    .bytes = static_cast<std::uint32_t>(what.message->data.size()),
                                    .request = what.request,
                                    .wait = wait});
}

void directory::forget_outside_rates(clock::time_point now) {
  std::erase_if(outside_, [now](const auto& one) { return !one.second.is_used_up(now); });
}

/// No client is held up for what comes from outside, so that waits outside while some loop has too much to do.
bool directory::is_far_behind() const {
  return std::any_of(services_.cast.begin(), services_.cast.end(), [](const loop_cast& there) {
    return there.backlog->value() > net::max_backlog_bytes;
  });
}

void directory::on_expel(expel_user& order) {
  const auto known = rooms_.find(order.room);
  if (known == rooms_.end())
    send(order.ticket.to, control_part{order.ticket.id, 0});
  else
    send(known->second.handle, std::move(order));
}

// --- rooms that end

void directory::on_room_empty(const room_empty& report) {
  const auto id = current_sender() ? current_sender()->id() : 0;
  const auto found = by_id_.find(id);
  if (found == by_id_.end())
    return;
  auto& known = found->second->second;
  if (known.joins_handed != report.joins_handled)
    return;
  if (known.empty_since != clock::time_point{})
    empty_.erase({known.empty_since, id});
  known.empty_since = clock::now();
  empty_.emplace(known.empty_since, id);
  count_rooms();
}

void directory::on_tick(const tick& now) {
  reap(now.now);
  if (to_shed_bytes_ > 0)
    shed_some();
  if (now.now - last_housekeeping_ >= housekeeping_interval) {
    last_housekeeping_ = now.now;
    housekeeping_();
    forget_outside_rates(now.now);
    if (services_.paces != nullptr)
      services_.paces->expire(now.now);
    give_back_buckets(outside_);
    give_back_buckets(rooms_);
    give_back_buckets(by_id_);
  }
  keep_within_limit();
}

void directory::reap(clock::time_point now) {
  while (!empty_.empty() && now - empty_.begin()->first >= options_.room_linger)
    stop_longest_empty();
}

void directory::stop_longest_empty() {
  auto& longest = *by_id_.find(empty_.begin()->second)->second;
  send_exit(longest.second.handle, caf::exit_reason::user_shutdown);
  forget(longest);
}

/// Of a room that has ended, or is about to.
void directory::forget(room_map::value_type& room) {
  const auto& [name, known] = room;
  const auto id = known.handle.id();
  if (known.empty_since != clock::time_point{})
    empty_.erase({known.empty_since, id});
  by_id_.erase(id);
  services_.metrics.rooms.subtract(1);
  services_.metrics.room_actors_memory_bytes.subtract(memory_of(name));
  rooms_.erase(rooms_.find(name));
}

/// A room that died of itself, not reaped: a fault of ours. Its members are disconnected, come back,
/// and find a new one.
void directory::on_room_down(const caf::down_msg& death) {
  const auto id = death.source.id();
  const auto found = by_id_.find(id);
  if (found == by_id_.end())
    return; // reaped
  spdlog::error("room {} failed: {}", net::log_field(found->second->first),
                caf::to_string(death.reason));
  for (const auto& there : services_.cast)
    send(there.hub, room_failed{id});
  forget(*found->second);
}

// --- their number, and their memory

void directory::count_rooms() {
  const auto kept = services_.kept == nullptr ? 0 : services_.kept->idle_count();
  services_.metrics.known_rooms.set(rooms_.size() + kept);
  services_.metrics.idle_rooms.set(empty_.size() + kept);
}

/// Forgets what is kept of rooms that were stopped to make a place.
void directory::keep_within_limit() {
  count_rooms();
  if (services_.limit == nullptr)
    return;
  if (const auto excess = services_.limit->excess(); excess > 1)
    forget_idle(excess - 1);
}

/// Whether one more room may be known. Where there are too many, rooms without members give way: those of
/// this loop, or of another one, a little later.
bool directory::make_place() {
  if (services_.limit == nullptr)
    return true;
  auto& limit = *services_.limit;
  count_rooms();
  if (const auto excess = limit.excess(); excess > 0)
    forget_idle(excess);
  if (limit.excess() == 0)
    return true;
  if (!limit.can_give_way())
    return false;
  send(services_.cast[limit.idlest_loop()].directory, give_way{1});
  return true;
}

void directory::on_give_way(const give_way& order) { forget_idle(order.rooms); }

/// First those that the broker keeps, then those with an actor that only waits for its linger to end.
void directory::forget_idle(std::uint64_t most) {
  if (services_.kept != nullptr)
    most -= services_.kept->forget_rooms(most);
  for (; most > 0 && !empty_.empty(); --most)
    stop_longest_empty();
  count_rooms();
}

void directory::shed_some() {
  std::size_t stopped = 0; // what these hold is free once they have stopped
  for (; stopped < most_stopped_rooms && !empty_.empty(); ++stopped)
    stop_longest_empty();
  const auto wanted = std::min(to_shed_bytes_, most_shed_bytes);
  const auto freed = services_.kept == nullptr ? 0 : services_.kept->shed(wanted);
  services_.metrics.shed_bytes_total.add(freed);
  const bool is_done = (freed < wanted && stopped == 0) || to_shed_bytes_ <= freed;
  to_shed_bytes_ = is_done ? 0 : to_shed_bytes_ - freed;
}

} // namespace canang::actors
