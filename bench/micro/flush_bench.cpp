#include "actors/fanout.hpp"
#include "bench/micro/null_session.hpp"
#include "net/protocol/plain.hpp"

#include <benchmark/benchmark.h>

#include <chrono>
#include <memory>
#include <string>

namespace canang::bench {

namespace {

cluster::publication_ptr publication(actors::connection_id publisher) {
  auto message = std::make_shared<cluster::publication>();
  message->data.assign(64, 'x');
  message->publisher = publisher;
  message->received_at = net::loop_context::clock::now();
  return message;
}

/// Rooms of equal size, the members of each behind those of the one before.
void fill(actors::fanout& members, std::int64_t rooms, std::int64_t members_a_room) {
  for (std::int64_t id = 1; id <= rooms * members_a_room; ++id) {
    const auto member = static_cast<actors::connection_id>(id);
    members.attach(member, net::session_ptr{new null_session});
    members.add({static_cast<actors::room_id>((id - 1) / members_a_room + 1),
                 member,
                 &net::plain_format(),
                 {}});
  }
}

/// A turn of a hub without the system calls: `messages` to each of `rooms`, then the flush.
/// An item is a delivery.
void flush(benchmark::State& state) {
  const auto rooms = state.range(0);
  const auto members_a_room = state.range(1);
  const auto messages = state.range(2);
  net::loop_context context{{}};
  actors::fanout members{context};
  fill(members, rooms, members_a_room);
  for (auto _ : state) {
    for (std::int64_t room = 1; room <= rooms; ++room) {
      const auto last = static_cast<actors::connection_id>(room * members_a_room);
      for (std::int64_t i = 0; i < messages; ++i)
        members.deliver(static_cast<actors::room_id>(room), publication(last));
    }
    members.flush();
  }
  if (context.metrics.messages_dropped_total.value() != 0)
    state.SkipWithError("a delivery was dropped");
  state.SetItemsProcessed(state.iterations() * rooms * members_a_room * messages);
}
/// The same where each session is in several rooms: what it costs to gather. An item is a delivery.
void flush_many_rooms(benchmark::State& state) {
  const auto sessions = static_cast<actors::connection_id>(state.range(0));
  const auto rooms_each = static_cast<actors::room_id>(state.range(1));
  const auto rooms = static_cast<actors::room_id>(sessions);
  net::loop_context context{{}};
  actors::fanout members{context};
  for (actors::connection_id id = 1; id <= sessions; ++id) {
    members.attach(id, net::session_ptr{new null_session});
    for (actors::room_id i = 0; i < rooms_each; ++i)
      members.add({(id + i * 97) % rooms + 1, id, &net::plain_format(), {}});
  }
  for (auto _ : state) {
    for (actors::room_id room = 1; room <= rooms; ++room)
      members.deliver(room, publication(0));
    members.flush();
  }
  if (context.metrics.messages_dropped_total.value() != 0)
    state.SkipWithError("a delivery was dropped");
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(sessions * rooms_each));
}
BENCHMARK(flush_many_rooms)->ArgNames({"sessions", "rooms"})->Args({1000, 1})->Args({1000, 10});

BENCHMARK(flush)
  ->ArgNames({"rooms", "members", "messages"})
  ->Args({1, 1000, 1})
  ->Args({1, 1000, 32})
  ->Args({1, 1000, 128})
  ->Args({1000, 10, 1});

} // namespace

} // namespace canang::bench
