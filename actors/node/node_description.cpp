#include "actors/node/node_description.hpp"

#include "base/cut_utf8.hpp"
#include "net/json.hpp"

#include <fmt/format.h>

#include <utility>

namespace canang::actors {

namespace {

/// Rates of a shorter time say nothing.
constexpr double least_rate_seconds = 1;

/// Of a fault, in bytes: all nodes read it again and again.
constexpr std::size_t max_fault_bytes = 200;

std::string to_json(const std::vector<std::pair<std::string_view, double>>& parts) {
  std::string json = "{";
  for (const auto& [name, part] : parts)
    json += fmt::format(R"({}"{}":{:.3f})", json.size() > 1 ? "," : "", name, part);
  return json + '}';
}

} // namespace

std::string describe_member(const cluster::present_member& member) {
  std::string json = "{\"id\":";
  net::append_json_string(json, member.id);
  json += ",\"user\":";
  net::append_json_string(json, member.user);
  net::append_info_fields(json, member.info, member.room_info);
  return json + '}';
}

node_description::node_description(std::string_view node, std::string_view address,
                                   std::string_view version, std::int64_t start_time_seconds,
                                   std::vector<const net::loop_metrics*> loops,
                                   const node_status& status, std::function<node_condition()> look)
  : fixed_(fmt::format(R"({{"id":{},"address":{},"version":{},"started":{})",
                       net::json_string(node), net::json_string(address), net::json_string(version),
                       start_time_seconds)),
    loops_(std::move(loops)),
    status_(status),
    look_(std::move(look)) {}

std::uint64_t node_description::sum(net::counter net::loop_metrics::*member) const noexcept {
  std::uint64_t total = 0;
  for (const auto* const loop : loops_)
    total += (loop->*member).value();
  return total;
}

std::uint64_t node_description::closed(net::close_reason reason) const noexcept {
  std::uint64_t total = 0;
  for (const auto* const loop : loops_)
    for (std::size_t slot = 0; slot < net::close_counters::code_slots; ++slot)
      total += loop->closes.value(slot, reason);
  return total;
}

std::string node_description::operator()() {
  const auto now = std::chrono::steady_clock::now();
  const auto seconds = std::chrono::duration<double>(now - last_at_).count();
  if (seconds >= least_rate_seconds) {
    const auto publications = sum(&net::loop_metrics::publications_total);
    const auto deliveries = sum(&net::loop_metrics::deliveries_total);
    publications_a_second_ = static_cast<double>(publications - last_publications_) / seconds;
    deliveries_a_second_ = static_cast<double>(deliveries - last_deliveries_) / seconds;
    last_at_ = now;
    last_publications_ = publications;
    last_deliveries_ = deliveries;
  }
  const auto condition = look_();
  return fmt::format(
    R"({},"state":"{}","connections":{},"rooms":{},"publications_per_second":{:.1f},"deliveries_per_second":{:.1f},)"
    R"("ready":{},"reason":{},"closed":{{"drain":{},"rebalance":{}}},"used":{}}})",
    fixed_, to_string(status_.load()), sum(&net::loop_metrics::connections),
    sum(&net::loop_metrics::rooms), publications_a_second_, deliveries_a_second_,
    condition.is_ready, net::json_string(cut_utf8(condition.fault, max_fault_bytes)),
    closed(net::close_reason::drain), closed(net::close_reason::rebalance),
    to_json(condition.used));
}

} // namespace canang::actors
