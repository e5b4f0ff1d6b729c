#include "net/metrics_text.hpp"

#include "net/close_code.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <limits>
#include <sstream>
#include <utility>
#include <vector>

namespace canang::net {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using loop_list = std::span<const loop_metrics* const>;

MetricFamily family(std::string name, std::string help, MetricType type) {
  MetricFamily result;
  result.name = std::move(name);
  result.help = std::move(help);
  result.type = type;
  return result;
}

void add_value(MetricFamily& to, double value, std::vector<ClientMetric::Label> labels = {}) {
  ClientMetric metric;
  metric.label = std::move(labels);
  if (to.type == MetricType::Counter)
    metric.counter.value = value;
  else
    metric.gauge.value = value;
  to.metric.push_back(std::move(metric));
}

MetricFamily single(std::string name, std::string help, MetricType type, double value) {
  auto result = family(std::move(name), std::move(help), type);
  add_value(result, value);
  return result;
}

double sum(loop_list loops, counter loop_metrics::*member) {
  std::uint64_t total = 0;
  for (const auto* loop : loops)
    total += (loop->*member).value();
  return static_cast<double>(total);
}

double of_internal(const process_figures& process, counter loop_metrics::*member) {
  return process.internal == nullptr ? 0 : static_cast<double>((process.internal->*member).value());
}

constexpr double seconds(std::uint64_t ns) { return static_cast<double>(ns) / 1e9; }

MetricFamily histogram(std::string name, std::string help, loop_list loops,
                       latency_histogram loop_metrics::*member) {
  auto result = family(std::move(name), std::move(help), MetricType::Histogram);
  ClientMetric metric;
  std::uint64_t cumulative = 0;
  std::uint64_t sum_ns = 0;
  for (const auto* loop : loops)
    sum_ns += (loop->*member).sum_ns();
  for (std::size_t i = 0; i < latency_histogram::bucket_count; ++i) {
    for (const auto* loop : loops)
      cumulative += (loop->*member).bucket(i);
    ClientMetric::Bucket bucket;
    bucket.cumulative_count = cumulative;
    bucket.upper_bound = i < latency_bounds_ns.size() ? seconds(latency_bounds_ns[i])
                                                      : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back(bucket);
  }
  metric.histogram.sample_count = cumulative;
  metric.histogram.sample_sum = seconds(sum_ns);
  result.metric.push_back(std::move(metric));
  return result;
}

/// The code that a close for this reason has, or mostly has: shown from the start, so that the first one
/// is seen as an increase.
std::uint16_t usual_code(close_reason reason) noexcept {
  switch (reason) {
  case close_reason::normal:
  case close_reason::client_close: return 1000;
  case close_reason::going_away: return 1001;
  case close_reason::protocol_error: return 1002;
  case close_reason::bad_payload: return 1007;
  case close_reason::slow_consumer:
  case close_reason::rate_limited:
  case close_reason::over_budget:
  case close_reason::unidentified:
  case close_reason::not_allowed: return 1008;
  case close_reason::too_big: return 1009;
  case close_reason::handler_error: return 1011;
  case close_reason::drain:
  case close_reason::rebalance: return 1012;
  case close_reason::publish_failed:
  case close_reason::join_failed: return 1013;
  case close_reason::messages_lost: return messages_lost;
  case close_reason::disconnected: return force_disconnect;
  case close_reason::bad_token: return invalid_token;
  case close_reason::expired: return connection_expired;
  case close_reason::abnormal:
  case close_reason::write_error:
  case close_reason::ping_timeout: break;
  }
  return 1006;
}

MetricFamily closes(loop_list loops) {
  auto result = family("canang_closes_total",
                       "WebSocket connections that ended, by close code and the server's reason.",
                       MetricType::Counter);
  for (std::size_t slot = 0; slot < close_counters::code_slots; ++slot) {
    for (std::size_t r = 0; r < close_reason_count; ++r) {
      const auto reason = static_cast<close_reason>(r);
      std::uint64_t count = 0;
      for (const auto* loop : loops)
        count += loop->closes.value(slot, reason);
      if (count > 0 || close_counters::slot_of(usual_code(reason)) == slot)
        add_value(result, static_cast<double>(count),
                  {{"code", std::string{close_counters::label(slot)}},
                   {"reason", std::string{to_string(reason)}}});
    }
  }
  return result;
}

MetricFamily rejections(loop_list loops) {
  auto result =
    family("canang_handshakes_rejected_total",
           "Requests on WebSocket paths that did not become connections.", MetricType::Counter);
  for (std::size_t r = 0; r < reject_reason_count; ++r) {
    std::uint64_t count = 0;
    for (const auto* loop : loops)
      count += loop->rejected_total[r].value();
    add_value(result, static_cast<double>(count),
              {{"reason", std::string{to_string(static_cast<reject_reason>(r))}}});
  }
  return result;
}

/// Of both ports.
MetricFamily tls_handshakes(loop_list loops, const process_figures& process) {
  auto result = family("canang_tls_handshakes_total",
                       "Connections to a port that speaks TLS, by what became of their handshake.",
                       MetricType::Counter);
  for (std::size_t o = 0; o < tls_outcome_count; ++o) {
    std::uint64_t count =
      process.internal == nullptr ? 0 : process.internal->tls_handshakes_total[o].value();
    for (const auto* loop : loops)
      count += loop->tls_handshakes_total[o].value();
    add_value(result, static_cast<double>(count),
              {{"result", std::string{to_string(static_cast<tls_outcome>(o))}}});
  }
  return result;
}

MetricFamily emulations(loop_list loops) {
  auto result = family("canang_emulation_requests_total",
                       "Requests in which clients of streams said something, by what became of it.",
                       MetricType::Counter);
  for (std::size_t o = 0; o < emulation_outcome_count; ++o) {
    std::uint64_t count = 0;
    for (const auto* loop : loops)
      count += loop->emulations_total[o].value();
    add_value(result, static_cast<double>(count),
              {{"outcome", std::string{to_string(static_cast<emulation_outcome>(o))}}});
  }
  return result;
}

MetricFamily token_checks(loop_list loops) {
  auto result = family("canang_token_checks_total",
                       "Tokens that clients showed, by what came of them.", MetricType::Counter);
  for (std::size_t p = 0; p < proof_count; ++p) {
    std::uint64_t count = 0;
    for (const auto* loop : loops)
      count += loop->token_checks_total[p].value();
    add_value(result, static_cast<double>(count),
              {{"result", std::string{to_string(static_cast<proof>(p))}}});
  }
  return result;
}

/// A figure of the connections that are not WebSocket sessions, by port.
MetricFamily by_port(std::string name, std::string help, MetricType type, loop_list loops,
                     const process_figures& process, counter loop_metrics::*member) {
  auto result = family(std::move(name), std::move(help), type);
  add_value(result, sum(loops, member), {{"port", "public"}});
  if (process.internal != nullptr)
    add_value(result, static_cast<double>((process.internal->*member).value()),
              {{"port", "internal"}});
  return result;
}

MetricFamily by_loop(std::string name, std::string help, loop_list loops,
                     double (*value)(const loop_metrics&)) {
  auto result = family(std::move(name), std::move(help), MetricType::Gauge);
  for (std::size_t i = 0; i < loops.size(); ++i)
    add_value(result, value(*loops[i]), {{"loop", std::to_string(i)}});
  return result;
}

/// 0 until it has turned at all.
double seconds_since_turn(const loop_metrics& loop) {
  const std::chrono::nanoseconds last{loop.last_turn_ns.load(std::memory_order_relaxed)};
  const std::chrono::nanoseconds now = std::chrono::steady_clock::now().time_since_epoch();
  return last.count() == 0 ? 0 : std::chrono::duration<double>{std::max(now - last, {})}.count();
}

MetricFamily recoveries(loop_list loops) {
  auto result =
    family("canang_recoveries_total", "Members that asked to resume, by whether they miss nothing.",
           MetricType::Counter);
  add_value(result, sum(loops, &loop_metrics::recovered_total), {{"result", "recovered"}});
  add_value(result, sum(loops, &loop_metrics::not_recovered_total), {{"result", "not_recovered"}});
  return result;
}

MetricFamily forgotten_rooms(loop_list loops) {
  auto result = family("canang_rooms_forgotten_total",
                       "Rooms that lost what was kept of them before its time, by reason.",
                       MetricType::Counter);
  for (std::size_t r = 0; r < forget_reason_count; ++r) {
    std::uint64_t count = 0;
    for (const auto* loop : loops)
      count += loop->forgotten_rooms_total[r].value();
    add_value(result, static_cast<double>(count),
              {{"reason", std::string{to_string(static_cast<forget_reason>(r))}}});
  }
  return result;
}

MetricFamily slow_losses(loop_list loops) {
  auto result = family("canang_slow_consumer_dropped_total",
                       "Messages that slow members lost by the rule of their room, and stayed.",
                       MetricType::Counter);
  for (std::size_t p = 0; p < slow_loss_count; ++p) {
    std::uint64_t count = 0;
    for (const auto* loop : loops)
      count += loop->slow_lost_total[p].value();
    add_value(result, static_cast<double>(count),
              {{"policy", std::string{to_string(static_cast<slow_loss>(p))}}});
  }
  return result;
}

/// Messages in both directions, by what they are with and without compression.
MetricFamily compression_bytes(std::string name, std::string help, loop_list loops,
                               counter loop_metrics::*sent, counter loop_metrics::*received) {
  auto result = family(std::move(name), std::move(help), MetricType::Counter);
  add_value(result, sum(loops, sent), {{"direction", "sent"}});
  add_value(result, sum(loops, received), {{"direction", "received"}});
  return result;
}

MetricFamily owned_memory_family(const process_figures& process) {
  auto result =
    family("canang_memory_bytes", "Memory that is counted, overhead included, by what it is for.",
           MetricType::Gauge);
  for (const auto& [owner, bytes] : process.memory)
    add_value(result, static_cast<double>(bytes), {{"owner", std::string{owner}}});
  return result;
}

MetricFamily build_info(const process_figures& process) {
  auto result =
    family("canang_build_info", "Constant 1; the label is the version.", MetricType::Gauge);
  add_value(result, 1, {{"version", std::string{process.version}}});
  return result;
}

MetricFamily reloads(const process_figures& process) {
  auto result = family("canang_config_reloads_total",
                       "Times that the configuration was read again, by what became of it.",
                       MetricType::Counter);
  add_value(result, static_cast<double>(process.reloads_applied), {{"result", "applied"}});
  add_value(result, static_cast<double>(process.reloads_refused), {{"result", "refused"}});
  return result;
}

std::vector<MetricFamily> admission_families(const process_figures& process) {
  const auto gauge = [](std::string name, std::string help, double value) {
    return single(std::move(name), std::move(help), MetricType::Gauge, value);
  };
  std::vector<MetricFamily> all;
  all.push_back(gauge("canang_headroom_ratio",
                      "What is left of connections or memory, of which there is less: 0 is full.",
                      process.headroom));
  all.push_back(gauge("canang_connections_limit", "Connections that are taken; 0 is no limit.",
                      static_cast<double>(process.connections_limit)));
  all.push_back(gauge("canang_memory_limit_bytes",
                      "Memory in use above which no connection is taken; 0 is no limit.",
                      static_cast<double>(process.memory_limit_bytes)));
  all.push_back(gauge("canang_memory_used_bytes", "Memory in use, as it counts for the limit.",
                      static_cast<double>(process.memory_used_bytes)));
  all.push_back(owned_memory_family(process));
  all.push_back(gauge("canang_rooms_limit", "Rooms that may be known; 0 is no limit.",
                      static_cast<double>(process.rooms_limit)));
  all.push_back(gauge("canang_history_budget_bytes",
                      "Memory that all histories may take; 0 is no limit.",
                      static_cast<double>(process.history_budget_bytes)));
  return all;
}

} // namespace

std::string metrics_text(loop_list loops, const process_figures& process) {
  constexpr auto up = MetricType::Counter;
  constexpr auto gauge = MetricType::Gauge;
  const auto of_loops = [&](std::string name, std::string help, MetricType type,
                            counter loop_metrics::*member) {
    return single(std::move(name), std::move(help), type, sum(loops, member));
  };
  using m = loop_metrics;
  std::vector<MetricFamily> all;
  all.push_back(build_info(process));
  all.push_back(single("canang_ready", "1 when the node may have traffic.", gauge, process.ready));
  all.push_back(single("canang_draining", "1 while the node drains.", gauge, process.draining));
  all.push_back(
    single("canang_loops", "Event loops (workers).", gauge, static_cast<double>(loops.size())));
  all.push_back(of_loops("canang_connections",
                         "WebSocket connections and event streams, open or closing.", gauge,
                         &m::connections));
  all.push_back(by_port("canang_http_connections",
                        "TCP connections that are not WebSocket connections, or not yet.", gauge,
                        loops, process, &m::http_connections));
  all.push_back(by_port("canang_http_displaced_total",
                        "Of those, the ones that were closed because others needed their place.",
                        up, loops, process, &m::http_displaced_total));
  all.push_back(by_port("canang_http_failures_total",
                        "Requests whose handler failed: a fault of ours, never expected.", up,
                        loops, process, &m::http_failures_total));
  all.push_back(of_loops("canang_rooms", "Rooms with an actor on this node.", gauge, &m::rooms));
  all.push_back(of_loops("canang_rooms_known",
                         "Rooms with an actor, and those kept for who may come back.", gauge,
                         &m::known_rooms));
  all.push_back(forgotten_rooms(loops));
  all.push_back(of_loops("canang_members", "Memberships of rooms.", gauge, &m::members));
  all.push_back(
    single("canang_actors", "Actors alive.", gauge, static_cast<double>(process.actors)));
  all.push_back(single("canang_actor_failures_total",
                       "Actors and handlers that an exception ended.", up,
                       static_cast<double>(process.actor_failures)));
  all.push_back(
    of_loops("canang_accepted_total", "TCP connections accepted.", up, &m::accepted_total));
  all.push_back(
    of_loops("canang_accept_errors_total", "Failures to accept.", up, &m::accept_errors_total));
  all.push_back(rejections(loops));
  all.push_back(closes(loops));
  all.push_back(tls_handshakes(loops, process));
  all.push_back(emulations(loops));
  all.push_back(token_checks(loops));
  all.push_back(of_loops("canang_publications_total", "Publications that rooms took.", up,
                         &m::publications_total));
  all.push_back(of_loops("canang_deliveries_total", "Publications handed to a member's connection.",
                         up, &m::deliveries_total));
  all.push_back(of_loops("canang_deliveries_dropped_total",
                         "Publications that a closing connection did not take any more.", up,
                         &m::messages_dropped_total));
  all.push_back(slow_losses(loops));
  all.push_back(recoveries(loops));
  all.push_back(of_loops("canang_received_bytes_total", "Bytes read from clients.", up,
                         &m::received_bytes_total));
  all.push_back(
    of_loops("canang_sent_bytes_total", "Bytes written to clients.", up, &m::sent_bytes_total));
  all.push_back(compression_bytes(
    "canang_compression_plain_bytes_total",
    "Payload of compressed messages before; what is sent to many members counts once.", loops,
    &m::deflated_from_bytes_total, &m::inflated_to_bytes_total));
  all.push_back(compression_bytes("canang_compression_packed_bytes_total",
                                  "The same payload compressed.", loops,
                                  &m::deflated_to_bytes_total, &m::inflated_from_bytes_total));
  all.push_back(
    of_loops("canang_outbox_bytes",
             "Bytes that wait for clients to read, as they count for each client's limit.", gauge,
             &m::outbox_bytes));
  all.push_back(
    of_loops("canang_outbox_memory_bytes",
             "Memory of what waits for clients to read; what several share counts once.", gauge,
             &m::outbox_memory_bytes));
  all.push_back(
    single("canang_inbox_bytes",
           "Memory of messages, requests' bodies and TLS records that clients have not sent whole.",
           gauge, sum(loops, &m::inbox_bytes) + of_internal(process, &m::inbox_bytes)));
  all.push_back(single("canang_outbox_budget_bytes",
                       "What the memory of both may be together at present; 0 is no limit.", gauge,
                       static_cast<double>(process.outbox_budget_bytes)));
  all.push_back(
    of_loops("canang_history_bytes", "Payload bytes kept as history.", gauge, &m::history_bytes));
  all.push_back(of_loops("canang_room_waiting_bytes",
                         "Publishes that wait, because their rooms are over their rate.", gauge,
                         &m::room_waiting_bytes));
  all.push_back(by_loop(
    "canang_loop_backlog_bytes",
    "Publications on their way to a loop, which it has not handled yet.", loops,
    [](const loop_metrics& loop) { return static_cast<double>(loop.backlog_bytes->value()); }));
  all.push_back(by_loop("canang_loop_last_turn_seconds",
                        "Time since a loop ended its last turn; 0.1 at most when it is well.",
                        loops, seconds_since_turn));
  all.push_back(of_loops("canang_pings_sent_total", "Ping frames and comments sent.", up,
                         &m::pings_sent_total));
  all.push_back(of_loops("canang_turns_total", "Turns of the event loops.", up, &m::turns_total));
  all.push_back(histogram("canang_publish_to_flush_seconds",
                          "From reading a publication to the last write of its frames.", loops,
                          &m::publish_to_flush));
  all.push_back(histogram("canang_turn_seconds", "Length of the loops' turns.", loops, &m::turn));
  for (auto& of_admission : admission_families(process))
    all.push_back(std::move(of_admission));
  all.push_back(reloads(process));
  all.push_back(single("canang_config_last_good_seconds",
                       "When the configuration was last read and found right, in Unix time.", gauge,
                       static_cast<double>(process.last_good_reload_seconds)));
  all.push_back(single("process_open_fds", "Open file descriptors.", gauge,
                       static_cast<double>(process.open_descriptors)));
  all.push_back(single("process_resident_memory_bytes", "Resident memory.", gauge,
                       static_cast<double>(process.resident_bytes)));
  all.push_back(
    single("process_cpu_seconds_total", "User and system time.", up, process.cpu_seconds));
  all.push_back(single("process_start_time_seconds", "Start, in Unix time.", gauge,
                       static_cast<double>(process.start_time_seconds)));
  return prometheus::TextSerializer{}.Serialize(all);
}

std::uint64_t read_resident_bytes(const std::string& statm) {
  std::ifstream file{statm};
  std::uint64_t total_pages = 0;
  std::uint64_t resident_pages = 0;
  file >> total_pages >> resident_pages;
  return resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void read_process_figures(process_figures& figures) {
  if (DIR* const folder = ::opendir("/proc/self/fd")) {
    std::uint64_t entries = 0;
    while (::readdir(folder) != nullptr)
      ++entries;
    ::closedir(folder);
    figures.open_descriptors = entries > 3 ? entries - 3 : 0; // ".", ".." and the folder itself
  }
  figures.resident_bytes = read_resident_bytes();
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    const auto in_seconds = [](const timeval& t) {
      return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    figures.cpu_seconds = in_seconds(usage.ru_utime) + in_seconds(usage.ru_stime);
  }
}

} // namespace canang::net
