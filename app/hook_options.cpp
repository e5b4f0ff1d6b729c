#include "app/hook_options.hpp"

#include "app/bounded_file.hpp"
#include "app/endpoint_option.hpp"
#include "app/option_adder.hpp"
#include "net/auth/secret.hpp"
#include "net/http/authority.hpp"
#include "net/http/fields.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::app {

namespace {

using net::hook_kind;

void take_secret(const std::string& flag, const std::string& text, std::string& into) {
  if (!net::is_key(text))
    refuse_option(flag, "a secret is 16 to 256 visible characters of ASCII");
  into = text;
}

void take_secret_file(const std::string& path, std::string& into) {
  static const std::string flag = "--hook-secret-file";
  constexpr std::size_t longest = 1024;
  auto text = read_bounded_file(path, longest);
  if (!text)
    refuse_option(flag,
                  fmt::format("'{}' cannot be read, or is longer than {} bytes", path, longest));
  drop_line_ends(*text);
  take_secret(flag, *text, into);
}

/// Those by which a program knows a request to be ours are, too.
bool is_ours(std::string_view name) {
  return name.starts_with("x-canang-") || says_how_it_is_sent(name);
}

void take_headers(const std::vector<std::string>& given, std::vector<std::string>& into) {
  static const std::string flag = "--hook-headers";
  constexpr std::size_t most = 32;
  into.clear();
  for (const auto& item : split_list(given)) {
    auto name = net::to_lower(item);
    if (!net::is_token(name))
      refuse_option(flag, fmt::format("'{}' is not the name of a header field", item));
    if (is_ours(name))
      refuse_option(
        flag, fmt::format("'{}' is not passed on: requests to the program have their own", item));
    if (std::find(into.begin(), into.end(), name) == into.end())
      into.push_back(std::move(name));
  }
  if (into.size() > most)
    refuse_option(flag, fmt::format("there are more than {}", most));
}

std::optional<bool> parse_policy(const std::string& text) {
  if (text != "closed" && text != "open")
    return std::nullopt;
  return text == "open";
}

} // namespace

void add_hook_options(option_adder& adder, net::hook_settings& into) {
  adder.group("Hooks");
  const auto add_url = [&](const std::string& flag, hook_kind what, const std::string& help) {
    auto& to = into.endpoints[static_cast<std::size_t>(what)];
    adder.secret( // the query may have one
      flag, [flag, &to](const std::string& text) { take_endpoint(flag, text, to); }, help);
  };
  add_url("--hook-connect", hook_kind::connect,
          "URL that is asked who a client without a token is");
  add_url("--hook-refresh", hook_kind::refresh, "URL that is asked whether a client may stay");
  add_url("--hook-subscribe", hook_kind::subscribe,
          "URL that is asked whether a client may be in a room");
  add_url("--hook-publish", hook_kind::publish, "URL that is asked whether a client may publish");
  add_url("--hook-sub-refresh", hook_kind::sub_refresh,
          "URL that is asked whether a client may stay in a room");
  add_url("--hook-rpc", hook_kind::rpc, "URL that answers what clients ask (rpc)");
  add_url("--hook-disconnect", hook_kind::disconnect, "URL that is told of clients that have gone");
  add_url("--hook-rooms", hook_kind::rooms,
          "URL that is told which rooms have members on this node");
  adder.duration("--hook-timeout", into.timeout, std::chrono::milliseconds{10}, "1s",
                 "time for an answer, from the question on");
  adder.secret(
    "--hook-secret",
    [&into](const std::string& text) { take_secret("--hook-secret", text, into.secret); },
    "secret that signs requests (HMAC-SHA256)");
  adder.secret(
    "--hook-secret-file", [&into](const std::string& path) { take_secret_file(path, into.secret); },
    "file with that secret", "--hook-secret");
  adder.number("--hook-in-flight", into.in_flight, 1, 4096, "128",
               "requests of each hook at the same time; further ones wait");
  adder.add("--hook-fail", into.fails_open, parse_policy, "closed or open", "closed",
            "whether clients may subscribe and publish (open) where there is no answer");
  adder.list(
    "--hook-headers", [&into](const auto& given) { take_headers(given, into.headers); }, "none",
    "header fields of clients' requests that are passed on, such as Cookie");
  adder.secret(
    "--hook-ca",
    [&into](const std::string& path) { take_authorities("--hook-ca", path, into.ca_file); },
    "PEM file of the authorities of https URLs; by default the system's");
}

std::string hook_warning(const net::hook_settings& of) {
  for (const auto& to : of.endpoints)
    if (to && !to->is_safe)
      return fmt::format("{} is not asked with TLS: whoever is on the way can answer for it",
                         to->shown);
  return {};
}

} // namespace canang::app
