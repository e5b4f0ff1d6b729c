#include "app/admin/api_moderation.hpp"

#include "app/admin/api_commands.hpp"
#include "base/unix_time.hpp"
#include "net/json.hpp"
#include "net/log_text.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace canang::admin {

namespace {

using cluster::act_kind;
using cluster::act_scope;
using cluster::act_target;
using cluster::moderation_errc;
using cluster::moderation_result;
using cluster::moderation_wish;

constexpr std::array<std::string_view, 3> kind_names{"ban", "mute", "lockdown"};

std::string_view name_of(act_kind kind) noexcept {
  return kind_names[static_cast<std::size_t>(kind)];
}

std::string_view name_of(const moderation_wish& wish) noexcept {
  if (!wish.is_lifted)
    return name_of(wish.key.kind);
  switch (wish.key.kind) {
  case act_kind::ban: return "unban";
  case act_kind::mute: return "unmute";
  case act_kind::lockdown: break;
  }
  return "end of lockdown";
}

api_error error_of(moderation_errc error) {
  switch (error) {
  case moderation_errc::full:
    return {.code = api_errc::limit_exceeded,
            .message =
              fmt::format("limit exceeded: {} acts are in force, which is all there may be",
                          cluster::max_acts)};
  case moderation_errc::busy:
    return {.code = api_errc::limit_exceeded,
            .message = "limit exceeded: too many orders wait for Redis"};
  default: break;
  }
  return {.code = api_errc::internal,
          .message = "internal server error: Redis has not stored it; try again"};
}

api_outcome outcome_of(const moderation_wish& wish, const moderation_result& came) {
  if (came.error != moderation_errc::none)
    return error_of(came.error);
  auto outcome = result_of(came.nodes);
  if (auto* const json = std::get_if<std::string>(&outcome); json != nullptr && wish.is_lifted)
    json->insert(1, fmt::format(R"("found":{},)", came.was_there));
  return outcome;
}

std::uint64_t ended_by(const cluster::control_result& nodes) noexcept {
  std::uint64_t ended = 0;
  for (const auto& one : nodes.nodes)
    ended += one.count;
  return ended;
}

/// `done on 3 nodes`, or `done on 2 of 3 nodes`: the others hear of it when they can.
std::string nodes_of(const cluster::control_result& result) {
  const auto all = result.nodes.size();
  const auto done = static_cast<std::size_t>(
    std::count_if(result.nodes.begin(), result.nodes.end(),
                  [](const auto& one) { return one.outcome == cluster::control_outcome::done; }));
  const auto* const noun = all == 1 ? "node" : "nodes";
  return done == all ? fmt::format("{} {}", all, noun)
                     : fmt::format("{} of {} {}", done, all, noun);
}

void log(const std::string& line, const moderation_result& came) {
  if (came.error != moderation_errc::none)
    spdlog::warn("{}: failed, {}", line, error_of(came.error).message);
  else
    spdlog::info("{}: done on {}, {} connections or memberships ended", line, nodes_of(came.nodes),
                 ended_by(came.nodes));
}

void append_act(std::string& json, const cluster::moderation_act& act,
                cluster::moderation_act::clock::time_point now, std::int64_t unix_now) {
  const auto& key = act.key;
  json += fmt::format(R"({{"act":"{}")", name_of(key.kind));
  const auto add = [&json](std::string_view name, std::string_view value) {
    ((json += ",\"") += name) += "\":";
    net::append_json_string(json, value);
  };
  if (key.target != act_target::all)
    add(key.target == act_target::user ? "user" : "address", key.subject);
  if (key.scope != act_scope::everywhere)
    add(key.scope == act_scope::room ? "channel" : "namespace", key.place);
  if (act.ends_at != cluster::moderation_act::clock::time_point::max()) {
    const auto left = std::chrono::ceil<std::chrono::seconds>(act.ends_at - now).count();
    json += fmt::format(R"(,"ttl":{},"expire_at":{})", left, unix_now + left);
  }
  if (!act.reason.empty())
    add("reason", act.reason);
  json += '}';
}

} // namespace

std::string log_line_of(const moderation_wish& wish) {
  const auto& key = wish.key;
  auto line = fmt::format("moderation: {}", name_of(wish));
  if (key.target != act_target::all)
    line += fmt::format(" {}={}", key.target == act_target::user ? "user" : "address",
                        net::log_field(key.subject));
  if (key.scope == act_scope::everywhere)
    line += " everywhere";
  else
    line += fmt::format(" {}={}", key.scope == act_scope::room ? "room" : "namespace",
                        net::log_field(key.place));
  if (wish.is_lifted)
    return line;
  if (wish.lasts.count() == 0)
    line += " for good";
  else
    line += fmt::format(" for {} s",
                        std::chrono::duration_cast<std::chrono::seconds>(wish.lasts).count());
  return line + " reason=" + net::log_field(wish.reason);
}

std::string to_json(const cluster::act_list& list, cluster::moderation_act::clock::time_point now,
                    std::int64_t unix_now) {
  std::string json = R"({"acts":[)";
  for (const auto& act : list.acts) {
    if (act != list.acts.front())
      json += ',';
    append_act(json, *act, now, unix_now);
  }
  json += fmt::format(R"(],"total":{})", list.total);
  if (!list.next.empty()) {
    json += R"(,"next":)";
    net::append_json_string(json, list.next);
  }
  return json + '}';
}

void moderate(actors::server& node, api_moderation&& wanted, const api_handler& handler) {
  auto wish = std::make_shared<moderation_wish>(wanted.wish);
  const bool is_taken = node.moderate(
    {.wish = std::move(wish),
     .answer = [&node, handler, wish = std::move(wanted.wish)](moderation_result&& came) {
       node.on_internal_loop([handler, wish, came = std::move(came)] {
         log(log_line_of(wish), came);
         handler(outcome_of(wish, came));
       });
     }});
  if (!is_taken)
    handler(not_ready());
}

void tell_acts(actors::server& node, api_acts&& wanted, const api_handler& handler) {
  const bool is_taken = node.ask_acts(
    {.wanted = std::move(wanted.wanted), .answer = [&node, handler](cluster::act_list&& list) {
       node.on_internal_loop([handler, list = std::move(list)] {
         handler(to_json(list, std::chrono::steady_clock::now(), unix_s()));
       });
     }});
  if (!is_taken)
    handler(not_ready());
}

} // namespace canang::admin
