#include "bench/load/dialect.hpp"
#include "bench/load/option_parsing.hpp"
#include "bench/load/options.hpp"
#include "bench/load/payload.hpp"
#include "bench/load/url.hpp"

namespace canang::load {

namespace {

/// Completes connections, rooms and members from each other.
void complete_shape(options& o) {
  if (o.connections == 0) {
    if (o.rooms == 0)
      o.rooms = 1;
    if (o.members == 0)
      o.members = 2;
    require(std::uint64_t{o.rooms} * o.members <= 10'000'000, "--rooms", "too many members in all");
    o.connections = o.rooms * o.members;
  } else if (o.members == 0) {
    if (o.rooms == 0)
      o.rooms = 1;
  } else if (o.rooms == 0) {
    o.rooms = (o.connections + o.members - 1) / o.members;
  } else {
    require(o.connections == o.rooms * o.members, "--connections",
            "must be rooms x members when all three are given");
  }
  require(o.connections >= o.rooms, "--rooms", "there are more rooms than connections");
}

void require_url(const char* option, const std::string& text) {
  try {
    parse_url(text);
  } catch (const std::exception& e) {
    throw CLI::ValidationError(option, e.what());
  }
}

/// --publish-url, once the shape is complete.
void validate_apart(const options& o) {
  require_url("--publish-url", o.publish_url);
  require(o.connections / o.rooms > o.publishers, "--publish-url",
          "needs a member in each room that does not publish");
  require(o.stalled_percent == 0, "--publish-url", "excludes --stalled");
  require(o.in_flight == 0 || o.threads == 1, "--publish-url",
          "with --in-flight needs --threads 1");
}

} // namespace

void validate(options& o) {
  require(!o.urls.empty(), "--url", "is required");
  for (const auto& u : o.urls)
    require_url("--url", u);
  const auto language = make_dialect(o.dialect);
  require(language != nullptr, "--dialect",
          "'" + o.dialect + "' is not one of: " + std::string{dialect_names()});
  require(!o.binary || language->is_transparent(), "--binary",
          "is for --dialect plain: others have a type of their own");
  require(!o.no_room || (o.idle && language->may_join_none()), "--no-room",
          "needs --idle and a dialect with a command to join");
  require(o.size_bytes >= payload::header_size && o.size_bytes <= payload::filler_limit, "--size",
          "must be 24 to 16777216 bytes");
  require(o.rate_per_s >= 0, "--rate", "must not be negative");
  require(o.ramp_up_per_s >= 0, "--ramp-up", "must not be negative");
  require(!(o.once && o.idle), "--once", "excludes --idle");
  require(!((o.once || o.idle) && (o.rate_per_s > 0 || o.in_flight > 0)), "--rate",
          "and --in-flight exclude --once and --idle");
  require(o.rate_per_s == 0 || o.in_flight == 0, "--rate", "excludes --in-flight");
  require(o.in_flight <= 1'000'000, "--in-flight", "must be at most 1000000");
  complete_shape(o);
  require(o.rooms < payload::room_limit, "--rooms", "too many");
  require(o.publishers >= 1 && o.publishers <= o.connections / o.rooms, "--publishers",
          "must be at least 1 and at most the members of a room");
  constexpr std::uint64_t most_sequences = 1U << 28; // 1 GiB of next-sequence tables
  require(std::uint64_t{o.connections} * o.publishers <= most_sequences, "--publishers",
          "publishers x connections must be at most 268435456");
  if (o.rate_per_s == 0 && o.in_flight == 0)
    o.in_flight = 1;
  if (!o.publish_url.empty())
    validate_apart(o);
}

} // namespace canang::load
