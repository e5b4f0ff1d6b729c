#include "app/access_options.hpp"

#include <fmt/format.h>

namespace canang::app {

namespace {

/// `flag` in a message stands before a colon.
[[noreturn]] void refuse(const std::string& flag, const std::string& why) {
  throw CLI::ValidationError(flag, why);
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
    "--subprotocols",
    [&into](const auto& given) { take_subprotocols(given, into.handshakes.subprotocols); }, "*",
    "subprotocols that clients may ask for; the first one offered is answered");
}

} // namespace canang::app
