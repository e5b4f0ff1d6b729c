#include "actors/directory.hpp"
#include "actors/hub.hpp"
#include "actors/messages.hpp"
#include "actors/runtime/slim_actor.hpp"
#include "bench/micro/manual_home.hpp"
#include "bench/micro/null_session.hpp"
#include "cluster/memory/memory_broker.hpp"
#include "net/protocol/plain.hpp"

#include <benchmark/benchmark.h>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>

#include <memory>
#include <string>

namespace canang::bench {

namespace {

/// Stands in for a connection: a name that can join and die.
class client final : public actors::slim_actor {
public:
  explicit client(caf::actor_config& config) : slim_actor(config) {}
  const char* name() const override { return "client"; }

private:
  void on_mail(caf::type_erased_tuple&) override {}
  void on_exit() override {}
};

/// A member comes and goes: connection => directory => room => hub, then its death => room. All but
/// the socket. `rooms` of them exist and are visited in turn, each with one member that stays.
void join_and_leave(benchmark::State& state) {
  const auto rooms = static_cast<std::size_t>(state.range(0));
  caf::actor_system_config config;
  caf::actor_system system{config};
  manual_home home{system};
  net::loop_context context{{}};
  actors::fanout members{context};
  const cluster::room_settings_source settings{std::make_shared<cluster::room_settings_table>()};
  cluster::memory_broker broker{{}, [] { return cluster::memory_broker::clock::now(); }, settings};
  actors::node_cast cast(1);
  const actors::bridge_cast alone;
  const actors::room_services services{broker, context.metrics, cast, alone, context};
  cast[0].backlog = context.metrics.backlog_bytes;
  cast[0].hub = actors::spawn_pinned<actors::hub>(system, home, members, context);
  cast[0].directory = actors::spawn_pinned<actors::directory>(system, home, services,
                                                              actors::directory_options{}, [] {});

  const auto come = [&](std::size_t room) {
    auto member = actors::spawn_pinned<client>(system, home);
    members.attach(member.id(), net::session_ptr{new null_session});
    actors::join_room request;
    request.room = "room-" + std::to_string(room);
    request.ticket = std::make_shared<actors::join_ticket>(member, 1);
    request.format = &net::plain_format();
    caf::anon_send(cast[0].directory, std::move(request));
    home.run();
    return member;
  };
  const auto go = [&](const caf::actor& member) {
    members.detach(member.id());
    caf::anon_send_exit(member, caf::exit_reason::user_shutdown);
    home.run();
  };

  std::vector<caf::actor> residents;
  for (std::size_t room = 0; room < rooms; ++room)
    residents.push_back(come(room));
  std::size_t next = 0;
  for (auto _ : state) {
    go(come(next));
    next = (next + 1) % rooms;
  }
  if (context.metrics.members.value() != rooms)
    state.SkipWithError("a member is left over or missing");
  state.SetItemsProcessed(state.iterations());

  for (const auto& member : residents)
    go(member);
  residents.clear();
  for (auto* const standing : {&cast[0].directory, &cast[0].hub}) {
    caf::anon_send_exit(*standing, caf::exit_reason::user_shutdown);
    *standing = nullptr;
  }
  home.run();
}
BENCHMARK(join_and_leave)->ArgName("rooms")->Arg(1)->Arg(1000);

} // namespace

} // namespace canang::bench
