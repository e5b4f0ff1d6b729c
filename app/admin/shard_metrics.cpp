#include "app/admin/shard_metrics.hpp"

#include "app/admin/metric_family.hpp"
#include "net/json.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace canang::admin {

namespace {

using actors::shard_list;
using actors::shard_status;

using counter_of = cluster::shard_counter cluster::broker_metrics::*;
using counter_of_link = cluster::shard_counter cluster::broker_metrics::of_link::*;

std::string shard_label(const shard_status& shard) {
  return "shard="
         + net::json_string(
           shard.identity); // a label is escaped as JSON is, for what a host can be
}

void add_by_shard(std::string& out, shard_list shards, std::string_view name, std::string_view kind,
                  std::string_view help, counter_of counter) {
  metric_family all{out, name, kind, help};
  for (const auto& shard : shards)
    all.add(shard_label(*shard), static_cast<double>((shard->metrics.*counter).value()));
}

void add_by_link(std::string& out, shard_list shards, std::string_view name, std::string_view help,
                 counter_of_link counter) {
  metric_family all{out, name, "counter", help};
  for (const auto& shard : shards) {
    const auto label = shard_label(*shard);
    const auto& metrics = shard->metrics;
    all.add(label + ",link=\"commands\"",
            static_cast<double>((metrics.commands_link.*counter).value()));
    all.add(label + ",link=\"subscription\"",
            static_cast<double>((metrics.subscription_link.*counter).value()));
  }
}

void add_refusals(std::string& out, shard_list shards) {
  metric_family all{out, "canang_redis_refused_total", "counter",
                    "Housekeeping that Redis refused, by script and reason."};
  for (const auto& shard : shards)
    for (std::size_t script = 0; script < cluster::housekeeping_names.size(); ++script)
      for (std::size_t reason = 0; reason < cluster::refusal_names.size(); ++reason)
        all.add(fmt::format("{},script=\"{}\",reason=\"{}\"", shard_label(*shard),
                            cluster::housekeeping_names[script], cluster::refusal_names[reason]),
                static_cast<double>(shard->metrics.refused[script][reason].value()));
}

void add_by_reason(std::string& out, shard_list shards, std::string_view name,
                   std::string_view help,
                   std::span<const std::pair<std::string_view, counter_of>> reasons) {
  metric_family all{out, name, "counter", help};
  for (const auto& shard : shards)
    for (const auto& [reason, counter] : reasons)
      all.add(fmt::format("{},reason=\"{}\"", shard_label(*shard), reason),
              static_cast<double>((shard->metrics.*counter).value()));
}

double sum(shard_list shards, counter_of counter) {
  std::uint64_t total = 0;
  for (const auto& shard : shards)
    total += (shard->metrics.*counter).value();
  return static_cast<double>(total);
}

std::size_t node_count(shard_list shards) {
  return shards.empty() ? 1 : actors::living_nodes(shards).size();
}

} // namespace

std::string shard_metrics(shard_list shards, std::chrono::nanoseconds now) {
  using m = cluster::broker_metrics;
  using link = cluster::broker_metrics::of_link;
  std::string out;
  metric_family{out, "canang_nodes", "gauge", "Nodes with a lease on any Redis, this one included."}
    .add({}, static_cast<double>(node_count(shards)));
  metric_family up{out, "canang_redis_up", "gauge",
                   "1 when a probe came back within the last 10 s."};
  std::string ages;
  metric_family age{ages, "canang_redis_last_probe_seconds", "gauge",
                    "Time since delivery through this Redis was last proved."};
  for (const auto& shard : shards) {
    const std::chrono::nanoseconds last{shard->metrics.last_probe_ns.load()};
    const bool is_proven = last.count() != 0 && now - last <= actors::unproven_after;
    up.add(shard_label(*shard), is_proven ? 1 : 0);
    if (last.count() != 0)
      age.add(shard_label(*shard), std::chrono::duration<double>(now - last).count());
  }
  out += ages;
  add_by_shard(out, shards, "canang_redis_publishing", "gauge",
               "1 when the last probe was stored and published as rooms publish.", &m::publishing);
  add_by_link(out, shards, "canang_redis_reconnects_total", "Connections after the first.",
              &link::reconnects);
  add_by_link(out, shards, "canang_redis_received_bytes_total", "Bytes from Redis.",
              &link::received_bytes);
  add_by_link(out, shards, "canang_redis_sent_bytes_total", "Bytes to Redis.", &link::sent_bytes);
  add_by_shard(out, shards, "canang_redis_commands_total", "counter", "Commands sent.",
               &m::commands);
  add_by_shard(out, shards, "canang_redis_publishes_total", "counter",
               "Calls that publish, of one or more publications each.", &m::publishes);
  add_by_shard(out, shards, "canang_redis_buffered_bytes", "gauge",
               "Publishes that wait for Redis.", &m::buffered_bytes);
  static constexpr std::pair<std::string_view, counter_of> bad[]{
    {"foreign", &m::bad_foreign}, {"version", &m::bad_version}, {"truncated", &m::bad_truncated}};
  add_by_reason(out, shards, "canang_redis_bad_messages_total",
                "Messages on our channels and entries in our streams that were skipped.", bad);
  static constexpr std::pair<std::string_view, counter_of> failed[]{
    {"timeout", &m::failed_timeout},
    {"buffer", &m::failed_buffer},
    {"refused", &m::failed_refused},
    {"wrong_type", &m::failed_type}};
  add_by_reason(out, shards, "canang_redis_publish_errors_total", "Publishes that failed.", failed);
  add_refusals(out, shards);
  metric_family gaps{out, "canang_gaps_total", "counter",
                     "Times that a room had missed publications: read from the history, or lost."};
  gaps.add("result=\"filled\"", sum(shards, &m::gaps_filled));
  gaps.add("result=\"lost\"", sum(shards, &m::gaps_lost));
  metric_family{out, "canang_history_reads_total", "counter", "Reads of rooms' histories."}.add(
    {}, sum(shards, &m::history_reads));
  return out;
}

} // namespace canang::admin
