#include "cluster/redis/channels.hpp"
#include "tests/unit/support/seed.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <set>
#include <string>

namespace canang::cluster {
namespace {

TEST(redis_channels, are_confirmed_by_the_answer_to_the_last_word_only) {
  redis_channels channels;
  channels.begin();
  channels.want("a");
  EXPECT_EQ(channels.next().subscribe.size(), 1U);
  channels.unwant("a");
  EXPECT_EQ(channels.next().unsubscribe.size(), 1U);
  channels.want("a");
  EXPECT_EQ(channels.next().subscribe.size(), 1U);
  EXPECT_FALSE(channels.confirm("a")) << "that is the first SUBSCRIBE, which was taken back";
  EXPECT_FALSE(channels.confirm("a"));
  EXPECT_TRUE(channels.confirm("a"));
  EXPECT_FALSE(channels.confirm("a")) << "nothing was asked";
}

TEST(redis_channels, say_nothing_where_a_wish_is_taken_back_before_it_was_sent) {
  redis_channels channels;
  channels.begin();
  channels.want("a");
  channels.unwant("a");
  EXPECT_TRUE(channels.next().empty());
  EXPECT_EQ(channels.size(), 0U);

  channels.want("b");
  static_cast<void>(channels.next());
  EXPECT_TRUE(channels.confirm("b"));
  channels.unwant("b");
  channels.want("b");
  const auto batch = channels.next();
  EXPECT_TRUE(batch.subscribe.empty() && batch.unsubscribe.empty());
  ASSERT_EQ(batch.confirmed.size(), 1U) << "who wants it again hears that it has it";
}

TEST(redis_channels, are_wanted_again_from_a_new_connection) {
  redis_channels channels;
  channels.begin();
  for (const auto* const name : {"a", "b", "c"})
    channels.want(name);
  static_cast<void>(channels.next());
  EXPECT_TRUE(channels.is_settled()) << "none of these was wanted when it began";
  channels.unwant("b");
  channels.begin();
  EXPECT_FALSE(channels.is_settled());
  EXPECT_EQ(channels.next().subscribe.size(), 2U);
  EXPECT_TRUE(channels.confirm("a"));
  EXPECT_FALSE(channels.is_settled());
  channels.unwant("c");
  EXPECT_TRUE(channels.is_settled()) << "what is wanted no more is not waited for";
}

TEST(redis_channels, leave_only_so_many_unconfirmed) {
  redis_channels channels;
  channels.begin();
  const std::size_t count = 3 * redis_channels::most_unconfirmed;
  for (std::size_t i = 0; i < count; ++i)
    channels.want("channel" + std::to_string(i));
  std::deque<std::string> sent;
  std::size_t told = 0;
  while (told < count) {
    for (auto batch = channels.next(); !batch.empty(); batch = channels.next()) {
      EXPECT_LE(batch.subscribe.size(), redis_channels::most_a_command);
      sent.insert(sent.end(), batch.subscribe.begin(), batch.subscribe.end());
    }
    ASSERT_FALSE(sent.empty());
    EXPECT_LE(sent.size(), redis_channels::most_unconfirmed);
    EXPECT_TRUE(channels.confirm(sent.front()));
    sent.pop_front();
    ++told;
  }
  EXPECT_TRUE(channels.next().empty());
}

/// A server that answers some time later, and goes away now and then, must agree in the end.
TEST(redis_channels, agree_with_a_server_in_the_end) {
  test::dice dice{test::random_seed()};
  redis_channels channels;
  std::set<std::string> wanted;
  std::set<std::string> confirmed; // as on_subscribed would say
  std::set<std::string> server;
  std::deque<std::string> answers;
  channels.begin();
  const auto send = [&] {
    for (auto batch = channels.next(); !batch.empty(); batch = channels.next()) {
      for (const auto name : batch.subscribe) {
        EXPECT_TRUE(server.emplace(name).second);
        answers.emplace_back(name);
      }
      for (const auto name : batch.unsubscribe) {
        EXPECT_EQ(server.erase(std::string{name}), 1U);
        answers.emplace_back(name);
      }
      for (const auto name : batch.confirmed)
        confirmed.emplace(name);
    }
  };
  const auto hear = [&] {
    if (channels.confirm(answers.front())) {
      EXPECT_TRUE(wanted.contains(answers.front()));
      EXPECT_TRUE(server.contains(answers.front()));
      confirmed.insert(answers.front());
    }
    answers.pop_front();
  };
  for (int i = 0; i < 20'000; ++i) {
    const auto name = std::string(1, dice.roll('a', 'h'));
    switch (dice.roll(0, 9)) {
    case 0:
    case 1:
    case 2:
      channels.want(name);
      if (wanted.insert(name).second)
        confirmed.erase(name);
      break;
    case 3:
    case 4:
      channels.unwant(name);
      wanted.erase(name);
      confirmed.erase(name);
      break;
    case 5:
    case 6: send(); break;
    case 7:
    case 8:
      if (!answers.empty())
        hear();
      break;
    default:
      if (dice.one_in(20)) {
        server.clear();
        answers.clear();
        channels.begin();
      }
    }
    EXPECT_EQ(channels.is_wanted(name), wanted.contains(name));
  }
  send();
  while (!answers.empty())
    hear();
  EXPECT_EQ(server, wanted);
  EXPECT_EQ(confirmed, wanted);
  EXPECT_TRUE(channels.is_settled());
  EXPECT_EQ(channels.size(), wanted.size()) << "what is left is forgotten";
}

} // namespace
} // namespace canang::cluster
