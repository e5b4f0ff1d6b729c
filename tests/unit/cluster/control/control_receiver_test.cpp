#include "cluster/control/receiver.hpp"

#include <gtest/gtest.h>

#include <string>

namespace canang::cluster {
namespace {

using namespace std::chrono_literals;
using verdict = control_receiver::verdict;

struct control_receiver_test : testing::Test {
  verdict note(const std::string& sender, std::uint64_t number) {
    return receiver.note(sender, number, now).what;
  }

  control_receiver receiver;
  control_receiver::clock::time_point now{1h};
};

TEST_F(control_receiver_test, a_command_is_new_once) {
  EXPECT_EQ(note("a", 1), verdict::is_new);
  EXPECT_EQ(note("a", 1), verdict::running);
  receiver.answered("a", 1, {control_outcome::done, 3});
  const auto found = receiver.note("a", 1, now);
  EXPECT_EQ(found.what, verdict::answered);
  EXPECT_EQ(found.answer.count, 3U);
  EXPECT_EQ(note("b", 1), verdict::is_new) << "numbers are of a sender";
  EXPECT_EQ(note("a", 2), verdict::is_new);
}

TEST_F(control_receiver_test, the_order_of_numbers_does_not_matter) {
  EXPECT_EQ(note("a", 7), verdict::is_new);
  EXPECT_EQ(note("a", 3), verdict::is_new);
  EXPECT_EQ(note("a", 7), verdict::running);
}

TEST_F(control_receiver_test, what_was_forgotten_is_not_executed_again) {
  EXPECT_EQ(note("a", 1), verdict::is_new);
  receiver.answered("a", 1, {});
  now += control_receiver::known_for;
  EXPECT_EQ(note("a", 2), verdict::is_new);
  EXPECT_EQ(receiver.known(), 1U);
  EXPECT_EQ(note("a", 1), verdict::forgotten);
}

TEST_F(control_receiver_test, its_table_is_bounded) {
  for (std::uint64_t number = 1; number <= control_receiver::max_known + 100; ++number)
    EXPECT_EQ(note("a", number), verdict::is_new);
  EXPECT_EQ(receiver.known(), control_receiver::max_known);
  EXPECT_EQ(note("a", 50), verdict::forgotten);
  EXPECT_EQ(note("a", control_receiver::max_known), verdict::running);
}

TEST_F(control_receiver_test, knows_only_so_many_senders) {
  for (std::size_t i = 0; i < control_receiver::max_senders + 10; ++i) {
    now += 1ms;
    EXPECT_EQ(note(std::to_string(i), 1), verdict::is_new);
  }
  EXPECT_EQ(receiver.senders(), control_receiver::max_senders);
  EXPECT_EQ(note(std::to_string(control_receiver::max_senders), 1), verdict::running)
    << "those that were silent longest went";
  receiver.answered("0", 1, {}); // comes too late
}

} // namespace
} // namespace canang::cluster
