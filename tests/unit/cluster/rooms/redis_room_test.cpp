// A room on a Redis that answers as it is told to.

#include "cluster/rooms/redis_room.hpp"

#include "cluster/rooms/redis_leaves.hpp"
#include "cluster/rooms/room_scripts.hpp"
#include "tests/unit/support/room_log.hpp"
#include "tests/unit/support/shard_fixture.hpp"

#include <memory>
#include <string>
#include <vector>

namespace canang::cluster {
namespace {

using namespace std::chrono_literals;

struct redis_room_test : test::shard_fixture {
  std::chrono::steady_clock::time_point now{1h};
  std::unique_ptr<redis_room_services> services;
  std::shared_ptr<redis_room> room;
  test::room_log heard;
  std::string refusal;            ///< what scripts are answered
  std::vector<std::string> pages; ///< else what reads are answered, one after the other
  bool holds = false;             ///< reads are answered by `answer_held`
  test::fake_redis::client* held = nullptr;
  std::vector<broker_errc> joins;

  void SetUp() override {
    server.script = [this](auto& who, const auto& words) -> std::optional<std::string> {
      if (words[0] != "EVALSHA")
        return std::nullopt;
      if (!refusal.empty())
        return '-' + refusal + "\r\n";
      if (words[1] != room_scripts().read.sha())
        return "*0\r\n";
      if (holds)
        held = &who;
      if (holds || pages.empty())
        return "";
      auto page = pages.front();
      pages.erase(pages.begin());
      return page;
    };
    options.probe_interval = options.probe_timeout = options.command_timeout =
      5s; // while it is held
    come_up();
    services = std::make_unique<redis_room_services>(
      redis_room_services{.shard = *shard,
                          .options = {},
                          .settings = std::make_shared<room_settings_table>(),
                          .prefix = "test",
                          .origin = 1,
                          .metrics = metrics,
                          .now = [this] { return now; }});
    services->complain = [](std::string_view) {};
    room = std::make_shared<redis_room>(*services, "r");
    room->set_subscriber(&heard);
  }

  void TearDown() override {
    if (shard)
      shard->stop(); // what is on its way holds the room
  }

  /// As of read.lua: entries are pairs of last offset and batch.
  static std::string page(std::uint64_t top,
                          const std::vector<std::pair<std::uint64_t, std::string>>& entries = {}) {
    auto all = "*5\r\n" + test::bulk("abcdefghab") + test::bulk(std::to_string(top))
               + test::bulk("") + test::bulk(std::to_string(top)) + '*'
               + std::to_string(entries.size()) + "\r\n";
    for (const auto& [last, bytes] : entries)
      all += "*2\r\n" + test::bulk(std::to_string(last) + "-0") + test::array_of({"b", bytes});
    return all;
  }

  static std::string entry(std::string data) {
    std::string bytes;
    append_batch_header(bytes, {7, 1});
    append_publication(bytes, *test::publication_of(std::move(data)));
    return bytes;
  }

  void join(std::size_t limit = 3) {
    room->recover({std::nullopt, limit}, [this](history_page&& got) {
      joins.push_back(got.error);
      last_joined = test::texts(got);
    });
  }
  void join_since(std::uint64_t offset) {
    room->recover({position{"abcdefghab", offset}, 0},
                  [this](history_page&& got) { joins.push_back(got.error); });
  }
  std::string last_joined;

  void answer_held(const std::string& page) {
    ASSERT_NE(held, nullptr);
    server.send(*std::exchange(held, nullptr), page);
    settle();
  }

  void settle() {
    for (int i = 0; i < 3; ++i) { // an answer may be a reason to ask again
      room->send_pending();
      test::settle(io, 20ms);
    }
  }
};

TEST_F(redis_room_test, what_passes_by_itself_is_told_as_such) {
  const struct {
    const char* error;
    broker_errc told;
  } table[] = {
    {"NOREPLICAS Not enough good replicas to write.", broker_errc::unavailable},
    {"MISCONF Errors writing to the AOF file: No space left on device", broker_errc::unavailable},
    {"OOM command not allowed when used memory > 'maxmemory'.", broker_errc::unavailable},
    {"BUSY Redis is busy running a script.", broker_errc::unavailable},
    {"NOPERM this user has no permissions", broker_errc::unavailable},
    {"ERR The user executing the script can't run this command", broker_errc::unavailable},
    {"WRONGTYPE Operation against a key holding the wrong kind of value", broker_errc::refused},
  };
  for (const auto& row : table) {
    refusal = row.error;
    heard.outcomes.clear();
    joins.clear();
    room->publish(test::publication_of("x"), {});
    room->on_subscribed();
    join();
    settle();
    ASSERT_EQ(heard.outcomes.size(), 1U) << row.error;
    EXPECT_EQ(heard.outcomes[0].error, row.told) << row.error;
    ASSERT_EQ(joins.size(), 1U) << row.error;
    EXPECT_EQ(joins[0], row.told) << row.error;
  }
}

TEST_F(redis_room_test, an_entry_that_cannot_be_read_is_a_hole_and_what_is_newer_is_of_use) {
  pages = {page(3, {{1, entry("a")}, {2, "rubbish"}, {3, entry("c")}})};
  join();
  room->on_subscribed();
  settle();
  ASSERT_EQ(joins, std::vector{broker_errc::none});
  EXPECT_EQ(last_joined, "c");
  EXPECT_EQ(metrics.bad_truncated.value() + metrics.bad_foreign.value(),
            metrics.history_reads.value());
}

TEST_F(redis_room_test, joiners_of_a_storm_wait_from_the_last_read_that_was_answered) {
  holds = true;
  join();
  room->on_subscribed();
  settle();
  now += 1500ms;
  join_since(99); // the read that is under way began before
  answer_held(page(0));
  EXPECT_EQ(joins.size(), 1U);
  now += 600ms;
  room->expire();
  EXPECT_EQ(joins.size(), 1U) << "reads are answered, and the next one is under way";
  answer_held(page(0));
  EXPECT_EQ(joins, (std::vector{broker_errc::none, broker_errc::none}));
  join_since(99);
  settle();
  now += 2100ms;
  room->expire();
  EXPECT_EQ(joins.back(), broker_errc::unavailable);
}

TEST_F(redis_room_test, a_read_that_found_nothing_new_is_not_followed_by_another_for_a_second) {
  pages = {page(0), page(0), page(1, {{1, entry("a")}}), page(1), page(2, {{2, entry("b")}})};
  join(0);
  room->on_subscribed();
  settle();
  ASSERT_EQ(joins.size(), 1U);
  EXPECT_EQ(metrics.history_reads.value(), 1U);
  join_since(99); // needless, and the first
  settle();
  ASSERT_EQ(joins.size(), 2U);
  for (int i = 0; i < 5; ++i)
    join_since(99);
  for (int i = 0; i < 9; ++i) {
    now += 100ms;
    settle();
    room->expire();
  }
  EXPECT_EQ(joins.size(), 2U);
  EXPECT_EQ(metrics.history_reads.value(), 2U);
  now += 200ms;
  settle();
  EXPECT_EQ(joins, std::vector(7, broker_errc::none)) << "one read for all of them";
  EXPECT_EQ(metrics.history_reads.value(), 3U);
  EXPECT_EQ(heard.calls, "m") << "which found something";
  batch foreign{"ffffffffff", 7, {test::publication_of("not ours")}};
  room->on_batch(foreign);
  settle();
  EXPECT_EQ(metrics.history_reads.value(), 4U) << "at once";
  for (int i = 0; i < 50; ++i)
    room->on_batch(foreign);
  settle();
  EXPECT_EQ(metrics.history_reads.value(), 4U);
  now += 1s;
  settle();
  EXPECT_EQ(metrics.history_reads.value(), 5U);
  EXPECT_EQ(heard.calls, "mm") << "nothing foreign was heard";
}

TEST_F(redis_room_test, what_nobody_published_in_is_released_when_nobody_is_there) {
  std::vector<test::fake_redis::words> released;
  const auto inner = server.script;
  server.script = [&](auto& who, const auto& words) -> std::optional<std::string> {
    if (words[0] != "EVALSHA" || words[1] != room_scripts().release.sha())
      return inner(who, words);
    released.push_back(words);
    return ":1\r\n";
  };
  services->node = "n1";
  pages = {page(0), page(0), page(1, {{1, entry("a")}})};
  join(0);
  room->on_subscribed();
  settle();
  ASSERT_TRUE(room->is_live());
  room->set_subscriber(nullptr);
  EXPECT_TRUE(room->is_busy()) << "it has to be released yet";
  EXPECT_FALSE(room->is_live());
  settle();
  ASSERT_EQ(released.size(), 1U);
  EXPECT_EQ(released[0].back(), "n1");
  EXPECT_FALSE(room->is_busy());
  room->on_subscribed(); // the link is new
  settle();
  EXPECT_EQ(metrics.history_reads.value(), 1U) << "nobody wants to know";
  room->set_subscriber(&heard);
  join(0);
  settle();
  EXPECT_EQ(joins, (std::vector{broker_errc::none, broker_errc::none}));
  EXPECT_EQ(metrics.history_reads.value(), 2U);
  const auto first = test::publication_of("a");
  first->offset = 1;
  room->on_batch({"abcdefghab", 1, {first}});
  room->set_subscriber(nullptr);
  settle();
  EXPECT_EQ(released.size(), 1U) << "it has a history now";
}

TEST_F(redis_room_test, is_nothing_any_more_when_the_broker_has_let_go_of_it) {
  pages = {page(1, {{1, entry("a")}})};
  join();
  room->on_subscribed();
  settle();
  ASSERT_EQ(joins.size(), 1U);
  EXPECT_GT(services->windows_cost, 0U);
  room->retire();
  EXPECT_EQ(services->windows_cost, 0U);
  room->on_position({"hgfedcbahg", 5}, false); // the answer to a question of before
  EXPECT_FALSE(room->is_busy()) << "it would be in the way of a new room of that name";
  settle();
  EXPECT_EQ(services->windows_cost, 0U);
}

/// The channel may be ahead of the read that they wait for, which then does not reach what comes next.
TEST_F(redis_room_test, keeps_its_window_while_joiners_wait_to_be_served_from_it) {
  pages = {page(2)};
  join(0);
  room->on_subscribed();
  settle();
  ASSERT_EQ(joins.size(), 1U);
  holds = true;
  join(3);
  settle();
  ASSERT_NE(held, nullptr) << "all that is kept is being read";
  const auto third = test::publication_of("c");
  third->offset = 3;
  room->on_batch({"abcdefghab", 3, {third}});
  room->forget_window(); // memory is short
  EXPECT_GT(services->windows_cost, 0U);
  answer_held(page(2, {{1, entry("a")}, {2, entry("b")}}));
  ASSERT_EQ(joins, (std::vector{broker_errc::none, broker_errc::none}));
  EXPECT_EQ(last_joined, "abc");
  room->forget_window();
  EXPECT_EQ(services->windows_cost, 0U) << "nobody waits any more";
}

TEST_F(redis_room_test, leaves_that_wait_while_redis_is_away_are_bounded) {
  redis_leaves leaves{*services, {"n1", {}}};
  for (int i = 0; i < 70'000; ++i)
    leaves.wait("r", {"n1/" + std::to_string(i), {}}, now + std::chrono::milliseconds{i});
  EXPECT_EQ(leaves.waiting_count(), 65'536U);
}

} // namespace
} // namespace canang::cluster
