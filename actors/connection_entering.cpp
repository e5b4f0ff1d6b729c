#include "actors/connection_impl.hpp"
#include "actors/outgoing.hpp"
#include "base/name_hash.hpp"

#include <utility>
#include <vector>

// How a client enters the rooms that the server has chosen for it: its connect reply tells of them, and comes first.

namespace canang::actors {

/// One that there cannot be, or that would be one too many, is not among those that the reply names.
void connection::on_entering(net::entering_command&& command) {
  pay_for_command();
  send_replies();
  auto gate = std::make_shared<connect_gate>(services_.context);
  session_->send_reply(services_.context.buffers.make(), connect_gate::source_of(gate));
  ensure_rare().enters = std::make_unique<entering>(
    entering{.gate = std::move(gate), .request = command.request, .missing = 1});
  for (auto& wanted : command.rooms) {
    const auto name_hash = static_cast<std::uint32_t>(hash_of_name(wanted.room));
    if (fault_of(wanted, name_hash))
      continue;
    ++rare_->enters->missing;
    auto& added = begin(std::move(wanted), name_hash);
    added.is_by_server = true;
    added.wish->is_entering = true;
    talk_->heed(traits_of(added.wish->room), *added.wish);
    if (services_.authorizer != nullptr && !added.wish->may_recover && wants_history(*added.wish))
      ask_for_history(added);
    else
      join(added);
  }
  on_entered_one();
}

/// A room has taken it: what would be the answer to a join stands in the connect reply.
bool connection::answers(const add_member& request) {
  if (!rare_ || !rare_->enters || rare_->enters->answering != request.subscription)
    return false;
  rare_->enters->answering = 0;
  const auto alive = caf::actor_cast<caf::actor>(this);
  enter([&] { note_entered(request); });
  return true;
}

/// One reply is one message. What is too much for that is not recovered.
void connection::note_entered(const add_member& request) {
  std::vector<net::outgoing_publication> recovered;
  std::size_t bytes = 0;
  for (const auto& one : request.recovered) {
    bytes += cost_in_answer(*one);
    recovered.push_back(outgoing(*one, request.room_name));
  }
  net::room_position at{.room = request.room_name,
                        .epoch = request.from.epoch,
                        .offset = request.from.offset,
                        .recovered = request.is_recovered};
  if (bytes > net::max_recovered_in_reply_bytes) {
    at.offset = recovered.back().offset;
    at.recovered = false;
    recovered.clear();
  }
  auto& gate = *rare_->enters->gate;
  talk_->encode_entered({.note = request.note, .at = at, .recovered = recovered}, gate.rooms());
  gate.note();
  services_.context.metrics.deliveries_total.add(recovered.size());
  on_entered_one();
}

void connection::on_entered_one() {
  if (--rare_->enters->missing > 0)
    return;
  const auto entered = std::move(rare_->enters);
  drop_rare_if_empty();
  auto answer = services_.context.buffers.make();
  talk_->encode_connected(entered->request, entered->gate->rooms(), facts(), format_.frames,
                          answer->bytes());
  if (rare_ && rare_->backend)
    rare_->backend->told.reset();
  entered->gate->open(std::move(answer));
  session_->go_on_sending();
}

/// Without it the client would not be what the server wants it to be: it is to come back. Not where it was taken out of
/// the room meanwhile.
void connection::on_not_entered(net::command_fault why) {
  if (!rare_ || !rare_->enters)
    return;
  if (why == net::command_fault::not_allowed || why == net::command_fault::banned
      || why == net::command_fault::left)
    on_entered_one();
  else
    session_->close(1013, "try again later", net::close_reason::join_failed);
}

} // namespace canang::actors
