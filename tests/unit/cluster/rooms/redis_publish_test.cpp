// publish.lua on a real redis-server: idempotency keys, second tries, histories that have lost their end.

#include "cluster/rooms/room_scripts.hpp"
#include "tests/unit/support/presence_fixture.hpp"
#include "tests/unit/support/relay.hpp"

#include <vector>

namespace canang::cluster {
namespace {

struct redis_publish : presence_fixture {
  node_under_test* a = nullptr;

  void begin(std::uint16_t port = 0) {
    a = &start("n1", port);
    open(*a, "r");
  }

  void publish(const std::string& data, std::string_view key = {}) { a->publish("r", data, key); }

  /// What became of all publishes, and what was heard: `@1 =1 refused | a b`.
  std::string outcome(std::size_t count) {
    auto& room = a->rooms["r"];
    EXPECT_TRUE(until([&] { return room.outcomes.size() == count; }));
    rest();
    std::string text;
    for (const auto& each : room.outcomes)
      text += each.error != broker_errc::none
                ? "refused "
                : (each.duplicate ? '=' : '@') + std::to_string(each.at.offset) + ' ';
    text += '|';
    for (const auto& message : room.publications)
      text += ' ' + message->data;
    return text;
  }

  /// A call of the script past the broker.
  std::string call(std::uint64_t sequence, const std::string& data, std::uint64_t trim,
                   std::optional<std::uint64_t> seen = {}) {
    publish_call made{options_, settings_of_call_, {77, sequence}};
    made.set_keys(key("m", "r", "r"), key("s", "r", "r"), "nobody");
    made.set_trim(trim);
    if (seen)
      made.set_second_try(*seen);
    made.add(*test::publication_of(data), {});
    std::vector<std::string_view> command{"EVALSHA", room_scripts().publish.sha(), "2"};
    const auto keys = made.keys();
    const auto arguments = made.arguments();
    command.insert(command.end(), keys.begin(), keys.end());
    command.insert(command.end(), arguments.begin(), arguments.end());
    const auto answer = raw(*a, command);
    return answer.substr(answer.find('\n') + 1);
  }

private:
  redis_broker_options options_;
  room_settings settings_of_call_;
};

TEST_F(redis_publish, a_key_twice_in_one_batch_is_stored_once) {
  begin();
  publish("a", "k");
  publish("b", "k");
  publish("c");
  publish("d", "k");
  EXPECT_EQ(outcome(4), "@1 =1 @2 =1 | a c");
  publish("e", "k");
  EXPECT_EQ(outcome(5), "@1 =1 @2 =1 =1 | a c");
}

TEST_F(redis_publish, a_key_twice_in_a_batch_whose_answer_was_lost_is_a_duplicate_as_before) {
  begin();
  a->broker.reset();
  nodes.clear();
  test::relay between{io, process->port()};
  begin(between.port());
  between.lose_answer_to(room_scripts().publish.sha());
  publish("a", "k");
  publish("b", "k");
  publish("c", "l");
  EXPECT_EQ(outcome(3), "@1 =1 @2 | a c");
  EXPECT_TRUE(between.has_lost());
  nodes.clear();
}

TEST_F(redis_publish, a_key_of_what_was_not_stored_may_be_used_again) {
  begin();
  publish("a");
  EXPECT_EQ(outcome(1), "@1 | a");
  const auto stream = key("s", "r", "r");
  raw(*a, {"RENAME", stream, stream + ":aside"});
  raw(*a, {"SET", stream, "not a stream"});
  publish("b", "k");
  EXPECT_EQ(outcome(2), "@1 refused | a");
  raw(*a, {"RENAME", stream + ":aside", stream});
  publish("b", "k");
  EXPECT_EQ(outcome(3), "@1 refused @2 | a b");
}

TEST_F(redis_publish, a_trim_of_before_a_failover_takes_nothing_of_the_new_history) {
  begin();
  EXPECT_EQ(call(1, "a", 0), "1\n");
  EXPECT_EQ(call(2, "b", 100), "2\n") << "the offset is of a history that had come further";
  EXPECT_EQ(raw(*a, {"XLEN", key("s", "r", "r")}), "2");
  EXPECT_EQ(call(3, "c", 1), "3\n");
  EXPECT_EQ(raw(*a, {"XLEN", key("s", "r", "r")}), "2") << "one that is within it holds";
}

TEST_F(redis_publish, a_second_try_that_saw_more_than_is_left_is_found_all_the_same) {
  begin();
  EXPECT_EQ(call(1, "a", 0), "1\n");
  EXPECT_EQ(call(2, "b", 0), "2\n");
  EXPECT_EQ(call(2, "b", 0, 50), "2\n") << "stored already, behind a top that was lost";
  EXPECT_EQ(raw(*a, {"XLEN", key("s", "r", "r")}), "2");
  EXPECT_EQ(call(3, "c", 0, 50), "3\n") << "not stored before, and it can be told";
  EXPECT_EQ(call(3, "c", 0, 2), "3\n");
  EXPECT_EQ(raw(*a, {"XLEN", key("s", "r", "r")}), "3");
}

TEST_F(redis_publish, a_room_that_is_left_and_joined_again_is_not_held_up_by_what_it_was) {
  begin();
  publish("a");
  EXPECT_EQ(outcome(1), "@1 | a");
  raw(*a, {"FLUSHALL"}); // what is asked now is answered with news
  process->signal(SIGSTOP);
  a->ahead += 3s;    // nothing was heard for so long: where does the room stand?
  a->broker->tick(); // renews the lease
  const auto asked = a->metrics.commands.value();
  for (int i = 0; i < 50 && a->metrics.commands.value() == asked; ++i)
    a->broker->tick();
  EXPECT_GT(a->metrics.commands.value(), asked);
  a->close("r");
  a->ahead += 6s; // and it is let go of
  for (int i = 0; i < 10; ++i)
    a->broker->tick();
  EXPECT_EQ(a->broker->room_count(), 0U);
  const auto reads = a->metrics.history_reads.value();
  a->open("r");
  bool is_open = false;
  a->channel("r").recover({}, [&](history_page&&) { is_open = true; });
  process->signal(SIGCONT);
  for (int i = 0; i < 9 && !is_open; ++i) { // at the tenth the rooms are looked at, and read again
    io.restart();
    io.run_for(50ms);
    a->broker->tick();
  }
  io.run_for(50ms);
  EXPECT_TRUE(is_open);
  EXPECT_EQ(a->metrics.history_reads.value(), reads + 1) << "by the new one alone";
}

} // namespace
} // namespace canang::cluster
