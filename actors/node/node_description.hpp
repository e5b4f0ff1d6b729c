#pragma once

#include "actors/node/node_status.hpp"
#include "cluster/broker.hpp"
#include "net/metrics.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace canang::actors {

/// A member as JSON: `{"id","user"}`.
[[nodiscard]] std::string describe_member(const cluster::present_member& member);

/// What a node tells of itself with its lease: who it is, and what it does. Used on one thread.
class node_description {
public:
  /// The fixed part. The metrics and the status must outlive it.
  node_description(std::string_view node, std::string_view address, std::string_view version,
                   std::int64_t start_time_seconds, std::vector<const net::loop_metrics*> loops,
                   const node_status& status);

  /// As JSON; rates are means of the time since the last call, of a second at least.
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
