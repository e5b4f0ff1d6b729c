#include "actors/emulation.hpp"

#include "actors/messages.hpp"
#include "net/limits.hpp"

#include <caf/send.hpp>

#include <memory>
#include <string>
#include <utility>

namespace canang::actors {

emulation::emulation(net::loop_context& context, std::uint32_t loop, std::string_view node,
                     const node_cast& cast, const bridge_cast& bridges, const caf::actor& control)
  : context_(context),
    loop_(loop),
    node_(node),
    cast_(cast),
    bridges_(bridges),
    control_(control) {}

void emulation::relay(net::emulation_request&& request, net::emulation_answer answer) {
  context_.assert_on_loop();
  const auto loop = net::loop_of_secret(request.session);
  const bool is_here = request.node == node_;
  if (!loop || (is_here ? *loop >= cast_.size() : !bridges_.is_clustered())) {
    answer(net::emulation_outcome::unknown);
    return;
  }
  if (is_here && *loop == loop_) {
    context_.emulated.take(request.session, std::move(request.message), answer);
    return;
  }
  const auto bytes = request.message.size() + net::emulated_overhead_bytes;
  if (on_the_way_->value() + bytes > net::max_emulated_bytes_on_the_way) {
    answer(net::emulation_outcome::unavailable);
    return;
  }
  if (is_here)
    relay_to_loop(*loop, std::move(request), counted(std::move(answer), bytes));
  else
    relay_to_node(std::move(request), counted(std::move(answer), bytes));
}

/// On the way as long as somebody may answer.
net::emulation_answer emulation::counted(net::emulation_answer&& answer, std::uint64_t bytes) {
  auto share = std::make_shared<const backlog_share>(on_the_way_, bytes);
  return [share = std::move(share), answer = std::move(answer)](net::emulation_outcome outcome) {
    answer(outcome);
  };
}

void emulation::relay_to_loop(std::uint32_t loop, net::emulation_request&& request,
                              net::emulation_answer&& answer) {
  caf::anon_send(cast_[loop].hub, emulate{std::move(request.session),
                                          std::make_shared<std::string>(std::move(request.message)),
                                          std::move(answer)});
}

void emulation::relay_to_node(net::emulation_request&& request, net::emulation_answer&& answer) {
  caf::anon_send(
    control_, relay_order{std::move(request.node),
                          std::make_shared<const cluster::relayed_message>(cluster::relayed_message{
                            std::move(request.session), std::move(request.message)}),
                          std::move(answer)});
}

} // namespace canang::actors
