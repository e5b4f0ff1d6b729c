#include "app/admin/api_json.hpp"
#include "app/admin/api_request.hpp"

#include <fmt/format.h>

#include <array>
#include <type_traits>
#include <utility>
#include <variant>

namespace canang::admin {

namespace {

using simdjson::padded_string;

template <auto Parse>
api_parsed<api_command> read_with(std::string_view body) {
  return std::visit(
    [](auto&& read) -> api_parsed<api_command> {
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(read)>, api_error>)
        return std::forward<decltype(read)>(read);
      else
        return api_command{std::forward<decltype(read)>(read)};
    },
    Parse(body));
}

/// What Centrifugo has and this server does not: whoever asks is told so, and not that there is no such method.
template <class Refuse>
api_parsed<api_command> refuse(std::string_view body, const Refuse& how) {
  return read_request<api_command>(
    body, [&](const simdjson::dom::object& object, const padded_string&, complaint& wrong) {
      how(object, wrong);
      return api_command{};
    });
}

api_parsed<api_command> no_rpc(std::string_view body) {
  return refuse(body, [](const simdjson::dom::object& object, complaint& wrong) {
    static constexpr std::array<std::string_view, 2> known{"method", "params"};
    const api_fields given{object, known, wrong};
    const auto method = given.text("method");
    if (method.empty())
      wrong.refuse("'method' is missing");
    else
      wrong.not_found(fmt::format("there is no '{}' here", short_name(method)));
  });
}

constexpr std::array methods{
  api_method{.name = "publish", .read = read_with<parse_publish>},
  api_method{.name = "broadcast", .read = read_with<parse_broadcast>},
  api_method{.name = "subscribe", .read = read_with<parse_subscribe>},
  api_method{.name = "unsubscribe", .read = read_with<parse_unsubscribe>},
  api_method{.name = "disconnect", .read = read_with<parse_disconnect>},
  api_method{.name = "refresh", .read = read_with<parse_refresh>},
  api_method{.name = "presence", .read = read_with<parse_presence>},
  api_method{.name = "presence_stats", .read = read_with<parse_presence_stats>},
  api_method{.name = "history", .read = read_with<parse_history>},
  api_method{.name = "history_remove", .read = read_with<parse_history_remove>},
  api_method{.name = "channels", .read = read_with<parse_channels>},
  api_method{.name = "info", .read = read_with<parse_info>},
  api_method{.name = "ban", .read = read_with<parse_ban>},
  api_method{.name = "unban", .read = read_with<parse_unban>},
  api_method{.name = "mute", .read = read_with<parse_mute>},
  api_method{.name = "unmute", .read = read_with<parse_unmute>},
  api_method{.name = "lockdown", .read = read_with<parse_lockdown>},
  api_method{.name = "moderation", .read = read_with<parse_acts>},
  api_method{.name = "rpc", .read = no_rpc},
};

} // namespace

std::span<const api_method> api_methods() { return methods; }

api_weight weight_of(const api_command& command) noexcept {
  if (const auto* const one = std::get_if<api_publish>(&command))
    return {.publishes = 1, .bytes = one->content.size()};
  if (const auto* const all = std::get_if<api_broadcast>(&command))
    return {.publishes = all->channels.size(), .bytes = all->channels.size() * all->content.size()};
  return {};
}

} // namespace canang::admin
