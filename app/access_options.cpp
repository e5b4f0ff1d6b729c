#include "app/access_options.hpp"

#include <fmt/format.h>

namespace canang::app {

namespace {

/// `flag` in a message stands before a colon.
[[noreturn]] void refuse(const std::string& flag, const std::string& why) {
  throw CLI::ValidationError(flag, why);
}

void take_origins(const std::vector<std::string>& given, net::origin_rules& into) {
  net::origin_rules rules;
  for (const auto& item : split_list(given))
    if (!rules.add(item))
      refuse(
        "--allowed-origin",
        fmt::format("'{}' is not same-host, null, * or an origin such as https://chat.example.org "
                    "or https://*.example.org",
                    item));
  into = std::move(rules);
}

void take_subprotocols(const std::vector<std::string>& given, net::subprotocol_rules& into) {
  net::subprotocol_rules rules;
  for (const auto& name : split_list(given))
    if (!rules.add(name))
      refuse("--subprotocols", fmt::format("'{}' is not a token, or * for any", name));
  into = std::move(rules);
}

} // namespace

void add_access_options(option_adder& adder, actors::server_options& into) {
  adder.group("Access");
  adder.list(
    "--allowed-origin",
    [&into](const auto& given) { take_origins(given, into.handshakes.origins); }, "same-host",
    "sites whose pages may connect: https://chat.example.org, https://*.example.org, *");
  adder.list(
    "--subprotocols",
    [&into](const auto& given) { take_subprotocols(given, into.handshakes.subprotocols); }, "*",
    "subprotocols that clients may ask for; the first one offered is answered");
}

} // namespace canang::app
