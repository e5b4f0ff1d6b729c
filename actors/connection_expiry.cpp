#include "actors/connection_impl.hpp"
#include "base/unix_time.hpp"
#include "net/close_code.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

// How long a client may stay, and be in its rooms.

namespace canang::actors {

namespace {

/// What is due is looked at again at least so often: tokens go by the time of day, which may be set.
constexpr std::chrono::minutes longest_sleep{10};

} // namespace

/// At least one: what has none has no end.
std::uint32_t connection::seconds_until(std::int64_t at) {
  const auto left = std::clamp<std::int64_t>(at - unix_s(), 1, UINT32_MAX);
  return static_cast<std::uint32_t>(left);
}

void connection::set_expiry(net::expiry at) {
  if (!at && !(rare_ && rare_->lives))
    return;
  auto& lives = ensure_rare().lives;
  if (!lives)
    lives = std::make_unique<lifetimes>(*this);
  lives->of_connection = at;
  await_expiry();
}

void connection::set_expiry(subscription_id id, net::expiry at) {
  if (!at && !(rare_ && rare_->lives))
    return;
  auto& lives = ensure_rare().lives;
  if (!lives)
    lives = std::make_unique<lifetimes>(*this);
  auto& rooms = lives->of_rooms;
  std::erase_if(rooms, [id](const auto& one) { return one.first == id; });
  if (rooms.size() > 2 * subscriptions_.size()) // most of them have left
    std::erase_if(rooms, [this](const auto& one) { return find(one.first) == nullptr; });
  if (at)
    rooms.emplace_back(id, *at);
  await_expiry();
}

net::expiry connection::expiry_of(subscription_id id) const {
  if (!rare_ || !rare_->lives)
    return std::nullopt;
  const auto& rooms = rare_->lives->of_rooms;
  const auto found =
    std::find_if(rooms.begin(), rooms.end(), [id](const auto& one) { return one.first == id; });
  return found == rooms.end() ? std::nullopt : net::expiry{found->second};
}

/// When it has to be gone, or the operator's program is asked whether it may stay.
net::expiry connection::due_of_connection() const {
  const auto& until = rare_->lives->of_connection;
  if (!until)
    return std::nullopt;
  if (!has_hook(net::hook_kind::refresh))
    return *until + talk_->refresh_grace().count();
  return rare_->backend->is_asking_to_stay ? std::nullopt : until;
}

/// Sleeps until the next thing is due, its grace included.
void connection::await_expiry() {
  auto& lives = rare_->lives;
  const auto grace = talk_->refresh_grace().count();
  net::expiry next = due_of_connection();
  for (const auto& [id, at] : lives->of_rooms) {
    const auto due = is_kept_by_hook(id) ? at : at + grace;
    next = std::min(next.value_or(due), due);
  }
  if (!lives->of_connection && lives->of_rooms.empty()) {
    lives.reset();
    drop_rare_if_empty();
    return;
  }
  if (!next)
    return; // the operator's program is being asked
  const auto left =
    std::clamp<std::int64_t>(*next - unix_s(), 0, std::chrono::seconds{longest_sleep}.count());
  services_.context.deadlines.schedule(lives->wakes,
                                       services_.context.now() + std::chrono::seconds{left});
}

void connection::on_expiry(clock::time_point /*now*/) {
  const auto now = unix_s();
  auto& lives = *rare_->lives;
  if (const auto due = due_of_connection(); due && *due <= now) {
    if (!has_hook(net::hook_kind::refresh)) {
      end_for(net::close_reason::expired);
      return;
    }
    ask_whether_it_may_stay();
  }
  std::vector<subscription_id> asked;
  std::vector<subscription_id> ended;
  for (const auto& [id, at] : lives.of_rooms) {
    if (is_kept_by_hook(id) && at <= now)
      asked.push_back(id);
    else if (at + talk_->refresh_grace().count() <= now)
      ended.push_back(id);
  }
  std::erase_if(lives.of_rooms, [&](const auto& one) {
    return std::find(asked.begin(), asked.end(), one.first) != asked.end()
           || std::find(ended.begin(), ended.end(), one.first) != ended.end();
  });
  await_expiry();
  for (const auto id : ended)
    expire(id);
  for (const auto id : asked)
    ask_whether_it_may_stay_in(id);
}

/// As if it had left; but it is told why.
void connection::expire(subscription_id id) {
  auto* const found = find(id);
  if (found == nullptr)
    return;
  const std::string room{name_of(*found)};
  leave(*found, room);
  bool is_told = false;
  tell([&](std::string& out) {
    is_told = format_.language.encode_unsubscribed(
      {.room = room, .code = net::membership_expired, .text = "subscription expired"}, frames(),
      out);
  });
  if (!is_told)
    session_->close(net::membership_expired, "subscription expired", net::close_reason::expired);
}

/// One that is not known yet has its own time, or none.
void connection::on_refreshed_by_server(net::expiry until) {
  const auto alive = caf::actor_cast<caf::actor>(this);
  enter([&] {
    if (!session_ || !is_identified_)
      return;
    set_expiry(until);
    tell_refreshed(0, false, until);
  });
}

void connection::tell_refreshed(std::uint32_t request, bool is_of_room, net::expiry at) {
  net::refreshed is{.request = request, .is_of_room = is_of_room};
  if (at)
    is.expires_in_s = seconds_until(*at);
  tell([&](std::string& out) { talk_->encode_refreshed(is, frames(), out); });
}

} // namespace canang::actors
