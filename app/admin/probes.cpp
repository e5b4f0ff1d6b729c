#include "app/admin/probes.hpp"

#include "actors/node/memory_owners.hpp"
#include "actors/runtime/failures.hpp"
#include "app/admin/cluster_pages.hpp"
#include "app/admin/control_metrics.hpp"
#include "app/admin/json_response.hpp"
#include "app/admin/moderation_metrics.hpp"
#include "app/admin/shard_metrics.hpp"
#include "net/json.hpp"
#include "net/metrics_text.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace canang::admin {

namespace {

using actors::node_phase;

/// A loop that has not turned for so long is stuck; it ticks every 100 ms.
constexpr std::chrono::seconds stuck_after{5};

net::process_figures figures_of(actors::server& node) {
  const auto phase = node.phase();
  const auto& admission = node.admission();
  net::process_figures figures;
  net::read_process_figures(figures);
  figures.internal = &node.internal_metrics();
  figures.actors = node.running_actors();
  figures.actor_failures = actors::failure_count();
  figures.start_time_seconds = node.start_time_seconds();
  figures.draining = phase == node_phase::draining || phase == node_phase::closing;
  figures.ready = node.condition().is_ready;
  figures.version = node.options().version;
  const auto& reloads = node.reloads();
  figures.reloads_applied = reloads.applied;
  figures.reloads_refused = reloads.refused;
  figures.last_good_reload_seconds = reloads.last_good_seconds;
  figures.headroom = admission.headroom();
  figures.connections_limit = admission.limits().max_connections;
  figures.memory_limit_bytes = admission.limits().max_memory_bytes;
  figures.memory_used_bytes = admission.memory_used_bytes();
  figures.rooms_limit = node.options().max_rooms;
  figures.history_budget_bytes = node.options().history_budget_bytes;
  figures.outbox_budget_bytes = node.outbox_budget().bytes();
  auto holders = node.loops();
  holders.push_back(figures.internal);
  figures.memory = actors::memory_by_owner(holders, node.shards());
  return figures;
}

} // namespace

net::page_response health_page(const actors::server& node) {
  const auto now = actors::loop::clock::now().time_since_epoch();
  const auto loops = node.loops();
  for (std::size_t i = 0; i < loops.size(); ++i) {
    const std::chrono::nanoseconds last{loops[i]->last_turn_ns.load()};
    if (last.count() != 0 && now - last > stuck_after)
      return json_response(
        503, fmt::format(R"({{"healthy":false,"reason":"loop {} has not turned for {} s"}})", i,
                         std::chrono::duration_cast<std::chrono::seconds>(now - last).count()));
  }
  return json_response(200, R"({"healthy":true})");
}

net::page_response readiness_page(const actors::server& node) {
  const auto condition = node.condition();
  if (condition.fault.empty())
    return json_response(200, R"({"ready":true})");
  const bool is_ready = condition.is_ready;
  std::string body =
    is_ready ? R"({"ready":true,"publishing":false,"reason":)" : R"({"ready":false,"reason":)";
  net::append_json_string(body, condition.fault);
  return json_response(is_ready ? 200 : 503, body + '}');
}

net::page_response metrics_page(actors::server& node) {
  net::page_response response;
  response.content_type = net::metrics_content_type;
  response.body = net::metrics_text(node.loops(), figures_of(node))
                  + shard_metrics(node.shards(), actors::loop::clock::now().time_since_epoch())
                  + control_metrics(node.control_metrics()) + moderation_metrics(node.moderation());
  return response;
}

} // namespace canang::admin
