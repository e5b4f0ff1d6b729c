#include "app/admin/api_info.hpp"

#include "app/admin/api_results.hpp"
#include "base/unix_time.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace canang::admin {

/// A lease is renewed about once a second: of itself the node knows better.
api_outcome tell_info(actors::server& node) {
  const auto fault = actors::cluster_fault(node.shards());
  if (!fault.empty())
    return api_error{.code = api_errc::internal, .message = "internal server error: " + fault};
  std::vector<std::string> descriptions{node.describe()};
  for (auto& entry : actors::living_nodes(node.shards()))
    if (entry.node != node.id())
      descriptions.push_back(std::move(entry.description));
  return info_result(descriptions, unix_s());
}

} // namespace canang::admin
