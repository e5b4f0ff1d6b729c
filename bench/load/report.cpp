#include "bench/load/report.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <stdexcept>

namespace canang::load {

namespace {

using counts = std::map<std::string, std::uint64_t>;

double us(std::uint64_t ns) { return static_cast<double>(ns) / 1e3; }

double per_second(std::uint64_t n, double seconds) {
  return seconds > 0 ? static_cast<double>(n) / seconds : 0.0;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out.append(1, '\\').append(1, c);
    else if (byte < 0x20)
      out += fmt::format("\\u{:04x}", byte);
    else
      out += c;
  }
  return out + "\"";
}

std::string json_counts(const counts& all) {
  std::string out;
  for (const auto& [key, n] : all)
    out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", quoted(key), n);
  return "{" + out + "}";
}

std::string json_latency(const histogram& h) {
  return fmt::format(
    "{{\"count\": {}, \"mean\": {:.1f}, \"p50\": {:.1f}, \"p90\": {:.1f}, \"p99\": {:.1f}, "
    "\"p999\": {:.1f}, \"max\": {:.1f}}}",
    h.count(), h.mean_ns() / 1e3, us(h.percentile_ns(50)), us(h.percentile_ns(90)),
    us(h.percentile_ns(99)), us(h.percentile_ns(99.9)), us(h.max_ns()));
}

/// A duration with the unit that suits it.
std::string human(std::uint64_t ns) {
  if (ns < 1'000'000)
    return fmt::format("{:.1f} us", us(ns));
  if (ns < 1'000'000'000)
    return fmt::format("{:.2f} ms", us(ns) / 1e3);
  return fmt::format("{:.2f} s", us(ns) / 1e6);
}

std::string human_latency(const histogram& h) {
  return fmt::format("p50 {}  p90 {}  p99 {}  p99.9 {}  max {}", human(h.percentile_ns(50)),
                     human(h.percentile_ns(90)), human(h.percentile_ns(99)),
                     human(h.percentile_ns(99.9)), human(h.max_ns()));
}

std::string list(const counts& all) {
  std::string out;
  for (const auto& [key, n] : all)
    out += fmt::format("  {}: {}", key, n);
  return out.empty() ? "  none" : out;
}

std::string mode_of(const options& o) {
  if (o.idle)
    return "idle";
  if (o.once)
    return "once";
  return o.rate_per_s > 0 ? "rate" : "in_flight";
}

std::string json_options(const options& o) {
  std::string urls;
  for (const auto& u : o.urls)
    urls += (urls.empty() ? "" : ", ") + quoted(u);
  return fmt::format(
    "{{\"urls\": [{}], \"publish_url\": {}, \"dialect\": {}, \"mode\": {}, \"connections\": {}, "
    "\"rooms\": {}, "
    "\"publishers\": {}, \"size_bytes\": {}, \"rate_per_s\": {}, \"in_flight\": {}, "
    "\"duration_s\": {}, \"warmup_s\": {}, \"threads\": {}, \"stalled_percent\": {}, "
    "\"binary\": {}, \"checks\": {}}}",
    urls, quoted(o.publish_url), quoted(o.dialect), quoted(mode_of(o)), o.connections, o.rooms,
    o.publishers, o.size_bytes, o.rate_per_s,
    o.rate_per_s > 0 || o.idle || o.once ? 0 : o.in_flight,
    static_cast<double>(o.duration.count()) / 1e3, static_cast<double>(o.warmup.count()) / 1e3,
    o.threads, o.stalled_percent, o.binary, quoted(o.full_checks ? "full" : "count"));
}

} // namespace

std::string summary(const options& o, const results& r) {
  std::string out = fmt::format(
    "connections   {} of {} in {:.2f} s ({:.0f}/s)  {}\n", r.connected, r.wanted_connections,
    r.connect_s, per_second(r.connected, r.connect_s), human_latency(r.connect_latency));
  if (!r.connect_errors.empty())
    out += fmt::format("could not connect:{}\n", list(r.connect_errors));
  if (r.connected == r.wanted_connections && !o.idle) {
    out += fmt::format("rooms         {} with {} publisher(s) each, {} B a message, {} stalled\n",
                       o.rooms, o.publishers, o.size_bytes, r.stalled_connections);
    out += fmt::format("publishes     {:.0f}/s  ({} in {:.2f} s)\n",
                       per_second(r.publishes, r.measured_s), r.publishes, r.measured_s);
    out += fmt::format("deliveries    {:.0f}/s  ({}; {:.1f} MB/s; load's CPU {:.0f} %)\n",
                       per_second(r.deliveries, r.measured_s), r.deliveries,
                       per_second(r.bytes, r.measured_s) / 1e6,
                       r.measured_s > 0 ? 100 * r.cpu_s / r.measured_s : 0);
    out += fmt::format("latency       {}\n", human_latency(r.latency));
    out += fmt::format("whole run     {} sent, {} deliveries expected, {} received\n", r.sent,
                       r.expected, r.received);
    out += fmt::format(
      "lost {}  doubled {}  reordered {}  members in another order {}  misrouted {}  corrupt {}  "
      "wrong type {}\n",
      r.lost, r.odd.doubled, r.odd.reordered, r.members_in_other_order, r.odd.misrouted,
      r.odd.corrupt, r.retyped);
  }
  if (r.odd.foreign > 0)
    out += fmt::format("foreign       {} messages of others\n", r.odd.foreign);
  if (r.given_up > 0)
    out += fmt::format("given up      {} messages in flight that never came back\n", r.given_up);
  if (r.missed_after_close > 0)
    out += fmt::format("missed by closed connections {}\n", r.missed_after_close);
  out += fmt::format("closed by the server:{}", list(r.closes));
  if (r.stalled_connections > 0)
    out += fmt::format("  (stalled:{})", list(r.stalled_closes));
  return out + "\n";
}

std::string json(const options& o, const results& r) {
  return fmt::format(
    "{{\n  \"tool\": \"canang-load\",\n  \"format\": 1,\n  \"options\": {},\n"
    "  \"connect\": {{\"wanted\": {}, \"connected\": {}, \"seconds\": {:.4f}, "
    "\"per_second\": {:.1f}, \"errors\": {}, \"latency_us\": {}}},\n"
    "  \"run\": {{\"seconds\": {:.4f}, \"publishes\": {}, \"publishes_per_s\": {:.1f}, "
    "\"deliveries\": {}, \"deliveries_per_s\": {:.1f}, \"received_bytes\": {}, "
    "\"load_cpu_s\": {:.3f}, \"latency_us\": {}}},\n"
    "  \"checks\": {{\"sent\": {}, \"expected\": {}, \"received\": {}, \"lost\": {}, "
    "\"doubled\": {}, \"reordered\": {}, \"members_in_other_order\": {}, \"misrouted\": {}, "
    "\"corrupt\": {}, \"wrong_type\": {}, \"foreign\": {}, \"given_up\": {}, "
    "\"missed_after_close\": {}}},\n"
    "  \"closes\": {},\n  \"stalled\": {{\"connections\": {}, \"closes\": {}}},\n"
    "  \"exit_code\": {}\n}}\n",
    json_options(o), r.wanted_connections, r.connected, r.connect_s,
    per_second(r.connected, r.connect_s), json_counts(r.connect_errors),
    json_latency(r.connect_latency), r.measured_s, r.publishes,
    per_second(r.publishes, r.measured_s), r.deliveries, per_second(r.deliveries, r.measured_s),
    r.bytes, r.cpu_s, json_latency(r.latency), r.sent, r.expected, r.received, r.lost,
    r.odd.doubled, r.odd.reordered, r.members_in_other_order, r.odd.misrouted, r.odd.corrupt,
    r.retyped, r.odd.foreign, r.given_up, r.missed_after_close, json_counts(r.closes),
    r.stalled_connections, json_counts(r.stalled_closes), r.exit_code());
}

void write_file(const std::string& name, std::string_view text) {
  std::FILE* file = name == "-" ? stdout : std::fopen(name.c_str(), "w");
  if (file == nullptr)
    throw std::runtime_error("can't write '" + name + "'");
  const bool whole = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const bool closed = name == "-" ? std::fflush(file) == 0 : std::fclose(file) == 0;
  if (!whole || !closed)
    throw std::runtime_error("can't write '" + name + "'");
}

} // namespace canang::load
