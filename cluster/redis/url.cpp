#include "cluster/redis/url.hpp"

#include "base/hex_digit.hpp"
#include "base/parse_number.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace canang::cluster {
namespace {

constexpr std::uint16_t redis_port = 6379;
constexpr std::uint16_t sentinel_port = 26379;
constexpr std::string_view default_master = "mymaster";

/// What is wrong; found by whoever reads the URL.
struct url_error {
  std::string text;
};

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::optional<std::string> decode_percent(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low < 0)
      return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

/// `host`, `host:port`, `[::1]`, `[::1]:port`. A port is never repeated in an error: who forgets the
/// host writes the password there.
host_port read_host(std::string_view text, std::uint16_t default_port) {
  std::string_view host;
  std::string_view rest;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos)
      throw url_error{"an IPv6 address has no ']'"};
    host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
    const auto is_part = [](char c) { return hex_digit(c) >= 0 || c == ':' || c == '.'; };
    if (host.find(':') == std::string_view::npos || !std::all_of(host.begin(), host.end(), is_part))
      throw url_error{"what stands in [] is no IPv6 address"};
  } else {
    const auto colon = std::min(text.find(':'), text.size());
    host = text.substr(0, colon);
    rest = text.substr(colon);
    const auto is_part = [](char c) {
      return is_letter_or_digit(c) || c == '-' || c == '.' || c == '_';
    };
    if (host.empty())
      throw url_error{"a host is missing"};
    if (!std::all_of(host.begin(), host.end(), is_part))
      throw url_error{"a host has a character that no host name has"};
  }
  host_port result{std::string{host}, default_port};
  if (rest.empty())
    return result;
  const auto port =
    rest.starts_with(':') ? parse_number<std::uint16_t>(rest.substr(1)) : std::nullopt;
  if (!port || *port == 0)
    throw url_error{fmt::format("host '{}': the port must be a number from 1 to 65535", host)};
  result.port = *port;
  return result;
}

void read_user(redis_target& target, std::string_view text) {
  // Unencoded, '/' or ',' here would be taken for what follows the host by every other reader of URLs.
  const auto is_bad = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= ' ' || byte == 0x7F
           || std::string_view{"/?#@[]"}.find(c) != std::string_view::npos;
  };
  const auto colon = std::min(text.find(':'), text.size());
  const auto user = decode_percent(text.substr(0, colon));
  const auto password = decode_percent(text.substr(std::min(colon + 1, text.size())));
  if (std::any_of(text.begin(), text.end(), is_bad) || !user || !password)
    throw url_error{"user and password must be percent-encoded"};
  target.user = *user;
  target.password = *password;
}

void read_database(redis_target& target, std::string_view text) {
  if (text.empty())
    return;
  const auto number = parse_number<std::uint32_t>(text);
  if (!number)
    throw url_error{"the database must be a number"};
  target.database = *number;
}

void read_master(redis_target& target, std::string_view path) {
  const auto slash = std::min(path.find('/'), path.size());
  const auto name = path.substr(0, slash);
  const auto is_part = [](char c) {
    return is_letter_or_digit(c) || std::string_view{".-_:"}.find(c) != std::string_view::npos;
  };
  if (!std::all_of(name.begin(), name.end(), is_part))
    throw url_error{"a master's name has letters, digits and .-_: only"};
  target.master_name = name.empty() ? default_master : name;
  read_database(target, path.substr(std::min(slash + 1, path.size())));
}

redis_target read_target(std::string_view scheme, std::string_view user, bool has_user,
                         std::string_view place) {
  redis_target target;
  const bool is_sentinel = scheme == "sentinel";
  if (!is_sentinel && scheme != "redis" && scheme != "rediss")
    throw url_error{"it must begin with redis://, rediss:// or sentinel://"};
  target.uses_tls = scheme == "rediss";
  if (has_user)
    read_user(target, user);
  if (place.find_first_of("?#") != std::string_view::npos)
    throw url_error{"nothing may follow the database"};

  const auto slash = std::min(place.find('/'), place.size());
  auto hosts = place.substr(0, slash);
  const auto path = place.substr(std::min(slash + 1, place.size()));
  if (!is_sentinel) {
    target.hosts.push_back(read_host(hosts, redis_port));
    read_database(target, path);
    return target;
  }
  for (bool is_last = false; !is_last;) {
    const auto comma = hosts.find(',');
    is_last = comma == std::string_view::npos;
    target.hosts.push_back(read_host(hosts.substr(0, comma), sentinel_port));
    hosts.remove_prefix(is_last ? hosts.size() : comma + 1);
  }
  read_master(target, path);
  return target;
}

/// Whether `text` begins with `letters://`.
bool begins_with_scheme(std::string_view text) {
  const auto end = text.find("://");
  return end != std::string_view::npos && end > 0
         && std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end),
                        is_letter_or_digit);
}

std::string_view trim(std::string_view text) {
  while (text.starts_with(' '))
    text.remove_prefix(1);
  while (text.ends_with(' '))
    text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string result{text};
  for (auto& c : result)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

} // namespace

std::string redis_target::identity() const {
  if (!master_name.empty())
    return fmt::format("{}/{}", master_name, database);
  if (hosts.empty())
    return {};
  const auto host = lower(hosts.front().host);
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return is_ipv6 ? fmt::format("[{}]:{}/{}", host, hosts.front().port, database)
                 : fmt::format("{}:{}/{}", host, hosts.front().port, database);
}

std::variant<redis_target, std::string> parse_redis_url(std::string_view url) {
  // Whatever is wrong with it: up to the last '@' there may be a password, after it there is none.
  const auto scheme_end = url.find("://");
  const auto begin = scheme_end == std::string_view::npos ? 0 : scheme_end + 3;
  const auto at = url.rfind('@');
  const bool has_user = at != std::string_view::npos && at >= begin;
  const auto place = url.substr(has_user ? at + 1 : begin);
  const auto user = has_user ? url.substr(begin, at - begin) : std::string_view{};
  try {
    return read_target(begin == 0 ? std::string_view{} : url.substr(0, scheme_end), user, has_user,
                       place);
  } catch (const url_error& error) {
    // Without '@' and with ':' the place itself may be `user:password` whose host was forgotten.
    auto shown = place.substr(0, place.find_first_of("/?#"));
    if (!has_user)
      shown = shown.substr(0, shown.starts_with('[') ? shown.find(']') : shown.find(':'));
    return fmt::format("'{}' is no Redis URL: {}", shown, error.text);
  }
}

std::vector<std::string> split_redis_urls(std::string_view list) {
  std::vector<std::string> urls;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= list.size(); ++i) {
    const bool is_end = i == list.size();
    if (!is_end && (list[i] != ',' || !begins_with_scheme(trim(list.substr(i + 1)))))
      continue;
    urls.emplace_back(trim(list.substr(begin, i - begin)));
    begin = i + 1;
  }
  return urls;
}

} // namespace canang::cluster
