#include "tests/support/sim_node.hpp"

#include "actors/heartbeat.hpp"
#include "actors/hub.hpp"
#include "net/protocol/plain.hpp"
#include "tests/support/sim_mail.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_registry.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace canang::sim {

namespace {

constexpr std::size_t max_steps_to_settle = 1'000'000;

std::int64_t value(const net::counter& gauge) { return static_cast<std::int64_t>(gauge.value()); }

bool is_traced() {
  static const bool wanted = std::getenv("CANANG_TRACE") != nullptr;
  return wanted;
}

} // namespace

sim_node::system_config::system_config() { set("scheduler.policy", caf::atom("testing")); }

sim_node::loop_parts::loop_parts(sim_node& owner, std::uint32_t index)
  : context(owner.options_.limits),
    home(owner.system_, index),
    members(context, owner.options_.settings),
    beats(owner.options_.beats, owner.start_, index + 1),
    broker([&owner] { return owner.now(); }, owner.options_.history),
    authorizer(owner.chance_),
    room_services{.broker = broker,
                  .metrics = context.metrics,
                  .cast = owner.cast_,
                  .bridges = owner.bridges_,
                  .context = context,
                  .kept = &broker.keeper(),
                  .limit = &owner.room_limit_,
                  .paces = &paces},
    connection_services{.loop = index,
                        .context = context,
                        .members = members,
                        .beats = beats,
                        .cast = owner.cast_,
                        .authorizer = owner.options_.asks ? &authorizer : nullptr,
                        .settings = owner.options_.settings} {
  context.new_turn(owner.now()); // without an end
  owner.room_limit_.watch(context.metrics);
  if (owner.options_.delays_history)
    broker.delay_answers(owner.chance_);
}

sim_node::sim_node(const node_options& options, std::uint64_t seed)
  : options_(options), chance_(seed), room_limit_(options.max_rooms), system_(config_) {
  spdlog::set_level(spdlog::level::off);
  // some seeds are even, in others one loop, the sockets or the flush is far ahead of the rest
  const auto weight = [this] { return std::size_t{1} << (2 * chance_.between(0, 3)); };
  actor_weight_ = weight();
  later_weight_ = weight();
  flush_weight_ = weight();
  base_actors_ = system_.registry().running();
  for (std::uint32_t i = 0; i < options_.loops; ++i) {
    loops_.push_back(std::make_unique<loop_parts>(*this, i));
    loop_weights_.push_back(weight());
  }
  for (auto& on : loops_) {
    actors::loop_cast own;
    own.backlog = on->context.metrics.backlog_bytes;
    own.hub = actors::spawn_pinned<actors::hub>(system_, on->home, on->members, on->context);
    own.heartbeat = actors::spawn_pinned<actors::heartbeat>(system_, on->home, on->beats);
    own.directory =
      actors::spawn_pinned<actors::directory>(system_, on->home, on->room_services, options_.rooms,
                                              [at = on.get()] { at->broker.expire(); });
    cast_.push_back(own);
  }
}

sim_node::~sim_node() {
  if (cast_.empty())
    return;
  for (auto& one : clients_)
    kill(one);
  stop_cast();
}

client& sim_node::connect(const client_options& asked) {
  auto& added = clients_.emplace_back();
  added.asked = asked;
  added.number = clients_.size() - 1;
  added.peer = std::make_shared<fake_peer>();
  added.broker = &broker_of(asked.room);
  auto& on = *loops_[asked.loop];
  const sim_home::turn mine{on.home};
  const net::session_ptr session{
    new fake_session{added.number, on.context, later_, &on.home, added.peer}};
  // what start_connection does, and it keeps the address
  const auto handle = actors::spawn_pinned<actors::connection>(
    system_, on.home, on.connection_services, session,
    asked.format == nullptr ? net::plain_format() : *asked.format);
  added.id = handle.id();
  added.connection = handle.address();
  by_id_[added.id] = &added;
  auto& started = *caf::actor_cast<actors::connection*>(handle);
  started.enter([&] {
    started.start({.room = asked.room,
                   .echo = asked.echo,
                   .history = asked.history,
                   .user = asked.user,
                   .token = asked.token});
  });
  return added;
}

void sim_node::publish(client& from, std::size_t padding_bytes) {
  auto text = from.asked.room + "/" + std::to_string(from.number) + "/"
              + std::to_string(from.sent.size()) + std::string(padding_bytes, '.');
  from.sent.push_back(text);
  from.peer->send(chance_.one_in(2) ? net::frame_type::text : net::frame_type::binary,
                  std::move(text));
}

void sim_node::kill(client& victim) {
  const sim_home::turn mine{loops_[victim.asked.loop]->home};
  if (const auto target = caf::actor_cast<caf::actor>(victim.connection))
    caf::anon_send_exit(target, caf::exit_reason::kill);
}

caf::actor sim_node::room_called(std::string_view name) const {
  for (const auto& [id, address] : rooms_seen_) {
    const auto room = caf::actor_cast<caf::actor>(address);
    if (room && caf::actor_cast<actors::room*>(room)->room_name() == name)
      return room;
  }
  return nullptr;
}

void sim_node::kill_some_room() {
  std::vector<caf::actor> living;
  for (const auto& [id, address] : rooms_seen_)
    if (auto room = caf::actor_cast<caf::actor>(address))
      living.push_back(std::move(room));
  if (!living.empty())
    caf::anon_send_exit(living[chance_.between(0, living.size() - 1)], caf::exit_reason::kill);
}

void sim_node::change_settings() {
  for (auto& on : loops_)
    on->authorizer.change();
}

void sim_node::leave(client& who) {
  if (const auto room = caf::actor_cast<caf::actor>(who.room_actor))
    caf::anon_send(room, actors::leave_room{who.id, 1}); // its first membership, and only one
}

bool sim_node::step() {
  auto& coordinator = dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
  while (coordinator.try_run_once()) {
    // actors that are not pinned: CAF's own
  }
  struct choice {
    std::size_t weight;
    loop_parts* actor_of = nullptr;
    loop_parts* flush_of = nullptr;
    std::uint64_t session = 0;
    loop_parts* asked = nullptr;
    loop_parts* stored = nullptr;
  };
  std::vector<choice> choices;
  std::size_t sum = 0;
  const auto offer = [&](const choice& one) {
    choices.push_back(one);
    sum += one.weight;
  };
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    if (loops_[i]->is_stopped)
      continue;
    if (!loops_[i]->home.ready().empty())
      offer({actor_weight_ * loop_weights_[i], loops_[i].get(), nullptr, 0});
    if (loops_[i]->has_turned)
      offer({flush_weight_ * loop_weights_[i], nullptr, loops_[i].get(), 0});
    if (loops_[i]->authorizer.has_pending())
      offer({later_weight_, nullptr, nullptr, 0, loops_[i].get()});
    if (loops_[i]->broker.has_pending())
      offer({later_weight_, nullptr, nullptr, 0, nullptr, loops_[i].get()});
  }
  for (const auto session : later_.ready())
    if (!loops_[clients_[session].asked.loop]->is_stopped)
      offer({later_weight_, nullptr, nullptr, session});
  if (choices.empty())
    return false;
  auto at = chance_.between(0, sum - 1);
  auto chosen = choices.begin();
  for (; at >= chosen->weight; ++chosen)
    at -= chosen->weight;
  if (chosen->actor_of != nullptr) {
    run_actor(*chosen->actor_of);
  } else if (chosen->flush_of != nullptr) {
    flush(*chosen->flush_of);
  } else if (chosen->stored != nullptr) {
    const sim_home::turn mine{chosen->stored->home};
    chosen->stored->broker.run();
    chosen->stored->has_turned = true;
  } else if (chosen->asked != nullptr) {
    const sim_home::turn mine{chosen->asked->home};
    chosen->asked->authorizer.run();
    chosen->asked->has_turned = true;
  } else {
    auto& on = *loops_[clients_[chosen->session].asked.loop];
    const sim_home::turn mine{on.home};
    if (is_traced())
      std::printf("loop %u: session %llu\n", on.home.index(),
                  static_cast<unsigned long long>(chosen->session));
    later_.run(chosen->session);
    on.has_turned = true;
  }
  verify();
  return true;
}

void sim_node::run_actor(loop_parts& on) {
  auto& job = *on.home.ready().front();
  note_message(job);
  const auto* const actor = dynamic_cast<caf::local_actor*>(&job);
  const bool is_room = actor != nullptr && std::string_view{actor->name()} == "room";
  on.home.run(is_room || chance_.one_in(2) ? 1 : 64);
  on.has_turned = true;
}

/// Keeps the moments by which the clients are judged: those at which rooms handle joins and leaves.
void sim_node::note_message(caf::resumable& job) {
  auto* const actor = dynamic_cast<actors::pinned*>(&job);
  if (is_traced()) {
    const auto* const any = dynamic_cast<caf::local_actor*>(&job);
    std::printf("%s %llu: %s\n", any->name(), static_cast<unsigned long long>(any->id()),
                actor == nullptr ? "mail" : name_of_next(*actor).c_str());
  }
  if (actor == nullptr || std::string_view{actor->name()} != "room")
    return;
  rooms_seen_.try_emplace(actor->id(), actor->address());
  if (const auto* const join = next_message<actors::join_room>(*actor)) {
    auto* const who = client_of(join->ticket->connection().id());
    if (who == nullptr || who->joined_at)
      return;
    who->joined_at = who->broker->record(who->asked.room).size();
    who->room_actor = actor->address();
  } else if (const auto* const leave = next_message<actors::leave_room>(*actor)) {
    auto* const who = client_of(leave->member);
    if (who != nullptr && !who->left_at && who->asked.format == nullptr)
      who->left_at = who->broker->record(who->asked.room).size();
  }
}

void sim_node::flush(loop_parts& on) {
  const sim_home::turn mine{on.home};
  on.members.flush();
  on.has_turned = false;
}

void sim_node::some_steps() {
  for (auto count = chance_.between(0, 1) * chance_.between(0, 12); count > 0 && step(); --count) {
    // each step is judged
  }
}

void sim_node::settle() {
  for (std::size_t count = 0; step(); ++count)
    ASSERT_LT(count, max_steps_to_settle) << "the node does not come to rest";
}

void sim_node::tick(std::chrono::milliseconds passed) {
  passed_ += passed;
  for (const auto& own : cast_)
    for (const auto& standing : {own.heartbeat, own.directory, own.hub})
      caf::anon_send(standing, actors::tick{now()});
}

void sim_node::pass(std::chrono::milliseconds passed) {
  tick(passed);
  for (auto& on : loops_) {
    const sim_home::turn mine{on->home};
    on->context.new_turn(now());
    on->context.deadlines.advance(now());
    on->has_turned = true;
  }
}

void sim_node::verify() {
  EXPECT_GE(members(), 0);
  for (const auto& on : loops_)
    EXPECT_GE(value(on->context.metrics.members), 0) << "loop " << on->home.index();
  EXPECT_GE(rooms(), 0);
  for (auto& one : clients_)
    one.verify(history_kept());
}

void sim_node::verify_complete() {
  for (auto& one : clients_)
    if (one.stays() && one.asked.format == nullptr)
      one.verify_complete(history_kept());
}

void sim_node::finish() {
  for (auto& one : clients_) {
    if (one.peer->session == nullptr)
      continue;
    switch (chance_.between(0, 2)) {
    case 0: kill(one); break;
    case 1: one.peer->close(1000, net::close_reason::normal); break;
    default: one.peer->vanish(); break;
    }
    some_steps();
  }
  settle();
  EXPECT_EQ(members(), 0) << "members that never left";
  EXPECT_EQ(connections(), 0);
  for (const auto& one : clients_) {
    EXPECT_EQ(one.peer->session, nullptr)
      << "the session of client " << one.number << " is left over";
    EXPECT_EQ(caf::actor_cast<caf::actor>(one.connection), nullptr)
      << "the connection of client " << one.number << " is left over";
  }
  for (int i = 0; i < 2; ++i) {
    tick(options_.rooms.room_linger + std::chrono::hours{1});
    settle();
  }
  EXPECT_EQ(rooms(), 0) << "rooms that were not reaped";
  for (const auto& on : loops_) {
    EXPECT_EQ(on->broker.subscribers(), 0U);
    EXPECT_EQ(value(on->context.metrics.members), 0) << "loop " << on->home.index();
    EXPECT_EQ(on->members.session_count(), 0U);
  }
  for (const auto& [id, address] : rooms_seen_)
    EXPECT_EQ(caf::actor_cast<caf::actor>(address), nullptr) << "room " << id << " is left over";
  EXPECT_EQ(system_.registry().running(), base_actors_ + 3 * loops_.size());
  stop_cast();
  EXPECT_EQ(system_.registry().running(), base_actors_);
}

void sim_node::stop_cast() {
  for (const auto& own : cast_)
    for (const auto& standing : {own.directory, own.heartbeat, own.hub})
      caf::anon_send_exit(standing, caf::exit_reason::user_shutdown);
  settle();
  cast_.clear();
}

client* sim_node::client_of(actors::connection_id id) {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

sim_broker& sim_node::broker_of(std::string_view room) {
  return loops_[actors::home_of(room, loops_.size())]->broker;
}

void sim_node::end_hold(std::string_view room, bool are_lost) {
  auto& on = *loops_[actors::home_of(room, loops_.size())];
  const sim_home::turn mine{on.home};
  on.broker.end_hold(are_lost);
  on.has_turned = true;
}

std::int64_t sim_node::members() const {
  std::int64_t sum = 0;
  for (const auto& on : loops_)
    sum += value(on->context.metrics.members);
  return sum;
}

std::uint64_t sim_node::waiting_bytes() const {
  std::uint64_t sum = 0;
  for (const auto& on : loops_)
    sum += on->context.metrics.room_waiting_bytes.value();
  return sum;
}

std::int64_t sim_node::rooms() const {
  std::int64_t sum = 0;
  for (const auto& on : loops_)
    sum += value(on->context.metrics.rooms);
  return sum;
}

std::int64_t sim_node::connections() const {
  std::int64_t sum = 0;
  for (const auto& on : loops_)
    sum += value(on->context.metrics.connections);
  return sum;
}

} // namespace canang::sim
