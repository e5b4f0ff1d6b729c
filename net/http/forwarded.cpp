#include "net/http/forwarded.hpp"

#include "net/http/authority.hpp"
#include "net/http/fields.hpp"
#include "net/limits.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace canang::net {

namespace {

namespace ip = boost::asio::ip;
using finding = forwarded_client::finding;
using std::string_view;

/// Of RFC 7239, 6.2: the proxy does not know.
constexpr const char* nobody = "unknown";

string_view trimmed(string_view text) noexcept {
  const auto first = text.find_first_not_of(" \t");
  if (first == string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<ip::address> address_of(string_view text) {
  if (text.find('%') != string_view::npos) // a zone is of the machine that says it
    return std::nullopt;
  boost::system::error_code ec;
  const auto address = ip::make_address(text, ec);
  return ec ? std::nullopt : std::optional{address};
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`; a port that is none
/// (RFC 7239 allows made-up ones) is left out.
std::optional<ip::tcp::endpoint> endpoint_of(string_view text) {
  if (const auto whole = address_of(text))
    return ip::tcp::endpoint{*whole, 0};
  const auto parts = parse_authority(text);
  auto host = parts ? parts->host : text.substr(0, text.rfind(':'));
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  const auto address = address_of(host);
  if (!address)
    return std::nullopt;
  return ip::tcp::endpoint{*address, parts ? parts->port.value_or(0) : std::uint16_t{0}};
}

/// Takes `token` or `"quoted string"` off the front.
std::optional<std::string> take_value(string_view& rest) {
  std::string value;
  if (!rest.starts_with('"')) {
    const auto end = std::min(rest.find_first_of(",; \t\""), rest.size());
    value = rest.substr(0, end);
    rest.remove_prefix(end);
    return value;
  }
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      rest.remove_prefix(i + 1);
      return value;
    }
    if (rest[i] == '\\' && ++i == rest.size())
      break;
    value += rest[i];
  }
  return std::nullopt;
}

/// Who the last elements of `Forwarded` are for, in order; `nobody` where one does not say.
std::optional<std::vector<std::string>> read_elements(string_view rest) {
  std::vector<std::string> all(1);
  for (rest = trimmed(rest); !rest.empty(); rest = trimmed(rest)) {
    if (rest.front() == ',' || rest.front() == ';') {
      if (rest.front() == ',' && !all.back().empty())
        all.emplace_back();
      rest.remove_prefix(1);
      continue;
    }
    const auto equals = rest.find('=');
    const auto name = rest.substr(0, equals);
    if (equals == string_view::npos || !is_token(name))
      return std::nullopt;
    rest.remove_prefix(equals + 1);
    auto value = take_value(rest);
    const auto behind = trimmed(rest);
    if (!value || !(behind.empty() || behind.front() == ',' || behind.front() == ';'))
      return std::nullopt;
    if (to_lower(name) == "for" && !value->empty())
      all.back() = std::move(*value);
    else if (all.back().empty())
      all.back() = nobody;
    if (all.size() > 2 * max_forwarded_hops)
      all.erase(all.begin(), all.begin() + max_forwarded_hops);
  }
  return all;
}

/// The last items of a list, in order.
std::vector<std::string> last_items(string_view list) {
  std::vector<std::string> all;
  while (!list.empty() && all.size() < max_forwarded_hops) {
    const auto comma = list.rfind(',');
    const auto item = trimmed(comma == string_view::npos ? list : list.substr(comma + 1));
    if (!item.empty())
      all.emplace_back(item);
    list = comma == string_view::npos ? string_view{} : list.substr(0, comma);
  }
  std::reverse(all.begin(), all.end());
  return all;
}

} // namespace

forwarded_client read_forwarded(const http_request_header& request, const proxy_rules& rules) {
  const bool is_plain_list = rules.field == forwarded_field::x_forwarded_for;
  const auto name = is_plain_list ? "X-Forwarded-For" : "Forwarded";
  if (rules.field == forwarded_field::off || request.count(name) == 0)
    return {};
  std::string text;
  const auto [first, last] = request.equal_range(name);
  for (auto line = first; line != last; ++line) {
    text += text.empty() ? "" : ",";
    text += line->value();
  }
  const auto items = is_plain_list ? std::optional{last_items(text)} : read_elements(text);
  if (!items)
    return {finding::bad};
  forwarded_client result;
  std::size_t hops = 0;
  for (auto item = items->rbegin(); item != items->rend() && hops < max_forwarded_hops; ++item) {
    if (item->empty())
      continue;
    ++hops;
    const auto hop = endpoint_of(*item);
    if (!hop)
      break;
    result = {finding::found, *hop};
    if (!rules.trusted.contain(hop->address()))
      break;
  }
  return result;
}

} // namespace canang::net
