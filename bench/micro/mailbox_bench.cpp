#include "actors/messages.hpp"
#include "actors/runtime/loop.hpp"
#include "actors/runtime/pinned.hpp"
#include "actors/runtime/slim_actor.hpp"
#include "bench/micro/manual_home.hpp"

#include <benchmark/benchmark.h>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>

#include <atomic>
#include <cstdint>
#include <functional>

namespace canang::bench {

namespace {

class counting_actor final : public actors::pinned {
public:
  counting_actor(caf::actor_config& config, std::atomic<std::uint64_t>& handled)
    : pinned(config), handled_(handled) {}

private:
  caf::behavior make_behavior() override {
    return {[this](const actors::deliver&) { handled_.fetch_add(1, std::memory_order_relaxed); }};
  }

  std::atomic<std::uint64_t>& handled_;
};

class counting_slim_actor final : public actors::slim_actor {
public:
  counting_slim_actor(caf::actor_config& config, std::atomic<std::uint64_t>& handled)
    : slim_actor(config), handled_(handled) {}

  const char* name() const override { return "counting"; }

private:
  void on_mail(caf::type_erased_tuple& content) override {
    if (content.match_elements<actors::deliver>())
      handled_.fetch_add(1, std::memory_order_relaxed);
  }
  void on_exit() override {}

  std::atomic<std::uint64_t>& handled_;
};

/// One message to an actor of the same loop, from the send to the end of its handler.
template <class Actor>
void mailbox_hop(benchmark::State& state) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  manual_home home{system};
  std::atomic<std::uint64_t> handled{0};
  auto target = actors::spawn_pinned<Actor>(system, home, std::ref(handled));
  for (auto _ : state) {
    caf::anon_send(target, actors::deliver{1, nullptr});
    home.run();
  }
  if (handled != static_cast<std::uint64_t>(state.iterations()))
    state.SkipWithError("not every message was handled");
  state.SetItemsProcessed(state.iterations());
  caf::anon_send_exit(target, caf::exit_reason::user_shutdown);
  home.run();
}
BENCHMARK(mailbox_hop<counting_actor>)->Name("mailbox_hop/pinned");
BENCHMARK(mailbox_hop<counting_slim_actor>)->Name("mailbox_hop/slim");

/// From this thread to an actor of a loop, until it has been handled there.
void mailbox_hop_to_other_loop(benchmark::State& state) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  actors::loop home{system, 0, {}};
  std::atomic<std::uint64_t> handled{0};
  auto target = actors::spawn_pinned<counting_actor>(system, home, std::ref(handled));
  home.start();
  std::uint64_t sent = 0;
  for (auto _ : state) {
    caf::anon_send(target, actors::deliver{1, nullptr});
    ++sent;
    while (handled.load(std::memory_order_relaxed) != sent) {
    }
  }
  state.SetItemsProcessed(state.iterations());
  caf::anon_send_exit(target, caf::exit_reason::user_shutdown);
  target = nullptr;
  system.await_all_actors_done();
  home.stop();
}
BENCHMARK(mailbox_hop_to_other_loop)->Name("mailbox_hop/other_loop")->UseRealTime();

} // namespace

} // namespace canang::bench
