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

/// Questions of one client that are asked at the same time. The others wait, and the client is not read.
constexpr unsigned max_asked = 8;

using subject = net::query_command::subject;

std::size_t different_users(const std::vector<cluster::present_member>& members) {
  std::set<std::string_view> users;
  for (const auto& one : members)
    users.insert(one.user);
  return users.size();
}

} // namespace

/// Who keeps a room, whoever is in it: its directory, or in a cluster the bridge of its shard.
const caf::actor& connection::keeper_of(std::string_view room) const {
  const auto* const bridges = services_.bridges;
  return bridges != nullptr && bridges->is_clustered()
           ? bridges->of(room)
           : services_.cast[home_of(room, services_.cast.size())].directory;
}

// --- questions

void connection::on_command(const net::query_command& command) {
  pay_for_command();
  if (const auto why = fault_of(command)) {
    fail({net::command_kind::query, *why, command.request, command.room});
    return;
  }
  asked_query query{.what = command.what,
                    .room = std::string{command.room},
                    .request = command.request,
                    .wanted = {.limit = command.limit, .is_reverse = command.is_reverse},
                    .limit = command.limit};
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

void connection::ask_next() {
  while (rare_ && !rare_->queries.empty() && rare_->asked < max_asked) {
    const auto query = std::move(rare_->queries.front());
    rare_->queries.pop_front();
    ++rare_->asked;
    ask_authorizer(query);
  }
  settle_reading();
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
  if (verdict == net::verdict::allowed) {
    ask_keeper(query);
    return;
  }
  end_query();
  fail({net::command_kind::query,
        verdict == net::verdict::refused ? net::command_fault::not_allowed
                                         : net::command_fault::unavailable,
        query.request, query.room});
}

void connection::ask_keeper(const asked_query& query) {
  auto self = caf::actor_cast<caf::actor>(this);
  if (query.what == subject::history) {
    auto wanted = query.wanted;
    wanted.limit = cluster::history_request::no_limit; // joins and leaves would count too
    send(
      keeper_of(query.room),
      history_query{query.room, std::move(wanted), [self, query](cluster::history_answer&& answer) {
                      caf::anon_send(self, history_told{query.request, query.room, query.limit,
                                                        std::move(answer)});
                    }});
  } else {
    send(
      keeper_of(query.room),
      room_query{
        query.room, true, [self, query](cluster::room_report&& report) {
          caf::anon_send(self, room_told{query.what, query.request, query.room, std::move(report)});
        }});
  }
}

void connection::end_query() {
  --rare_->asked;
  ask_next();
  drop_rare_if_empty();
}

void connection::on_room_told(const room_told& answer) {
  end_query();
  const auto& members = answer.report.members;
  const auto fault = [&](net::command_fault why) {
    fail({net::command_kind::query, why, answer.request, answer.room});
  };
  if (answer.report.error != cluster::broker_errc::none) {
    fault(net::command_fault::unavailable);
  } else if (answer.what == subject::counts) {
    const net::counts_answer counts{answer.request, members.size(), different_users(members)};
    tell([&](std::string& out) { talk_->encode_counts(counts, frames(), out); });
  } else if (members.size() > net::max_members_in_reply) {
    fault(net::command_fault::too_much);
  } else {
    std::vector<net::member_view> views;
    views.reserve(members.size());
    for (const auto& one : members)
      views.push_back({one.id, one.user});
    tell([&](std::string& out) {
      talk_->encode_members({answer.request, views}, frames(), out);
      pay(out.size());
    });
  }
}

/// As much of it as one message may be.
void connection::on_history_told(const history_told& answer) {
  end_query();
  const auto& history = answer.answer;
  if (history.error != cluster::broker_errc::none || history.is_unrecoverable) {
    fail({net::command_kind::query,
          history.is_unrecoverable ? net::command_fault::unrecoverable
                                   : net::command_fault::unavailable,
          answer.request, answer.room});
    return;
  }
  std::vector<net::outgoing_publication> messages;
  std::size_t bytes = 0;
  for (const auto& one : history.publications) {
    if (one->kind != cluster::publication_kind::message)
      continue;
    bytes += cost_in_flight(*one);
    if (messages.size() >= answer.limit || bytes > net::max_recovered_in_reply_bytes)
      break;
    messages.push_back(outgoing(*one, answer.room));
  }
  const auto& top = history.top;
  tell([&](std::string& out) {
    talk_->encode_history({answer.request, {answer.room, top.epoch, top.offset}, messages},
                          frames(), out);
    pay(out.size());
  });
}

// --- publishing

void connection::publish_outside(const net::publish_command& command) {
  const std::string room{*command.room};
  if (!net::is_room_name(room)) {
    fail({net::command_kind::publish, net::command_fault::bad_room, command.request, room});
    return;
  }
  auto message = publication_of(command, true);
  auto go_on = [room, message, request = command.request,
                key = std::string{command.idempotency_key}](connection& self,
                                                            net::verdict verdict) {
    const auto fault = [&](net::command_fault why) {
      self.fail({net::command_kind::publish, why, request, room});
    };
    if (verdict == net::verdict::unavailable)
      fault(net::command_fault::unavailable);
    else if (verdict == net::verdict::refused)
      fault(net::command_fault::not_allowed);
    else
      self.send_outside(room, message, request, key);
  };
  if (services_.authorizer == nullptr)
    go_on(*this, net::verdict::allowed);
  else
    services_.authorizer->decide({.who = who(), .what = net::room_action::publish, .room = room},
                                 continue_with(std::move(go_on)));
}

void connection::send_outside(std::string room, std::shared_ptr<cluster::publication> message,
                              std::uint32_t request, std::string key) {
  const auto bytes = message->data.size();
  if (services_.settings != nullptr
      && bytes > services_.settings->get()->of(room).max_message_bytes) {
    fail({net::command_kind::publish, net::command_fault::too_large, request, room});
    return;
  }
  ++unanswered_;
  unanswered_bytes_ += static_cast<std::uint32_t>(bytes);
  settle_reading();
  publish_to_room order;
  order.room = room;
  order.message = std::move(message);
  order.idempotency_key = std::move(key);
  order.answer = [self = caf::actor_cast<caf::actor>(this), request,
                  bytes](cluster::publish_outcome&& outcome) {
    caf::anon_send(self, published{.outcome = std::move(outcome),
                                   .bytes = static_cast<std::uint32_t>(bytes),
                                   .request = request});
  };
  send(keeper_of(room), std::move(order));
}

} // namespace canang::actors
