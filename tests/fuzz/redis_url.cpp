// The operator's `--redis`.

#include "cluster/redis/url.hpp"
#include "tests/fuzz/fuzz_input.hpp"

namespace {

using namespace canang::cluster;
using canang::fuzz::require;

void look_at(std::string_view url) {
  const auto parsed = parse_redis_url(url);
  if (const auto* const error = std::get_if<std::string>(&parsed)) {
    require(!error->empty(), "a refusal says why");
    return;
  }
  const auto& target = std::get<redis_target>(parsed);
  require(!target.hosts.empty(), "there is a host");
  for (const auto& host : target.hosts)
    require(!host.host.empty() && host.port != 0, "a host has a name and a port");
  require(url.starts_with("sentinel") != target.master_name.empty(), "Sentinels know a name");
  require(!(url.starts_with("rediss://") && !target.uses_tls), "TLS where it was asked for");

  // Its identity leads to the same place, without the user.
  if (!target.master_name.empty())
    return;
  const auto again =
    parse_redis_url((target.uses_tls ? "rediss://" : "redis://") + target.identity());
  const auto* const same = std::get_if<redis_target>(&again);
  require(same != nullptr, "an identity can be read");
  require(same->identity() == target.identity(), "and says the same");
  require(same->user.empty() && same->password.empty(), "it names no user");
}

/// What stands in front of the '@' is never shown.
void look_for_password(std::string_view text) {
  static constexpr std::string_view secret = "q7q8q9";
  if (text.find('q') != std::string_view::npos || text.find('@') != std::string_view::npos)
    return;
  for (const auto* const scheme : {"redis://", "sentinel://", "http://", ""}) {
    const auto url = std::string{scheme}.append("ann:").append(secret).append("@").append(text);
    const auto parsed = parse_redis_url(url);
    if (const auto* const error = std::get_if<std::string>(&parsed))
      require(error->find(secret) == std::string::npos, "a refusal shows no password");
    else
      require(std::get<redis_target>(parsed).identity().find(secret) == std::string::npos,
              "an identity shows no password");
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  canang::fuzz::input in{data, size};
  const auto text = canang::fuzz::text_of(in.all(1024));
  std::string joined;
  for (const auto& url : split_redis_urls(text)) {
    look_at(url);
    joined += url;
  }
  require(joined.size() <= text.size(), "a split adds nothing");
  look_at(std::string{"redis://"}.append(text));
  look_at(std::string{"sentinel://"}.append(text));
  look_for_password(text);
  return 0;
}
