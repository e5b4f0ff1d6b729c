#include "actors/hub_bans.hpp"

#include "actors/moderation_rules.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace canang::actors {

namespace {

/// A range of addresses as a name.
std::string name_of(const address_prefix& range) {
  std::string name(range.first.begin(), range.first.end());
  name += static_cast<char>(range.bits);
  return name;
}

} // namespace

void hub_bans::add(const end_banned& order) {
  if (order.acts->front()->key.target == cluster::act_target::user)
    users_.push_back({.order = order});
  else
    addresses_.push_back(order);
  work();
}

void hub_bans::on_tick() {
  looks_ = max_looks_a_turn;
  ends_ = net::max_disconnected_a_turn;
  work();
}

void hub_bans::clear() {
  users_.clear();
  addresses_.clear();
  search_.reset();
}

std::size_t hub_bans::waiting() const noexcept {
  return users_.size() + addresses_.size() + (search_ ? search_->tickets.size() : 0);
}

void hub_bans::work() {
  end_users();
  if (users_.empty())
    end_addresses();
}

/// Who they are is asked when it is their turn: no list of connections waits.
void hub_bans::end_users() {
  while (!users_.empty() && may_go_on(0)) {
    auto& search = users_.front();
    if (!search.looked_at) {
      search.looked_at = row{members_.find_user(search.order.acts->front()->key.subject, {})};
      --looks_;
    }
    auto& row = *search.looked_at;
    for (; !row.is_over() && may_go_on(0); ++row.next) {
      search.ended += members_.moderate(row.who[row.next]);
      --looks_;
      --ends_;
    }
    if (!row.is_over())
      return;
    told_(search.order.ticket, search.ended);
    users_.pop_front();
  }
}

void hub_bans::end_addresses() {
  while ((search_ || !addresses_.empty()) && may_go_on(kept_for_users)) {
    if (!search_)
      begin_address_search();
    auto& row = search_->looked_at;
    for (; !row.is_over() && may_go_on(kept_for_users); ++row.next)
      look_at(*search_, row.who[row.next]);
    if (!row.is_over())
      return;
    const auto done = std::move(*search_);
    search_.reset();
    for (std::size_t i = 0; i < done.tickets.size(); ++i)
      told_(done.tickets[i], done.ended[i]);
  }
}

void hub_bans::begin_address_search() {
  auto& search = search_.emplace();
  for (const auto& order : std::exchange(addresses_, {})) {
    search.ranges.add(order, search.tickets.size());
    search.tickets.push_back(order.ticket);
  }
  search.ended.resize(search.tickets.size());
  search.looked_at.who = members_.all_sessions();
  --looks_;
}

void hub_bans::look_at(address_search& search, connection_id who) {
  looks_ -= std::min(looks_, search.ranges.cost());
  const auto address = address_in(members_.peer_of(who));
  const auto first = address ? search.ranges.find(*address) : std::nullopt;
  if (!first)
    return;
  search.ended[*first] += members_.moderate(who);
  --ends_;
}

void hub_bans::range_index::add(const end_banned& order, std::size_t number) {
  for (const auto& act : *order.acts) {
    orders_.try_emplace(name_of(act->addresses), number);
    if (std::find(lengths_.begin(), lengths_.end(), act->addresses.bits) == lengths_.end())
      lengths_.push_back(act->addresses.bits);
  }
}

std::optional<std::size_t>
hub_bans::range_index::find(const boost::asio::ip::address& address) const {
  std::optional<std::size_t> first;
  for (const auto bits : lengths_)
    if (const auto found = orders_.find(name_of(prefix_of(address, bits)));
        found != orders_.end() && (!first || found->second < *first))
      first = found->second;
  return first;
}

} // namespace canang::actors
