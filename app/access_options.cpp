#include "app/access_options.hpp"

#include "app/bounded_file.hpp"
#include "net/auth/api_keys.hpp"
#include "net/auth/secret.hpp"
#include "net/http/authority.hpp"

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace canang::app {

namespace {

void take_origins(const std::vector<std::string>& given, net::origin_rules& into) {
  net::origin_rules rules;
  for (const auto& item : split_list(given))
    if (!rules.add(item))
      refuse_option(
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
      refuse_option("--subprotocols", fmt::format("'{}' is not a token, or * for any", name));
  into = std::move(rules);
}

void take_hosts(const std::vector<std::string>& given, std::vector<std::string>& into) {
  into.clear();
  for (const auto& name : split_list(given)) {
    const auto host = net::parse_authority(name);
    if (!host || host->host.empty() || host->port)
      refuse_option("--internal-host", fmt::format("'{}' is not the name of a host", name));
    into.push_back(net::to_lower(name));
  }
}

/// Reads one of two words.
auto either(std::string_view yes, std::string_view no) {
  return [yes, no](const std::string& text) -> std::optional<bool> {
    if (text != yes && text != no)
      return std::nullopt;
    return text == yes;
  };
}

void take_key(const std::string& flag, const std::string& text, std::string& into) {
  if (!net::is_key(text))
    refuse_option(flag, "a key is 16 to 256 visible characters of ASCII");
  into = text;
}

/// Of a file of keys: more than those that may count have, with their line ends.
constexpr std::size_t max_key_file_bytes = 32 * 1024;

std::string read_key_file(const std::string& flag, const std::string& path) {
  std::string text(max_key_file_bytes, '\0');
  std::ifstream file{path, std::ios::binary};
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad())
    refuse_option(flag, fmt::format("'{}' cannot be read", path));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

void take_key_file(const std::string& flag, const std::string& path, std::string& into) {
  auto text = read_key_file(flag, path);
  drop_line_ends(text);
  take_key(flag, text, into);
}

/// A comma would be taken for the end of a key where several are given at once.
void take_api_key(const std::string& flag, const std::string& where, std::string_view key,
                  std::vector<std::string>& into) {
  if (!net::is_key(key) || key.find(',') != std::string_view::npos)
    refuse_option(flag,
                  where + "a key is 16 to 256 visible characters of ASCII other than a comma");
  if (into.size() == net::max_api_keys)
    refuse_option(flag, fmt::format("there are more than {} keys", net::max_api_keys));
  into.emplace_back(key);
}

void take_api_keys(const std::vector<std::string>& given, std::vector<std::string>& into) {
  for (const auto& key : split_list(given))
    take_api_key("--api-key", "", key, into);
}

/// One key a line; empty lines do not matter.
void take_api_key_file(const std::string& path, std::vector<std::string>& into) {
  static const std::string flag = "--api-key-file";
  const auto text = read_key_file(flag, path);
  const auto before = into.size();
  std::size_t number = 0;
  for (std::string_view rest = text; !rest.empty();) {
    auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    ++number;
    if (line.ends_with('\r'))
      line.remove_suffix(1);
    if (!line.empty())
      take_api_key(flag, fmt::format("'{}', line {}: ", path, number), line, into);
  }
  if (into.size() == before)
    refuse_option(flag, fmt::format("'{}' has no key", path));
}

} // namespace

void add_access_options(option_adder& adder, actors::server_options& into,
                        admin::console_options& console) {
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
  adder.add("--console-payloads", console.shows_payloads, either("on", "off"), "off or on", "off",
            "whether the console shows what was published, to whom has the internal key");
  auto& api_keys = into.api_keys;
  adder.list(
    "--api-key", [&api_keys](const auto& given) { take_api_keys(given, api_keys); }, "none",
    "keys of the server API on the internal port, several while one is replaced");
  adder.secret(
    "--api-key-file", [&api_keys](const std::string& path) { take_api_key_file(path, api_keys); },
    "file with such keys, one a line; read again on SIGHUP");
  adder.add("--api-log", into.logs_api, either("yes", "no"), "yes or no", "no",
            "a line of the log for each request of the server API, at level info");
}

} // namespace canang::app
