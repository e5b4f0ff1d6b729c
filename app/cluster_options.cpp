#include "app/cluster_options.hpp"

#include "app/bad_option.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace canang::app {

namespace {

/// A shard's URL is no slip of the pen that CLI11 could show: it may hold a password.
void take_redis_urls(const std::vector<std::string>& given, actors::cluster_options& into) {
  into.shards.clear();
  for (const auto& text : given) {
    for (const auto& url : cluster::split_redis_urls(text)) {
      auto parsed = cluster::parse_redis_url(url);
      if (const auto* const fault = std::get_if<std::string>(&parsed))
        throw bad_option{fmt::format("--redis: {}", *fault), 1};
      into.shards.push_back(std::move(std::get<cluster::redis_target>(parsed)));
    }
  }
  for (std::size_t i = 0; i < into.shards.size(); ++i)
    for (std::size_t k = 0; k < i; ++k)
      if (into.shards[i].identity() == into.shards[k].identity())
        throw bad_option{fmt::format("--redis: {} is named twice", into.shards[i].identity()), 1};
}

} // namespace

void add_cluster_options(option_adder& adder, actors::cluster_options& into) {
  using std::chrono::milliseconds;
  constexpr std::uint64_t one_gib = 1ULL << 30U;
  adder.group("Cluster");
  adder.list(
    "--redis", [&into](const auto& given) { take_redis_urls(given, into); }, "none",
    "links the nodes: redis://, rediss:// or sentinel://h1,h2/name; each one is a shard");
  adder.text("--redis-prefix", into.links.prefix, "canang", "of every key and channel");
  adder.text("--redis-ca", into.links.ca_file, "system",
             "PEM file with the authorities of rediss://");
  adder.text("--redis-cert", into.links.cert_file, "none", "PEM file, certificate of this client");
  adder.text("--redis-key", into.links.key_file, "none", "PEM file, its key");
  adder.duration("--redis-connect-timeout", into.links.connect_timeout, milliseconds{50}, "2s",
                 "time to connect to Redis");
  adder.duration("--redis-command-timeout", into.links.command_timeout, milliseconds{50}, "2s",
                 "time for Redis to answer, before the link is rebuilt");
  adder.duration("--redis-publish-timeout", into.rooms.publish_timeout, milliseconds{50}, "2s",
                 "how long a publish waits while Redis is away, before it fails");
  adder.size("--redis-publish-buffer", into.rooms.publish_buffer_bytes, 1024, 64 * one_gib, "64MiB",
             "bytes of publishes that may wait meanwhile");
  adder.duration("--redis-probe-interval", into.links.probe_interval, milliseconds{50}, "2s",
                 "how often delivery through Redis is proved");
  adder.duration("--redis-probe-timeout", into.links.probe_timeout, milliseconds{50}, "5s",
                 "time for the proof, before the links are rebuilt");
  adder.text("--advertise", into.advertise, "internal-listen",
             "how this node is shown to others, such as its pod's name");
  adder.duration("--rebalance-after", into.rebalance_after, milliseconds{0}, "30s",
                 "with over 1.2 x the nodes' mean connections for so long, shed some; 0: never");
  // for the test that shows what the lineage is for
  adder.hidden_flag("--no-lineage", [&into] { into.rooms.uses_lineage = false; });
}

} // namespace canang::app
