#include "app/import/redis_urls.hpp"

#include "app/import/toml_writer.hpp"
#include "cluster/redis/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

namespace canang::app {

std::string_view redis_urls::add_server(std::string_view address) {
  static constexpr std::string_view mark = "://";
  const auto scheme_end = address.find(mark);
  const bool has_scheme = scheme_end != std::string_view::npos;
  const auto scheme = has_scheme ? address.substr(0, scheme_end) : "redis";
  auto place = has_scheme ? address.substr(scheme_end + mark.size()) : address;
  const auto query = std::min(place.find_first_of("?#"), place.size());
  const bool has_query = query < place.size();
  place = place.substr(0, query);
  if (const auto at = place.rfind('@'); at != std::string_view::npos) {
    had_secrets_ = true;
    place.remove_prefix(at + 1);
  }
  if (scheme != "redis" && scheme != "rediss" && scheme != "tcp")
    return "an address is neither redis:// nor rediss://";
  const bool has_tls = uses_tls_ || scheme == "rediss";
  const auto fault = add(fmt::format("{}://{}", has_tls ? "rediss" : "redis", place),
                         place.find('/') == std::string_view::npos);
  if (!fault.empty())
    return fault;
  have_tls_ = have_tls_ || has_tls;
  return has_query ? "what follows ? in an address is not translated" : std::string_view{};
}

std::string_view redis_urls::add_sentinels(std::string_view hosts, std::string_view master) {
  if (hosts.find('@') != std::string_view::npos)
    return "an address is none that Canang takes";
  return add(fmt::format("sentinel://{}/{}", hosts, master), true);
}

std::string_view redis_urls::add(std::string url, bool lacks_database) {
  if (lacks_database && database_ != "0")
    url += '/' + database_;
  const auto parsed = cluster::parse_redis_url(url);
  const auto* const target = std::get_if<cluster::redis_target>(&parsed);
  const bool is_one = url.find_first_of(" @") == std::string::npos;
  if (target == nullptr || !is_one || !is_writable(url))
    return "an address is none that Canang takes";
  const auto identity = target->identity();
  if (std::find(identities_.begin(), identities_.end(), identity) != identities_.end())
    return "an address is there twice";
  identities_.push_back(identity);
  urls_.push_back(std::move(url));
  return {};
}

} // namespace canang::app
