#include "cluster/rooms/publish_queue.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace canang::cluster {
namespace {

using namespace std::chrono_literals;

struct queue_of_a_room : testing::Test {
  publish_queue queue;
  publish_queue::clock::time_point now{};
  std::vector<std::string> answers;

  publish_queue::answer_function note() {
    return [this](const queued_publish& item, const publish_outcome& outcome) {
      auto text = item.message->data;
      if (outcome.error != broker_errc::none)
        text += outcome.error == broker_errc::refused ? " refused" : " unavailable";
      else
        text += (outcome.duplicate ? "=" : "@") + std::to_string(outcome.at.offset);
      answers.push_back(text);
    };
  }

  void push(std::string data, std::string key = {}, bool is_rejected = false) {
    queued_publish item;
    item.message = std::make_shared<publication>();
    item.message->data = std::move(data);
    item.key = std::move(key);
    item.at = now;
    item.is_rejected = is_rejected;
    queue.push(std::move(item));
  }

  std::string send(std::uint64_t sequence = 1, std::uint64_t seen = 0) {
    if (!queue.has_batch_to_send())
      return "nothing";
    std::string all;
    for (const auto& item : queue.begin(sequence, seen))
      all += item.message->data;
    return all;
  }
};

using list = std::vector<std::string>;

TEST_F(queue_of_a_room, gathers_behind_the_batch_that_is_on_its_way) {
  push("a");
  EXPECT_EQ(send(), "a");
  push("b");
  push("c");
  EXPECT_EQ(send(), "nothing");
  queue.on_stored("e", 5, {}, note());
  EXPECT_EQ(send(2), "bc");
  queue.on_stored("e", 9, {}, note());
  EXPECT_EQ(answers, (list{"a@5", "b@9", "c@10"}));
  EXPECT_TRUE(queue.empty());
}

TEST_F(queue_of_a_room, tries_a_lost_batch_again_as_it_was) {
  push("a");
  EXPECT_EQ(send(7, 3), "a");
  push("b");
  queue.on_lost(true);
  EXPECT_EQ(send(8, 99), "a");
  EXPECT_EQ(queue.sequence(), 7U);
  EXPECT_EQ(queue.seen(), 3U);
  EXPECT_TRUE(queue.may_be_stored());
  queue.on_lost(false); // not even sent this time: the first try is as uncertain as before
  EXPECT_EQ(send(8, 99), "a");
  EXPECT_TRUE(queue.may_be_stored());
  queue.on_stored("e", 4, {}, note());
  EXPECT_EQ(send(8, 4), "b");
  EXPECT_FALSE(queue.may_be_stored());
}

TEST_F(queue_of_a_room, tells_duplicates_from_what_was_stored) {
  push("a", "k1");
  push("b");
  push("c", "k2");
  push("d", "k3");
  send();
  const std::vector<position> before{{}, {"e", 2}, {}};
  queue.on_stored("e", 10, before, note());
  EXPECT_EQ(answers, (list{"a@10", "b@11", "c=2", "d@12"}));
}

TEST_F(queue_of_a_room, answers_in_order_when_time_is_up_and_sends_nothing_that_failed) {
  push("a");
  EXPECT_EQ(send(), "a");
  push("b");
  now += 1s;
  push("c");
  queue.expire(now - 500ms, note());
  EXPECT_EQ(answers, (list{"a unavailable", "b unavailable"}));
  queue.on_lost(true);
  EXPECT_EQ(send(), "c") << "whoever was told that it failed is not published after all";
  queue.on_stored("e", 3, {}, note());
  EXPECT_EQ(answers.back(), "c@3");
  EXPECT_EQ(answers.size(), 3U);
}

TEST_F(queue_of_a_room, does_not_answer_twice_when_a_late_answer_comes) {
  push("a");
  send();
  queue.expire(now + 1s, note());
  queue.on_stored("e", 1, {}, note());
  EXPECT_EQ(answers, (list{"a unavailable"}));
  EXPECT_TRUE(queue.empty());
}

TEST_F(queue_of_a_room, answers_what_it_had_no_room_for_in_its_turn) {
  push("a");
  send();
  push("b", {}, true);
  push("c");
  queue.expire(now - 1s, note());
  EXPECT_EQ(answers, list{}) << "a has no answer yet";
  queue.on_stored("e", 1, {}, note());
  EXPECT_EQ(send(), "nothing");
  queue.expire(now - 1s, note());
  EXPECT_EQ(send(), "c");
  EXPECT_EQ(answers, (list{"a@1", "b unavailable"}));
}

TEST_F(queue_of_a_room, bounds_a_batch) {
  for (int i = 0; i < 600; ++i)
    push("x");
  EXPECT_EQ(send().size(), 512U);
  queue.on_refused(broker_errc::refused, note());
  EXPECT_EQ(answers.size(), 512U);
  EXPECT_EQ(answers[0], "x refused");
  EXPECT_EQ(send().size(), 88U);
  queue.on_stored("e", 1, {}, note());
  push(std::string(900'000, 'a'));
  push(std::string(900'000, 'b'));
  EXPECT_EQ(send().size(), 900'000U);
}

TEST_F(queue_of_a_room, counts_what_is_told_beside_a_publication) {
  const auto tagged = [] {
    auto message = std::make_shared<publication>();
    message->data = "x";
    publication_notes notes;
    for (int i = 0; i < 30; ++i)
      notes.tags.emplace_back("name", std::string(996, 'v'));
    message->notes = std::make_unique<const publication_notes>(std::move(notes));
    return message;
  };
  EXPECT_GT(queued_publish::cost_of(*tagged(), {}), 30'000U);
  for (int i = 0; i < 60; ++i) {
    queued_publish item;
    item.message = tagged();
    item.at = now;
    queue.push(std::move(item));
  }
  EXPECT_EQ(send().size(), (1024 * 1024) / 30'001U);
}

} // namespace
} // namespace canang::cluster
