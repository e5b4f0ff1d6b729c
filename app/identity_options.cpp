#include "app/identity_options.hpp"

#include "app/option_adder.hpp"
#include "net/http/target.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace canang::app {

namespace {

constexpr std::size_t max_mark_bytes = 32;

/// Part of a room's name that says something; may be empty.
std::optional<std::string> parse_mark(const std::string& text) {
  if (text.size() > max_mark_bytes || !net::is_room_name(text + "a"))
    return std::nullopt;
  return text;
}

} // namespace

void add_identity_options(option_adder& adder, options& into) {
  adder.choice("--anonymous", into.anonymous, {"auto", "yes", "no"},
               "who may connect without a token; auto: everybody while no key for tokens is given");
  auto& names = into.server.loops.names;
  adder.add("--private-prefix", names.private_prefix, parse_mark, "up to 32 bytes of a room's name",
            "$", "rooms whose names begin with it need a token; empty: none do");
  adder.add("--user-boundary", names.user_boundary, parse_mark, "up to 32 bytes of a room's name",
            "#",
            "where [rooms] user-rooms is true: the users behind it, with commas, own the room");
}

settled_identities settle_identities(options& of) {
  auto& loops = of.server.loops;
  const bool has_hook = of.server.hooks.of(net::hook_kind::connect).has_value();
  const bool has_keys = of.tokens.has_keys() || has_hook;
  if (of.anonymous == "no" && !has_keys)
    return {.fault = "--anonymous no: without a key for tokens (--token-hmac-secret, "
                     "--token-public-key, --token-jwks) or --hook-connect nobody could connect"};
  loops.names.personal_prefix = loops.personal_room;
  using net::anonymous_clients;
  loops.anonymous = of.anonymous == "auto"  ? anonymous_clients::without_keys
                    : of.anonymous == "yes" ? anonymous_clients::all
                                            : anonymous_clients::none;
  const bool is_reachable =
    of.server.listen_unix.path.empty() && !of.server.listen.address().is_loopback();
  if (of.anonymous == "auto" && !has_keys && is_reachable)
    return {.warning = "anybody who reaches the public port may connect, under any name: there is "
                       "no key for tokens; --anonymous yes says that this is meant"};
  return {};
}

} // namespace canang::app
