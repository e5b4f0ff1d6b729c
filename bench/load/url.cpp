#include "bench/load/url.hpp"

#include <algorithm>
#include <stdexcept>

namespace canang::load {

namespace {
[[noreturn]] void refuse(std::string_view text, const char* why) {
  throw std::invalid_argument("'" + std::string{text} + "': " + why);
}
} // namespace

std::string url::authority() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + port;
}

url parse_url(std::string_view text) {
  constexpr std::string_view scheme = "ws://";
  if (text.starts_with("wss://"))
    refuse(text, "TLS (wss) is not supported");
  if (!text.starts_with(scheme))
    refuse(text, "a URL starts with ws://");
  auto rest = text.substr(scheme.size());
  rest = rest.substr(0, rest.find('#'));
  url u;
  if (const auto at = rest.find('?'); at != std::string_view::npos) {
    u.query = rest.substr(at + 1);
    rest = rest.substr(0, at);
  }
  const auto slash = rest.find('/');
  u.path = slash == std::string_view::npos ? "/" : std::string{rest.substr(slash)};
  auto place = rest.substr(0, slash);
  if (place.starts_with('[')) {
    const auto close = place.find(']');
    if (close == std::string_view::npos)
      refuse(text, "']' is missing");
    u.host = place.substr(1, close - 1);
    place.remove_prefix(close + 1);
  } else {
    u.host = place.substr(0, place.find(':'));
    place.remove_prefix(u.host.size());
  }
  u.port = place.empty() ? "80" : std::string{place.substr(1)};
  if (u.host.empty())
    refuse(text, "the host is missing");
  const bool digits =
    !u.port.empty() && u.port.size() <= 5 && (place.empty() || place[0] == ':')
    && std::all_of(u.port.begin(), u.port.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || std::stoul(u.port) == 0 || std::stoul(u.port) > 65535)
    refuse(text, "the port must be 1 to 65535");
  return u;
}

} // namespace canang::load
