#include "actors/fanout.hpp"

#include <utility>

// Which connections there are, and what concerns one of them as a whole.

namespace canang::actors {

namespace {

void close_or_refuse(net::session& whose, std::uint16_t code, std::string_view text,
                     net::close_reason reason) {
  if (whose.is_open())
    whose.close(code, text, reason);
  else
    whose.refuse(net::reject_reason::unavailable);
}

} // namespace

void fanout::attach(connection_id id, net::session_ptr session, membership_owner* owner) {
  context_.assert_on_loop();
  auto& added = sessions_.try_emplace(id).first->second;
  added.session = std::move(session);
  added.owner = owner;
}

std::vector<connection_id> fanout::find_user(std::string_view user,
                                             const chosen_connections& which) const {
  auto found = which.only == 0 ? users_.of(user) : std::vector{which.only};
  std::erase_if(found, [&](connection_id id) {
    return !which.has(id) || sessions_.count(id) == 0 || !users_.is_of(user, id);
  });
  return found;
}

std::vector<connection_id> fanout::all_sessions() const {
  std::vector<connection_id> ids;
  ids.reserve(sessions_.size());
  for (const auto& [id, who] : sessions_)
    ids.push_back(id);
  return ids;
}

std::string fanout::peer_of(connection_id who) const {
  const auto found = sessions_.find(who);
  return found == sessions_.end() ? std::string{} : found->second.session->peer();
}

// --- what owners and clients are told

/// Null: it is not here, or nobody owns it.
membership_owner* fanout::owner_of(connection_id who) const {
  context_.assert_on_loop();
  const auto found = sessions_.find(who);
  return found == sessions_.end() ? nullptr : found->second.owner;
}

void fanout::invite(connection_id who, const invitation& to) {
  if (auto* const owner = owner_of(who))
    owner->on_invited(to);
}

void fanout::refresh(connection_id who, net::expiry until) {
  if (auto* const owner = owner_of(who))
    owner->on_refreshed_by_server(until);
}

std::size_t fanout::moderate(connection_id who) {
  auto* const owner = owner_of(who);
  return owner == nullptr ? 0 : owner->on_moderated();
}

void fanout::close_one(connection_id who, std::uint16_t code, std::string_view text,
                       net::close_reason reason) {
  context_.assert_on_loop();
  answers_.write();
  const auto found = sessions_.find(who);
  if (found != sessions_.end() && found->second.session->is_open())
    found->second.session->close(code, text, reason);
}

void fanout::end_one(connection_id who, std::uint16_t code, std::string_view text,
                     net::close_reason reason) {
  context_.assert_on_loop();
  answers_.write();
  if (const auto found = sessions_.find(who); found != sessions_.end())
    close_or_refuse(*found->second.session, code, text, reason);
}

void fanout::close_all(std::uint16_t code, std::string_view text, net::close_reason reason) {
  context_.assert_on_loop();
  answers_.write();
  for (const auto& [id, who] : sessions_)
    close_or_refuse(*who.session, code, text, reason);
}

std::vector<connection_id> fanout::open_sessions() const {
  std::vector<connection_id> ids;
  ids.reserve(sessions_.size());
  for (const auto& [id, who] : sessions_)
    if (who.session->is_open())
      ids.push_back(id);
  return ids;
}

void fanout::abort_all(net::close_reason reason) {
  context_.assert_on_loop();
  for (const auto& [id, who] : sessions_)
    who.session->abort(reason);
}

} // namespace canang::actors
