#pragma once

#include "actors/node/node_status.hpp"
#include "cluster/broker.hpp"
#include "net/metrics.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::actors {

/// A member as JSON: `{"id","user"}`.
[[nodiscard]] std::string describe_member(const cluster::present_member& member);

/// How a node is at a moment.
struct node_condition {
  bool is_ready = false; ///< it can have traffic
  std::string fault{};   ///< why not; or what is wrong all the same
  /// What part of its limits is used, each where there is a limit: 0 is nothing, 1 all.
  std::vector<std::pair<std::string_view, double>> used{};
};

/// What a node tells of itself with its lease: who it is, and what it does. Used on one thread.
class node_description {
public:
  /// The fixed part. The metrics and the status must outlive it; `look` is asked each time.
  node_description(std::string_view node, std::string_view address, std::string_view version,
                   std::int64_t start_time_seconds, std::vector<const net::loop_metrics*> loops,
                   const node_status& status, std::function<node_condition()> look);

  /// As JSON; rates are means of the time since the last call, of a second at least.
  [[nodiscard]] std::string operator()();

private:
  [[nodiscard]] std::uint64_t sum(net::counter net::loop_metrics::*member) const noexcept;
  [[nodiscard]] std::uint64_t closed(net::close_reason reason) const noexcept;

  std::string fixed_;
  std::vector<const net::loop_metrics*> loops_;
  const node_status& status_;
  std::function<node_condition()> look_;
  std::chrono::steady_clock::time_point last_at_ = std::chrono::steady_clock::now();
  std::uint64_t last_publications_ = 0;
  std::uint64_t last_deliveries_ = 0;
  double publications_a_second_ = 0;
  double deliveries_a_second_ = 0;
};

} // namespace canang::actors
