#include "cluster/memory/memory_broker.hpp"
#include "tests/unit/support/clock.hpp"
#include "tests/unit/support/memory_rooms.hpp"
#include "tests/unit/support/room_log.hpp"
#include "tests/unit/support/seed.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <utility>

namespace canang::cluster {
namespace {

using namespace std::chrono_literals;
using time_point = memory_broker::clock::time_point;

/// What a memory broker is to do, as plainly as it can be said. `expire` is called whenever time has
/// moved, so that every history's lifetime ends at its moment; keys are looked at together with it, and when
/// something is published.
class plain_broker {
public:
  struct key {
    std::string name;
    std::uint64_t offset;
    time_point used_at;
  };
  struct stream {
    std::uint64_t offset = 0;
    std::uint64_t life = 0; // which life of the room it is
    std::deque<std::string> kept;
    std::deque<key> keys;
    time_point last_used;
    time_point review_at;
    std::uint64_t order = 0; // of the last publication, coming or going among all rooms
    bool subscribed = false;
  };

  plain_broker(const room_settings& settings, const memory_broker_options& options)
    : settings_(settings), options_(options) {}

  std::map<std::string, stream> rooms;

  stream& at(const std::string& room, time_point now) {
    const auto [found, is_new] = rooms.try_emplace(room);
    if (is_new)
      found->second = {0, ++lives_, {}, {}, now, now + settings_.history_ttl, ++order_, false};
    return found->second;
  }

  void set_subscribed(stream& room, bool subscribed) {
    if (room.subscribed != subscribed)
      room.order = ++order_;
    room.subscribed = subscribed;
  }

  /// @returns the offset, and whether it is new.
  std::pair<std::uint64_t, bool> publish(const std::string& room, const std::string& data,
                                         const std::string& name, time_point now) {
    auto& target = at(room, now);
    forget_old_keys(target, now);
    for (const auto& known : target.keys)
      if (!name.empty() && known.name == name)
        return {known.offset, false};
    ++target.offset;
    if (!name.empty())
      target.keys.push_back({name, target.offset, now});
    if (target.keys.size() > options_.idempotency_keys)
      target.keys.pop_front();
    target.last_used = now;
    target.review_at = now + settings_.history_ttl;
    target.order = ++order_;
    target.kept.push_back(data);
    while (target.kept.size() > settings_.history_size || bytes(target) > settings_.history_bytes
           || history_cost(target) > options_.total_bytes)
      target.kept.pop_front();
    while (total_cost() > options_.total_bytes) {
      stream* loser = nullptr; // without a subscriber rather than with one
      for (auto& [other_name, other] : rooms)
        if (&other != &target && (!other.kept.empty() || !other.keys.empty())
            && (loser == nullptr
                || std::pair{other.subscribed, other.order}
                     < std::pair{loser->subscribed, loser->order}))
          loser = &other;
      if (loser == nullptr) {
        target.kept.clear();
        break;
      }
      loser->kept.clear();
      loser->keys.clear();
    }
    return {target.offset, true};
  }

  void expire(time_point now) {
    for (auto& [name, room] : rooms) {
      if (now - room.last_used >= settings_.history_ttl)
        room.kept.clear();
      if (now < room.review_at)
        continue;
      forget_old_keys(room, now);
      room.review_at = now + settings_.history_ttl;
    }
  }

  std::size_t total() const {
    std::size_t sum = 0;
    for (const auto& [name, room] : rooms)
      sum += bytes(room);
    return sum;
  }

  std::size_t total_cost() const {
    std::size_t sum = 0;
    for (const auto& [name, room] : rooms)
      sum += history_cost(room) + keys_cost(room);
    return sum;
  }

private:
  void forget_old_keys(stream& room, time_point now) const {
    while (!room.keys.empty() && now - room.keys.front().used_at >= options_.idempotency_ttl)
      room.keys.pop_front();
  }

  static std::size_t history_cost(const stream& room) {
    std::size_t sum = room.kept.empty() ? 0 : recent_publications::list_cost;
    for (const auto& data : room.kept)
      sum += test::publication_of(data)->cost() + recent_publications::place_cost;
    return sum;
  }

  static std::size_t keys_cost(const stream& room) {
    idempotency_keys keys;
    for (const auto& known : room.keys)
      keys.remember(known.name, known.offset, {}, room.keys.size());
    return room.keys.empty() ? 0 : keys.cost();
  }

  static std::size_t bytes(const stream& room) {
    std::size_t sum = 0;
    for (const auto& data : room.kept)
      sum += data.size();
    return sum;
  }

  room_settings settings_;
  memory_broker_options options_;
  std::uint64_t lives_ = 0;
  std::uint64_t order_ = 0;
};

void compare(std::uint32_t seed) {
  SCOPED_TRACE(seed);
  test::dice random{seed};
  room_settings settings;
  memory_broker_options options;
  settings.history_size = random.roll<std::size_t>(0, 20);
  settings.history_bytes = random.roll<std::size_t>(0, 200);
  settings.history_ttl = std::chrono::seconds{random.roll(1, 60)};
  options.total_bytes = random.roll<std::size_t>(0, 12'000);
  options.idempotency_ttl = std::chrono::seconds{random.roll(1, 60)};
  options.idempotency_keys = random.roll<std::size_t>(1, 8);
  test::moving_clock clock;
  test::memory_rooms broker{settings, options, [&] { return clock.now; }};
  plain_broker model{settings, options};
  std::map<std::string, test::room_log> logs;
  std::map<std::string, std::map<std::uint64_t, std::string>> epochs; // by room and life

  for (int step = 0; step < 2000; ++step) {
    const std::string room(1, random.roll('a', 'f'));
    // a forgotten room begins anew; the broker may keep it for longer than the model has to
    if (const auto known = model.rooms.find(room); known != model.rooms.end()) {
      const auto top = test::history_of(broker, room, 0).top;
      if (top.offset == 0 && known->second.offset > 0) {
        ASSERT_FALSE(known->second.subscribed) << "a room with a subscriber keeps its offsets";
        ASSERT_TRUE(known->second.kept.empty()) << "a room with history keeps its offsets";
        ASSERT_TRUE(known->second.keys.empty()) << "a room with keys keeps its offsets";
        model.rooms.erase(known);
      }
    }
    const bool is_known = model.rooms.count(room) > 0;
    auto& log = logs[room];
    switch (random.roll(0, 9)) {
    case 0:
      clock.move(std::chrono::seconds{random.one_in(10) ? random.roll(0, 100) : 1});
      model.expire(clock.now);
      broker.expire();
      // which rooms are forgotten is checked by the epochs; that they are, at the end
      break;
    case 1:
      if (!model.at(room, clock.now).subscribed) {
        broker.subscribe(room, log);
        model.set_subscribed(model.at(room, clock.now), true);
      }
      break;
    case 2:
      broker.unsubscribe(room);
      if (is_known)
        model.set_subscribed(model.rooms[room], false);
      break;
    default: {
      const auto data = std::string(random.roll<std::size_t>(0, 60), random.roll('A', 'Z'));
      const auto key = random.one_in(2) ? std::string(1, random.roll('p', 'z')) : std::string{};
      const auto seen = log.publications.size();
      const auto answered = log.outcomes.size();
      const auto [offset, is_new] = model.publish(room, data, key, clock.now);
      broker.publish(room, test::publication_of(data), key);
      auto& epoch = epochs[room][model.rooms[room].life];
      if (epoch.empty())
        epoch = test::history_of(broker, room, 0).top.epoch;
      if (model.rooms[room].subscribed) {
        ASSERT_EQ(log.publications.size(), seen + (is_new ? 1 : 0));
        ASSERT_EQ(log.outcomes.size(), answered + 1);
        ASSERT_EQ(log.outcomes.back().at, (position{epoch, offset}));
        ASSERT_EQ(log.outcomes.back().duplicate, !is_new);
      } else {
        ASSERT_EQ(log.calls.size(), seen + answered) << "told though not subscribed";
      }
      break;
    }
    }
    ASSERT_EQ(broker.history_bytes(), model.total());
    ASSERT_EQ(broker.history_cost(), model.total_cost());
    if (const auto known = model.rooms.find(room); known != model.rooms.end()) {
      const auto limit = random.roll<std::size_t>(0, 25);
      const auto& kept = known->second.kept;
      const auto page = test::history_of(broker, room, limit);
      ASSERT_EQ(page.publications.size(), std::min(limit, kept.size()));
      for (std::size_t i = 0; i < page.publications.size(); ++i)
        ASSERT_EQ(page.publications[i]->data, kept[kept.size() - page.publications.size() + i]);
    }
  }
  for (const auto& [room, lives] : epochs) {
    std::map<std::string, int> uses;
    for (const auto& [life, epoch] : lives)
      ASSERT_EQ(++uses[epoch], 1) << "an epoch came back";
  }
  for (auto& [name, room] : model.rooms)
    broker.unsubscribe(name);
  for (int i = 0; i < 10; ++i) {
    clock.move(100s);
    broker.expire();
  }
  EXPECT_EQ(broker.room_count(), 0U) << "nothing is left over";
  EXPECT_EQ(broker.history_bytes(), 0U);
  EXPECT_EQ(broker.history_cost(), 0U);
  EXPECT_EQ(broker.idle_history_cost(), 0U);
  EXPECT_EQ(broker.rooms_cost(), 0U);
}

TEST(memory_broker, agrees_with_a_plain_model) {
  const auto seed = test::random_seed();
  for (std::uint32_t round = 0; round < 30; ++round) {
    compare(seed + round);
    if (testing::Test::HasFatalFailure())
      return;
  }
}

} // namespace
} // namespace canang::cluster
