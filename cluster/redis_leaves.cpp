#include "cluster/redis_leaves.hpp"

#include "cluster/epoch.hpp"
#include "cluster/name_map.hpp"
#include "cluster/redis_presence.hpp"
#include "cluster/room_scripts.hpp"

#include <fmt/format.h>

#include <utility>

namespace canang::cluster {

namespace {

/// A leave that nobody has told for so long after it was due is told by whoever notices.
constexpr std::string_view overdue_ms = "2000";

constexpr std::size_t most_pending_leaves = 65'536;

/// What one call of the script looks at: it holds up all others of that Redis while it runs.
constexpr std::size_t most_leaves_a_call = 512;

/// A leave whose room is being told to Redis is looked at again after this.
constexpr std::chrono::milliseconds leave_retry{100};

} // namespace

void redis_leaves::wait(std::string_view room, leave&& who, clock::time_point due) {
  waiting_.emplace(due, pending{std::string{room}, std::move(who)});
  if (waiting_.size() > most_pending_leaves)
    waiting_.erase(waiting_.begin()); // Redis is away for long; a sweep tells it
}

void redis_leaves::ask(const std::function<bool(const std::string& room)>& is_uncertain) {
  if (!services_.shard.can_command())
    return;
  for (const auto& what : std::exchange(unheard_, {}))
    send(what);
  const auto now = services_.now();
  const auto end = waiting_.upper_bound(now);
  std::vector<pending> due;
  for (auto at = waiting_.begin(); at != end; at = waiting_.erase(at))
    due.push_back(std::move(at->second));
  name_map<call_ptr> calls;
  for (auto& item : due) {
    if (is_uncertain(item.room)) {
      waiting_.emplace(now + leave_retry, std::move(item));
      continue;
    }
    auto& target = calls[item.room];
    if (!target)
      target = std::make_shared<call>(call{++calls_, item.room, {}});
    target->leaves.push_back(std::move(item.who));
    if (target->leaves.size() == most_leaves_a_call)
      send(std::exchange(target, {}));
  }
  for (const auto& [room, what] : calls)
    if (what)
      send(what);
}

void redis_leaves::send(const call_ptr& what) {
  const presence_keys at{services_.prefix, what->room, options_.node};
  const auto answered = redis_key(services_.prefix, partition_of(what->room), "l",
                                  fmt::format("{}:{}", options_.node, what->number));
  std::vector<std::string> nameless; // '\0NODE/CONNECTION'
  nameless.reserve(what->leaves.size());
  std::vector<std::string_view> arguments{what->is_again ? "again" : "first"};
  for (const auto& who : what->leaves) {
    arguments.emplace_back(who.user.empty() ? nameless.emplace_back('\0' + who.id) : who.user);
    arguments.emplace_back(who.id);
  }
  const std::string_view keys[]{at.grace, at.users, answered};
  services_.shard.run(room_scripts().leave, keys, arguments,
                      [this, alive = std::weak_ptr<bool>{is_alive_},
                       what](redis_errc error, const redis_reply& reply) {
                        if (!alive.expired())
                          on_reply(what, error, reply);
                      });
}

void redis_leaves::on_reply(const call_ptr& what, redis_errc error, const redis_reply& reply) {
  if (error != redis_errc::none) {
    what->is_again = true;
    unheard_.push_back(what);
    return;
  }
  if (reply.is_error()) {
    services_.complain(reply.text());
    if (is_temporary(reply.text()) || is_not_master(reply.text()))
      unheard_.push_back(what);
    return;
  }
  for (std::size_t i = 0; i < reply.size(); ++i) {
    const auto place = static_cast<std::size_t>(reply[i].integer());
    if (place < what->leaves.size())
      tell(what->room, what->leaves[place]);
  }
}

void redis_leaves::tell(std::string_view room, const leave& who) {
  const present_member member{who.id, who.id.substr(0, who.id.find('/')), who.user};
  tell_(room, publication_kind::left, options_.describe(member), std::string{who.key});
}

void redis_leaves::take_over(std::string_view room, const redis_reply& gone) {
  for (std::size_t i = 0; i + 1 < gone.size(); i += 2) {
    const auto id = gone[i].text();
    // A key of its own, since a connection may be taken for gone more than once.
    wait(room,
         {std::string{id}, std::string{gone[i + 1].text()},
          fmt::format("leave:{}:{}", id, make_epoch())},
         services_.now());
  }
}

void redis_leaves::sweep(std::string_view room) {
  if (!options_.rules.announces(room) || !services_.shard.can_command())
    return;
  const presence_keys at{services_.prefix, room, options_.node};
  const std::string_view keys[]{at.grace};
  const std::string_view arguments[]{overdue_ms};
  services_.shard.run(room_scripts().sweep, keys, arguments,
                      [this, alive = std::weak_ptr<bool>{is_alive_},
                       name = std::string{room}](redis_errc error, const redis_reply& overdue) {
                        if (!alive.expired() && error == redis_errc::none)
                          take_over(name, overdue);
                      });
}

void redis_leaves::clear() {
  waiting_.clear();
  unheard_.clear();
}

} // namespace canang::cluster
