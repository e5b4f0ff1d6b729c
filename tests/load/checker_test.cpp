#include "bench/load/checker.hpp"

#include <gtest/gtest.h>

#include <array>

namespace canang::load {
namespace {

constexpr std::size_t size = 64;

/// A member of room 5 with two publishers.
class checker : public testing::Test {
protected:
  checker() { payload::reserve_filler(size); }

  static std::string message(std::uint32_t publisher, std::uint32_t sequence,
                             std::uint32_t room = 5, std::uint32_t run = 1) {
    std::string text;
    payload::encode({run, room, publisher, sequence, 1000}, size, text);
    return text;
  }
  verdict take(std::uint32_t publisher, std::uint32_t sequence) {
    return member.accept(message(publisher, sequence));
  }
  std::uint64_t behind(std::uint32_t first, std::uint32_t second) const {
    const std::array<std::uint32_t, 2> sent{first, second};
    return member.behind(sent);
  }

  room_rules rules{1, 5, 2, size, true};
  std::array<std::uint32_t, 2> next{};
  member_checker member{rules, next};
};

TEST_F(checker, takes_sequences_in_order_whatever_the_interleaving) {
  for (auto [publisher, sequence] : {std::pair{0U, 0U}, {1U, 0U}, {1U, 1U}, {0U, 1U}})
    EXPECT_EQ(take(publisher, sequence), verdict::expected);
  EXPECT_EQ(member.received(), 4U);
  EXPECT_EQ(member.missing(), 0U);
  EXPECT_EQ(behind(2, 2), 0U);
}

TEST_F(checker, finds_messages_that_never_came) {
  take(0, 0);
  EXPECT_EQ(take(0, 3), verdict::after_gap);
  EXPECT_EQ(member.missing(), 2U);
  EXPECT_EQ(behind(6, 1), 3U); // 4 and 5 of the first, all of the second
  EXPECT_EQ(member.received(), 2U);
}

TEST_F(checker, finds_a_double) {
  take(0, 0);
  EXPECT_EQ(take(0, 0), verdict::doubled);
  EXPECT_EQ(member.odd().doubled, 1U);
  EXPECT_EQ(member.received(), 1U);
}

TEST_F(checker, calls_a_late_message_reordered_and_not_lost) {
  take(0, 0);
  take(0, 4);
  EXPECT_EQ(take(0, 2), verdict::late);
  EXPECT_EQ(take(0, 1), verdict::late);
  EXPECT_EQ(take(0, 3), verdict::late);
  EXPECT_EQ(take(0, 3), verdict::doubled);
  EXPECT_EQ(member.odd().reordered, 3U);
  EXPECT_EQ(member.missing(), 0U);
  EXPECT_EQ(behind(5, 0), 0U);
}

TEST_F(checker, tells_a_message_of_another_room) {
  EXPECT_EQ(member.accept(message(0, 0, 6)), verdict::misrouted);
  EXPECT_EQ(member.odd().misrouted, 1U);
  EXPECT_EQ(member.received(), 0U);
}

TEST_F(checker, tells_messages_of_others) {
  EXPECT_EQ(member.accept(message(0, 0, 5, 2)), verdict::foreign);
  EXPECT_EQ(member.accept("hello"), verdict::foreign);
  EXPECT_EQ(member.accept(""), verdict::foreign);
  EXPECT_EQ(member.odd().foreign, 3U);
}

TEST_F(checker, sees_a_changed_byte_anywhere_behind_the_run) {
  for (std::size_t at = payload::header_size; at < size; ++at) {
    auto text = message(0, 0);
    text[at] = text[at] == 'x' ? 'y' : 'x';
    EXPECT_EQ(member.accept(text), verdict::corrupt) << at;
  }
  EXPECT_EQ(member.accept(message(0, 0) + "x"), verdict::corrupt);
  EXPECT_EQ(member.accept(message(0, 0).substr(0, 40)), verdict::corrupt);
  EXPECT_EQ(member.accept(message(7, 0)), verdict::corrupt); // there is no such publisher
  EXPECT_EQ(take(0, 0), verdict::expected);
}

TEST_F(checker, has_one_hash_for_one_order) {
  std::array<std::uint32_t, 2> other_next{};
  member_checker other{rules, other_next};
  take(0, 0);
  take(1, 0);
  other.accept(message(0, 0));
  other.accept(message(1, 0));
  EXPECT_EQ(member.order_hash(), other.order_hash());

  take(0, 1);
  take(1, 1);
  other.accept(message(1, 1));
  other.accept(message(0, 1));
  EXPECT_EQ(other.odd().reordered, 0U); // each publisher's own order is kept
  EXPECT_NE(member.order_hash(), other.order_hash());
}

TEST_F(checker, only_counts_when_told_so) {
  rules.full = false;
  take(0, 9);
  take(0, 9);
  EXPECT_EQ(member.received(), 2U);
  EXPECT_EQ(behind(3, 0), 1U);
  EXPECT_EQ(behind(2, 0), 0U);
}

} // namespace
} // namespace canang::load
