#include "cluster/rooms/redis_leaves.hpp"

#include "base/memory_cost.hpp"
#include "base/name_map.hpp"
#include "cluster/rooms/event_arguments.hpp"
#include "cluster/rooms/redis_presence.hpp"
#include "cluster/rooms/redis_roster.hpp"
#include "cluster/rooms/room_scripts.hpp"
#include "cluster/who_text.hpp"

#include <algorithm>
#include <utility>

namespace canang::cluster {

namespace {

/// A leave that nobody has told for so long after it was due is told by whoever notices.
constexpr std::string_view overdue_ms = "2000";

constexpr std::size_t most_pending_leaves = 65'536;

/// Of memory, for what others are told of those.
constexpr std::size_t most_pending_bytes = 16 * 1024 * 1024;

/// What one call of the script looks at: it holds up all others of that Redis while it runs.
constexpr std::size_t most_leaves_a_call = 512;

/// When nodes find their way back to Redis, leaves are asked for again after this.
constexpr std::chrono::milliseconds back_retry{500};

/// A leave whose room is being told to Redis is looked at again after this.
constexpr std::chrono::milliseconds leave_retry{100};

} // namespace

void redis_leaves::wait(std::string_view room, leave&& who, clock::time_point due) {
  pending one{std::string{room}, std::move(who), ++wait_count_};
  newest_[name_of(one)] = one.number;
  waiting_bytes_ += heap_of_text(one.who.who.size());
  waiting_.emplace(due, std::move(one));
  while (waiting_.size() > most_pending_leaves || waiting_bytes_ > most_pending_bytes)
    (void)take_number(take_first()); // Redis is away for long; a sweep tells it
}

redis_leaves::pending redis_leaves::take_first() {
  auto first = std::move(waiting_.begin()->second);
  waiting_.erase(waiting_.begin());
  waiting_bytes_ -= heap_of_text(first.who.who.size());
  return first;
}

std::string redis_leaves::name_of(const pending& one) { return one.who.id + ' ' + one.room; }

/// @returns false where the connection was back and has left the room again: that leave counts, whose grace is not
/// over.
bool redis_leaves::take_number(const pending& one) {
  const auto newest = newest_.find(name_of(one));
  if (newest == newest_.end() || newest->second != one.number)
    return false;
  newest_.erase(newest);
  return true;
}

/// What is refused is tried again after a pause, one call first.
void redis_leaves::ask(const std::function<bool(const std::string& room)>& is_uncertain) {
  if (!services_.shard.can_command() || !pause_.is_over(services_.now()))
    return;
  auto calls = std::exchange(unheard_, {});
  const auto certain = std::stable_partition(
    calls.begin(), calls.end(), [&](const call_ptr& what) { return !is_uncertain(what->room); });
  unheard_.assign(certain, calls.end());
  calls.erase(certain, calls.end());
  if (calls.empty())
    calls = due_calls(is_uncertain);
  for (auto at = calls.begin(); at != calls.end(); ++at) {
    send(*at);
    if (pause_.is_refused()) {
      unheard_.insert(unheard_.end(), std::next(at), calls.end());
      return;
    }
  }
}

std::vector<redis_leaves::call_ptr>
redis_leaves::due_calls(const std::function<bool(const std::string& room)>& is_uncertain) {
  const auto now = services_.now();
  std::vector<pending> due;
  while (!waiting_.empty() && waiting_.begin()->first <= now)
    due.push_back(take_first());
  std::vector<call_ptr> calls;
  name_map<call_ptr> open;
  for (auto& item : due) {
    if (!take_number(item))
      continue;
    if (is_uncertain(item.room)) {
      wait(item.room, std::move(item.who), now + leave_retry);
      continue;
    }
    auto& target = open[item.room];
    if (!target || target->leaves.size() == most_leaves_a_call
        || target->who_bytes >= most_who_bytes_a_call)
      target = calls.emplace_back(std::make_shared<call>(call{.room = item.room, .leaves = {}}));
    target->who_bytes += item.who.who.size();
    target->leaves.push_back(std::move(item.who));
  }
  return calls;
}

void redis_leaves::send(const call_ptr& what) {
  const presence_keys at{services_.prefix, what->room, options_.node};
  const event_arguments of_room{services_, what->room};
  auto keys = of_room.keys();
  const roster_keys leases{services_.prefix, partition_of(what->room), options_.node};
  keys.insert(keys.end(), {at.grace, leases.back});
  auto arguments = of_room.arguments();
  std::vector<std::string> texts;
  texts.reserve(2 * what->leaves.size()); // the views need them to stay where they are
  for (const auto& who : what->leaves) {
    const auto user = read_who(who.who).user;
    arguments.emplace_back(user.empty() ? texts.emplace_back('\0' + who.id) : user);
    arguments.emplace_back(who.id);
    arguments.emplace_back(texts.emplace_back(options_.describe(member_of(who.id, who.who))));
  }
  services_.shard.run(room_scripts().leave, keys, arguments,
                      [this, alive = std::weak_ptr<bool>{is_alive_},
                       what](redis_errc error, const redis_reply& reply) {
                        if (!alive.expired())
                          on_reply(what, error, reply);
                      });
}

/// What is refused for good stays in the grace, where a sweep finds it.
void redis_leaves::on_reply(const call_ptr& what, redis_errc error, const redis_reply& reply) {
  if (error == redis_errc::none && !reply.is_error()) {
    pause_.succeed();
    if (reply.text() == "later")
      for (auto& who : what->leaves)
        wait(what->room, std::move(who), services_.now() + back_retry);
    return;
  }
  if (error == redis_errc::none) {
    services_.note_refusal(housekeeping::leave, reply.text());
    if (!is_temporary(reply.text()) && !is_not_master(reply.text()))
      return;
    if (const auto now = services_.now(); pause_.is_over(now))
      pause_.refuse(now);
  }
  unheard_.push_back(what);
}

void redis_leaves::take_over(std::string_view room, const redis_reply& reply, std::size_t first) {
  for (std::size_t i = first; i + 1 < reply.size(); i += 2)
    wait(room, {std::string{reply[i].text()}, std::string{reply[i + 1].text()}}, services_.now());
}

void redis_leaves::sweep(std::string_view room) {
  if (services_.settings->of(room).join_leave && services_.shard.can_command()
      && pause_.is_over(services_.now()))
    sweep_page(std::string{room}, "0");
}

void redis_leaves::sweep_page(const std::string& room, std::string_view cursor) {
  const presence_keys at{services_.prefix, room, options_.node};
  const std::string_view keys[]{at.grace};
  const std::string_view arguments[]{overdue_ms, cursor, presence_page_text};
  services_.shard.run(room_scripts().sweep, keys, arguments,
                      [this, alive = std::weak_ptr<bool>{is_alive_},
                       room](redis_errc error, const redis_reply& reply) {
                        if (alive.expired() || error != redis_errc::none)
                          return;
                        if (reply.is_error()) {
                          services_.note_refusal(housekeeping::sweep, reply.text());
                          return;
                        }
                        take_over(room, reply, 1);
                        if (reply[0].text() != "0")
                          sweep_page(room, reply[0].text());
                      });
}

void redis_leaves::clear() {
  waiting_.clear();
  newest_.clear();
  waiting_bytes_ = 0;
  unheard_.clear();
}

} // namespace canang::cluster
