#pragma once

#include "actors/cluster_options.hpp"
#include "actors/node/node_status.hpp"
#include "cluster/broker.hpp"
#include "net/http/types.hpp"
#include "net/metrics.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace canang::actors {

/// What the internal port tells of the cluster, as text. All of these from any thread.

using shard_list = std::span<const std::unique_ptr<shard_status>>;

/// The nodes that have a lease on any shard, each once. What a shard said before it went away counts only
/// where there is nothing newer. Empty: no shard has answered yet.
[[nodiscard]] cluster::redis_roster::roster living_nodes(shard_list shards);

/// An answer in JSON that nobody keeps.
[[nodiscard]] net::page_response json_response(unsigned status, std::string body);

/// A member as JSON: `{"id","user"}`.
[[nodiscard]] std::string describe_member(const cluster::present_member& member);

/// `/rooms/NAME`, or `/rooms/NAME/presence` when the members were asked for.
[[nodiscard]] net::page_response room_page(std::string_view room, bool with_members,
                                           const cluster::room_report& report);

/// `/nodes`; `own` is this node's entry, shown when nothing else is known.
[[nodiscard]] net::page_response nodes_page(std::string_view node, const std::string& own,
                                            shard_list shards);

/// The metrics of the shards in Prometheus' text format; `canang_nodes` also without any.
[[nodiscard]] std::string shard_metrics(shard_list shards, std::chrono::nanoseconds now,
                                        std::chrono::nanoseconds unproven_after);

/// What a node tells of itself with its lease: who it is, and what it does.
class node_description {
public:
  /// The fixed part. The metrics and the status must outlive it.
  node_description(std::string_view node, std::string_view address, std::string_view version,
                   std::int64_t start_time_seconds, std::vector<const net::loop_metrics*> loops,
                   const node_status& status);

  /// As JSON; rates are means of the time since the last call, of a second at least. On one thread.
  [[nodiscard]] std::string operator()();

private:
  [[nodiscard]] std::uint64_t sum(net::counter net::loop_metrics::*member) const noexcept;

  std::string fixed_;
  std::vector<const net::loop_metrics*> loops_;
  const node_status& status_;
  std::chrono::steady_clock::time_point last_at_ = std::chrono::steady_clock::now();
  std::uint64_t last_publications_ = 0;
  std::uint64_t last_deliveries_ = 0;
  double publications_a_second_ = 0;
  double deliveries_a_second_ = 0;
};

} // namespace canang::actors
