#include "bench/load/option_parsing.hpp"
#include "bench/load/options.hpp"
#include "bench/load/url.hpp"

namespace canang::load {

void add_resume_options(CLI::App& app, resume_options& o) {
  app.add_option("--url", o.url, "ws://HOST:PORT/PATH; /ROOM is added")->type_name("URL");
  app.add_option("--rooms", o.rooms, "rooms (1)");
  app.add_option("--members", o.members, "members a room (2)");
  app.add_option("--room-prefix", o.room_prefix, "rooms are called PREFIX0, PREFIX1, ... (load-)");
  app.add_option("--rate", o.rate_per_s, "publications/s in all (10)");
  add_parsed(app, "--size", o.size_bytes, parse_size, "bytes a publication, 24 or more (64)");
  app.add_option("--ramp-up", o.ramp_up_per_s, "first connections/s (1000)");
  app.add_option("--source", o.sources, "local addresses, used in turn: 127.0.0.2,127.0.0.3")
    ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
    ->delimiter(',')
    ->type_name("ADDR");
  app.add_option("--journal", o.journal, "where to write what the members went through")
    ->type_name("FILE");
  app.add_option("--node-header", o.node_header,
                 "header of the handshake's answer that names the node, for the journal (X-Node)");
  app.add_option("--seed", o.seed, "of the waits before coming back (1)");
  add_parsed(app, "--connect-timeout", o.connect_timeout, parse_duration,
             "TCP, handshake and join of one connection (5s)");
  add_parsed(
    app, "--silence-limit", o.silence_limit, parse_duration,
    "a connection that brought nothing for so long, pings included, is given up; above the "
    "server's --ping-interval (0: never)");
  add_parsed(app, "--quiet-for", o.quiet, parse_duration,
             "at the end: all has come when nothing has for so long (2s)");
  add_parsed(app, "--settle-limit", o.settle_limit, parse_duration,
             "at the end: the longest wait for those that are away (60s)");
}

void validate(const resume_options& o) {
  require(!o.url.empty(), "--url", "is required");
  require(!o.journal.empty(), "--journal", "is required");
  require(o.rooms >= 1 && o.members >= 1, "--rooms", "and --members must be at least 1");
  require(std::uint64_t{o.rooms} * o.members <= 1'000'000, "--rooms", "too many members in all");
  require(o.rate_per_s > 0 && o.ramp_up_per_s > 0, "--rate", "and --ramp-up must be positive");
  require(o.size_bytes >= 24 && o.size_bytes <= 65536, "--size", "must be 24 to 65536 bytes");
  try {
    parse_url(o.url);
  } catch (const std::exception& e) {
    throw CLI::ValidationError("--url", e.what());
  }
}

} // namespace canang::load
