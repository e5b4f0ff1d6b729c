#pragma once

#include "base/versioned_value.hpp"
#include "cluster/moderation/table.hpp"

#include <atomic>
#include <memory>

namespace canang::cluster {

/// Where the acts in force are had from; its book replaces them while the node runs. From any thread.
class moderation_source final : public versioned_value<moderation_table> {
public:
  moderation_source() : versioned_value(std::make_shared<const moderation_table>()) {}

  /// Whether what is in force is known: in a cluster not before a Redis has told. Until then nobody is let in.
  [[nodiscard]] bool is_known() const noexcept { return is_known_.load(std::memory_order_acquire); }
  void set_known() noexcept { is_known_.store(true, std::memory_order_release); }

private:
  std::atomic<bool> is_known_{false};
};

} // namespace canang::cluster
