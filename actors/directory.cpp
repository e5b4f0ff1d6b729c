#include "actors/directory.hpp"

#include "net/log_text.hpp"

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <spdlog/spdlog.h>

#include <utility>

namespace canang::actors {

namespace {

constexpr std::chrono::seconds housekeeping_interval{1};

} // namespace

directory::directory(caf::actor_config& config, const room_services& services,
                     const directory_options& options, std::function<void()> on_tick)
  : pinned(config), services_(services), options_(options), housekeeping_(std::move(on_tick)) {}

caf::behavior directory::make_behavior() {
  set_down_handler([this](const caf::down_msg& death) { on_room_down(death); });
  return {
    [this](join_room& request) { on_join(request); },
    [this](const room_empty& report) { on_room_empty(report); },
    [this](room_query& query) {
      services_.broker.report(query.room, query.with_members, std::move(query.answer));
    },
    [this](const tick& now) { on_tick(now); },
  };
}

void directory::on_exit() {
  for (auto& [name, known] : rooms_)
    send_exit(known.handle, caf::exit_reason::user_shutdown);
  services_.metrics.rooms.subtract(rooms_.size());
  rooms_.clear();
  names_.clear();
}

directory::known_room& directory::room_of(const std::string& name) {
  const auto [at, is_new] = rooms_.try_emplace(name);
  if (is_new) {
    at->second.handle =
      spawn_pinned<room>(system(), *context(), services_, name, caf::actor_cast<caf::actor>(this));
    names_.emplace(at->second.handle.id(), name);
    monitor(at->second.handle);
    services_.metrics.rooms.add(1);
  }
  return at->second;
}

void directory::on_join(join_room& request) {
  auto& target = room_of(request.room);
  ++target.joins_handed;
  empty_.erase(target.handle.id());
  send(target.handle, std::move(request));
}

void directory::on_room_empty(const room_empty& report) {
  const auto id = current_sender() ? current_sender()->id() : 0;
  const auto name = names_.find(id);
  if (name == names_.end())
    return;
  if (rooms_.find(name->second)->second.joins_handed == report.joins_handled)
    empty_[id] = clock::now();
}

void directory::on_tick(const tick& now) {
  reap(now.now);
  if (now.now - last_housekeeping_ >= housekeeping_interval) {
    last_housekeeping_ = now.now;
    housekeeping_();
  }
}

void directory::reap(clock::time_point now) {
  for (auto at = empty_.begin(); at != empty_.end();) {
    if (now - at->second < options_.room_linger) {
      ++at;
      continue;
    }
    const auto name = names_.find(at->first);
    const auto known = rooms_.find(name->second);
    send_exit(known->second.handle, caf::exit_reason::user_shutdown);
    rooms_.erase(known);
    names_.erase(name);
    services_.metrics.rooms.subtract(1);
    at = empty_.erase(at);
  }
}

/// A room that died of itself, not reaped: a fault of ours. Its members are disconnected, come back,
/// and find a new one.
void directory::on_room_down(const caf::down_msg& death) {
  const auto id = death.source.id();
  const auto name = names_.find(id);
  if (name == names_.end())
    return; // reaped
  spdlog::error("room {} failed: {}", net::log_field(name->second), caf::to_string(death.reason));
  for (const auto& there : services_.cast)
    send(there.hub, room_failed{id});
  rooms_.erase(name->second);
  names_.erase(name);
  empty_.erase(id);
  services_.metrics.rooms.subtract(1);
}

} // namespace canang::actors
