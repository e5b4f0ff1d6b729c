#include "cluster/answer_once.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

namespace canang::cluster {
namespace {

struct answer_once_test : testing::Test {
  std::vector<broker_errc> answers;

  answer_once<publish_outcome> make() {
    return {[this](publish_outcome&& outcome) { answers.push_back(outcome.error); }};
  }
};

TEST_F(answer_once_test, is_called_with_the_first_answer_alone) {
  {
    const auto answer = make();
    const auto copy = answer;
    copy({.error = broker_errc::none});
    answer({.error = broker_errc::refused});
  }
  EXPECT_EQ(answers, std::vector{broker_errc::none});
}

TEST_F(answer_once_test, is_called_when_nobody_can_answer_any_more) {
  std::optional answer{make()};
  publish_handler held{*answer};
  answer.reset();
  EXPECT_TRUE(answers.empty()) << "somebody can";
  held = nullptr;
  EXPECT_EQ(answers, std::vector{broker_errc::unavailable});
}

TEST_F(answer_once_test, may_be_let_go_from_within_its_call) {
  std::optional<answer_once<publish_outcome>> answer;
  answer.emplace([&](publish_outcome&& outcome) {
    answers.push_back(outcome.error);
    answer.reset();
  });
  const auto copy = *answer;
  copy({.error = broker_errc::refused});
  EXPECT_EQ(answers, std::vector{broker_errc::refused});
}

TEST_F(answer_once_test, that_is_of_nobody_does_nothing) {
  const answer_once<publish_outcome> nobody;
  nobody({.error = broker_errc::none});
}

} // namespace
} // namespace canang::cluster
