#include "actors/connection_impl.hpp"
#include "actors/outgoing.hpp"
#include "base/name_hash.hpp"
#include "net/http/target.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

// What a client does with rooms that it need not be in: it asks about them, and publishes in them.

namespace canang::actors {

namespace {

/// Questions of one client that are asked at the same time: with more, a burst of large answers would make it a slow
/// consumer. The others wait, and the client is not read.
constexpr unsigned max_asked = 1;

/// What a member costs in an answer, in bytes.
constexpr std::size_t member_bytes = 64;

using subject = net::query_command::subject;

std::size_t different_users(const std::vector<cluster::present_member>& members) {
  std::set<std::string_view> users;
  for (const auto& one : members)
    users.insert(one.user);
  return users.size();
}

} // namespace

const caf::actor& connection::keeper_of(std::string_view room) const {
  static const bridge_cast none;
  return actors::keeper_of(room, services_.cast,
                           services_.bridges == nullptr ? none : *services_.bridges);
}

// --- questions

void connection::on_command(const net::query_command& command) {
  pay_for_command();
  if (const auto why = fault_of(command)) {
    fail({net::command_kind::query, *why, command.request, command.room});
    return;
  }
  asked_query query{
    .what = command.what,
    .room = std::string{command.room},
    .request = command.request,
    .wanted = {.limit = command.limit, .is_reverse = command.is_reverse, .messages_only = true}};
  if (command.since)
    query.wanted.since = cluster::position{command.since->epoch, command.since->offset};
  ensure_rare().queries.push_back(std::move(query));
  ask_next();
}

std::optional<net::command_fault> connection::fault_of(const net::query_command& query) const {
  if (!is_identified_)
    return net::command_fault::unidentified;
  if (!net::is_room_name(query.room))
    return net::command_fault::bad_room;
  if (services_.settings == nullptr)
    return std::nullopt;
  const auto settings = services_.settings->get()->of(query.room);
  const bool is_kept =
    query.what == subject::history ? settings.history_size > 0 : settings.keeps_presence();
  return is_kept ? std::nullopt : std::optional{net::command_fault::not_kept};
}

/// One about a room that it is joining waits, since it may depend on that, and so do the others behind it. An answer
/// that comes within the call leaves the next one to the loop here.
void connection::ask_next() {
  if (!rare_ || rare_->is_asking)
    return;
  rare_->is_asking = true;
  while (rare_ && !rare_->queries.empty() && rare_->asked < max_asked && !rare_->asks) {
    const auto* const own = find(rare_->queries.front().room);
    if (own != nullptr && !own->is_joined())
      break;
    const auto query = std::move(rare_->queries.front());
    rare_->queries.pop_front();
    ++rare_->asked;
    ask_authorizer(query);
  }
  if (!rare_)
    return; // it has failed
  rare_->is_asking = false;
  settle_reading();
  drop_rare_if_empty();
}

/// Answers are paced as publishes are; but the client did not send them, so it is not closed for them.
void connection::pay_for_answer(std::size_t bytes) {
  const auto price = services_.price.of(bytes);
  const auto now = services_.context.now();
  auto& facts = ensure_rare();
  facts.answered.take(price, now);
  if (!facts.answered.is_used_up(now) || facts.asks)
    return;
  facts.asks = std::make_unique<deadline>(*this, &connection::on_answers_paced);
  services_.context.deadlines.schedule(*facts.asks, facts.answered.next());
}

void connection::on_answers_paced(clock::time_point /*now*/) {
  rare_->asks.reset();
  ask_next();
  drop_rare_if_empty();
}

void connection::ask_authorizer(const asked_query& query) {
  if (services_.authorizer == nullptr) {
    ask_keeper(query);
    return;
  }
  const auto* const own = find(query.room);
  services_.authorizer->decide({.who = who(),
                                .what = query.what == subject::history ? net::room_action::history
                                                                       : net::room_action::presence,
                                .room = query.room,
                                .is_member = own != nullptr && own->is_joined()},
                               continue_with([query](connection& self, net::verdict verdict) {
                                 self.on_query_verdict(query, verdict);
                               }));
}

void connection::on_query_verdict(const asked_query& query, net::verdict verdict) {
  const bool is_banned = is_banned_from(query.room);
  if (verdict == net::verdict::allowed && !is_banned) {
    ask_keeper(query);
    return;
  }
  end_query();
  fail({net::command_kind::query,
        is_banned                          ? net::command_fault::banned
        : verdict == net::verdict::refused ? net::command_fault::not_allowed
                                           : net::command_fault::unavailable,
        query.request, query.room});
}

void connection::ask_keeper(const asked_query& query) {
  if (query.what != subject::history) {
    ask_about_room(query.what, query.request, query.room, false);
    return;
  }
  history_query order;
  order.room = query.room;
  order.wanted = query.wanted;
  order.answer = [self = caf::actor_cast<caf::actor>(this), request = query.request,
                  room = query.room](cluster::history_answer&& answer) {
    caf::anon_send(self, history_told{request, room, std::move(answer)});
  };
  send(keeper_of(query.room), std::move(order));
}

/// First how many there are: a list that is too long is not loaded.
void connection::ask_about_room(subject what, std::uint32_t request, const std::string& room,
                                bool with_members) {
  send(keeper_of(room),
       room_query{
         room, with_members,
         [self = caf::actor_cast<caf::actor>(this), what, request, room,
          with_members](cluster::room_report&& report) {
           caf::anon_send(self, room_told{what, request, room, with_members, std::move(report)});
         }});
}

void connection::end_query() {
  if (!rare_)
    return;
  --rare_->asked;
  ask_next();
}

void connection::on_room_told(const room_told& answer) {
  const auto& report = answer.report;
  std::uint64_t count = 0;
  for (const auto& [node, members] : report.members_by_node)
    count += members;
  const bool is_good = report.error == cluster::broker_errc::none;
  const bool tells_too_much =
    answer.what == subject::members
    && (report.is_info_left_out || report.info_bytes > net::max_info_in_reply_bytes);
  const bool is_too_long = is_good && (count > net::max_members_in_reply || tells_too_much);
  if (is_good && !is_too_long && !answer.with_members && count > 0) {
    ask_about_room(answer.what, answer.request, answer.room, true);
    return;
  }
  if (!is_good || is_too_long)
    fail({net::command_kind::query,
          is_too_long ? net::command_fault::too_much : net::command_fault::unavailable,
          answer.request, answer.room});
  else
    tell_members(answer);
  pay_for_answer(report.members.size() * member_bytes + report.info_bytes);
  end_query();
}

void connection::tell_members(const room_told& answer) {
  const auto& members = answer.report.members;
  if (answer.what == subject::counts) {
    const net::counts_answer counts{answer.request, members.size(), different_users(members)};
    tell([&](std::string& out) { talk_->encode_counts(counts, frames(), out); });
    return;
  }
  std::vector<net::member_view> views;
  views.reserve(members.size());
  for (const auto& one : members)
    views.push_back({one.id, one.user, one.info, one.room_info});
  tell([&](std::string& out) { talk_->encode_members({answer.request, views}, frames(), out); });
}

/// As much of it as one message may be; the first one always fits.
void connection::on_history_told(const history_told& answer) {
  const auto& history = answer.answer;
  if (history.error != cluster::broker_errc::none || history.is_unrecoverable) {
    fail({net::command_kind::query,
          history.is_unrecoverable ? net::command_fault::unrecoverable
                                   : net::command_fault::unavailable,
          answer.request, answer.room});
    end_query();
    return;
  }
  std::vector<net::outgoing_publication> messages;
  std::size_t bytes = 0;
  for (const auto& one : history.publications) {
    bytes += cost_in_answer(*one);
    if (bytes > net::max_recovered_in_reply_bytes && !messages.empty())
      break;
    messages.push_back(outgoing(*one, answer.room));
  }
  const auto& top = history.top;
  tell([&](std::string& out) {
    talk_->encode_history({answer.request, {answer.room, top.epoch, top.offset}, messages},
                          frames(), out);
  });
  pay_for_answer(bytes);
  end_query();
}

// --- publishing

void connection::publish_outside(const net::publish_command& command) {
  const std::string room{*command.room};
  if (!net::is_room_name(room)) {
    fail({net::command_kind::publish, net::command_fault::bad_room, command.request, room});
    return;
  }
  waiting_publish one{.subscription = 0,
                      .request = command.request,
                      .message = publication_of(command, nullptr),
                      .key = std::string{command.idempotency_key},
                      .outlives_room = true};
  if (services_.authorizer == nullptr) {
    send_outside(room, std::move(one));
    return;
  }
  const auto bytes = static_cast<std::uint32_t>(one.message->data.size());
  ++unanswered_;
  unanswered_bytes_ += bytes;
  settle_reading();
  services_.authorizer->decide(
    {.who = who(), .what = net::room_action::publish, .room = room},
    continue_with([room, one, bytes](connection& self, net::verdict verdict) {
      --self.unanswered_;
      self.unanswered_bytes_ -= bytes;
      if (const auto why = self.fault_outside(verdict, room, bytes))
        self.fail({net::command_kind::publish, *why, one.request, room});
      else if (verdict == net::verdict::ask)
        self.ask_hook_to_publish(room, waiting_publish{one});
      else
        self.send_outside(room, waiting_publish{one});
      self.settle_reading();
    }));
}

void connection::send_outside(const std::string& room, waiting_publish&& one) {
  const auto bytes = static_cast<std::uint32_t>(one.message->data.size());
  ++unanswered_;
  unanswered_bytes_ += bytes;
  publish what{std::move(one.message), std::move(one.key), 0, one.request};
  what.ticket = new publish_ticket{caf::actor_cast<caf::actor>(this), 0, one.request, bytes};
  what.pace = pace_in(room);
  send(services_.cast[home_of(room, services_.cast.size())].directory,
       client_publish{room, caf::actor_cast<caf::actor>(this), std::move(what)});
  settle_reading();
}

std::optional<net::command_fault>
connection::fault_outside(net::verdict verdict, const std::string& room, std::size_t bytes) const {
  if (verdict == net::verdict::unavailable)
    return net::command_fault::unavailable;
  if (verdict == net::verdict::refused)
    return net::command_fault::not_allowed;
  if (const auto why = silenced_in(room))
    return why;
  if (services_.settings != nullptr
      && bytes > services_.settings->get()->of(room).max_message_bytes)
    return net::command_fault::too_large;
  return std::nullopt;
}

} // namespace canang::actors
