#include "app/access_options.hpp"

#include "net/auth/secret.hpp"
#include "net/http/authority.hpp"

#include <array>
#include <fstream>

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

void take_hosts(const std::vector<std::string>& given, std::vector<std::string>& into) {
  into.clear();
  for (const auto& name : split_list(given)) {
    const auto host = net::parse_authority(name);
    if (!host || host->host.empty() || host->port)
      refuse("--internal-host", fmt::format("'{}' is not the name of a host", name));
    into.push_back(net::to_lower(name));
  }
}

void take_key(const std::string& flag, const std::string& text, std::string& into) {
  if (!net::is_key(text))
    refuse(flag, "a key is 16 to 256 visible characters of ASCII");
  into = text;
}

/// The line end at the end of a file is its editor's.
void take_key_file(const std::string& flag, const std::string& path, std::string& into) {
  std::array<char, 1024> bytes; // more than any key has
  std::ifstream file{path, std::ios::binary};
  file.read(bytes.data(), bytes.size());
  if (!file.is_open() || file.bad())
    refuse(flag, fmt::format("'{}' cannot be read", path));
  std::string text{bytes.data(), static_cast<std::size_t>(file.gcount())};
  while (text.ends_with('\n') || text.ends_with('\r'))
    text.pop_back();
  take_key(flag, text, into);
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
  auto& key = into.internal_access.key;
  adder.secret(
    "--internal-key", [&key](const std::string& text) { take_key("--internal-key", text, key); },
    "key of the internal port, but for probes and metrics; needed beyond loopback");
  adder.secret(
    "--internal-key-file",
    [&key](const std::string& path) { take_key_file("--internal-key-file", path, key); },
    "file with that key", "--internal-key");
  adder.list(
    "--internal-host",
    [&into](const auto& given) { take_hosts(given, into.internal_access.hosts); }, "localhost",
    "names under which the internal port may be asked without a key; addresses always");
}

} // namespace canang::app
