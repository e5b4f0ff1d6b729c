#include "net/http/fields.hpp"

#include "net/http/authority.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <array>
#include <iterator>

namespace canang::net {

namespace {

using boost::beast::http::field;

/// Fields of which a second line makes a request ambiguous: two readers of it could disagree.
constexpr std::array single_fields{field::host,
                                   field::origin,
                                   field::authorization,
                                   field::content_length,
                                   field::sec_websocket_key,
                                   field::sec_websocket_version};

std::string_view trimmed(std::string_view text) noexcept {
  static constexpr std::string_view blanks = " \t";
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// Calls `function` with each item of a list without quoted strings until it returns true.
template <class Function>
bool any_item(std::string_view list, Function function) {
  for (;;) {
    const auto comma = list.find(',');
    const auto item = trimmed(list.substr(0, comma));
    if (!item.empty() && function(item))
      return true;
    if (comma == std::string_view::npos)
      return false;
    list.remove_prefix(comma + 1);
  }
}

template <class Function>
bool any_item(const http_request_header& request, field name, Function function) {
  const auto [first, last] = request.equal_range(name);
  return std::any_of(first, last,
                     [&](const auto& line) { return any_item(line.value(), function); });
}

/// An entity tag without the mark of a weak one.
std::string_view opaque_tag(std::string_view etag) noexcept {
  return etag.starts_with("W/") ? etag.substr(2) : etag;
}

} // namespace

bool is_token(std::string_view text) noexcept {
  static constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
           || others.find(c) != std::string_view::npos;
  });
}

std::vector<std::string_view> list_items(const http_request_header& request, field name) {
  std::vector<std::string_view> items;
  any_item(request, name, [&](std::string_view item) {
    items.push_back(item);
    return false;
  });
  return items;
}

std::string all_lines(const http_request_header& request, field name) {
  std::string all;
  const auto [first, last] = request.equal_range(name);
  for (auto line = first; line != last; ++line) {
    all += all.empty() ? "" : ", ";
    all += line->value();
  }
  return all;
}

bool has_item(const http_request_header& request, field name, std::string_view item) {
  return any_item(request, name, [&](std::string_view found) {
    return boost::beast::iequals({found.data(), found.size()}, {item.data(), item.size()});
  });
}

std::string_view credentials_of(std::string_view authorization, std::string_view scheme) {
  const auto is_it = to_lower(authorization.substr(0, scheme.size())) == scheme;
  if (!is_it || !authorization.substr(scheme.size()).starts_with(' '))
    return {};
  authorization.remove_prefix(scheme.size());
  authorization.remove_prefix(std::min(authorization.find_first_not_of(' '), authorization.size()));
  return authorization;
}

bool is_from_page(const http_request_header& request) {
  return request.count(boost::beast::http::field::origin) != 0
         || request.count("Sec-Fetch-Site") != 0;
}

std::string_view repeated_field(const http_request_header& request) {
  for (const auto name : single_fields)
    if (request.count(name) > 1)
      return to_string(name);
  return {};
}

bool names_etag(std::string_view if_none_match, std::string_view etag) noexcept {
  // ours have no comma, and an item that was cut at one of another's is not ours
  return any_item(if_none_match, [&](std::string_view item) {
    return item == "*" || opaque_tag(item) == opaque_tag(etag);
  });
}

} // namespace canang::net
