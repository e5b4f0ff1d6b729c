#pragma once

#include "actors/cast.hpp"
#include "net/emulation.hpp"
#include "net/loop_context.hpp"
#include "net/metrics.hpp"

#include <caf/actor.hpp>

#include <cstdint>
#include <memory>
#include <string_view>

namespace canang::actors {

/// Brings what clients say in requests of their own to their sessions: on this loop directly, on another one through
/// its hub, on another node through the control actor. What is on the way to others is bounded; beyond it they are told
/// `unavailable`. One a loop, on its thread; what it is made with outlives it.
class emulation final : public net::emulation_relay {
public:
  emulation(net::loop_context& context, std::uint32_t loop, std::string_view node,
            const node_cast& cast, const bridge_cast& bridges, const caf::actor& control);

  void relay(net::emulation_request&& request, net::emulation_answer answer) override;

private:
  [[nodiscard]] net::emulation_answer counted(net::emulation_answer&& answer, std::uint64_t bytes);
  void relay_to_loop(std::uint32_t loop, net::emulation_request&& request,
                     net::emulation_answer&& answer);
  void relay_to_node(net::emulation_request&& request, net::emulation_answer&& answer);

  net::loop_context& context_;
  std::uint32_t loop_;
  std::string_view node_;
  const node_cast& cast_;
  const bridge_cast& bridges_;
  const caf::actor& control_;
  std::shared_ptr<net::shared_counter> on_the_way_ = std::make_shared<net::shared_counter>();
};

} // namespace canang::actors
