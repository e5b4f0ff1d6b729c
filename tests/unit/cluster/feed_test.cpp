// A feed where reads, publications and joiners come in an unlucky order; tests/sim/feed_sim.cpp tries many.

#include "cluster/feed.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace canang::cluster {
namespace {

using strings = std::vector<std::string>;

/// Publication `n` of the room is the text `n`.
struct feed_of_a_room : testing::Test, feed_sink {
  feed_limits limits{};
  std::string told; ///< publications and breaks
  strings reads;    ///< that were asked for: `all`, `after N` or `position`
  strings answers;  ///< to joiners
  std::unique_ptr<feed> room;

  void SetUp() override { room = std::make_unique<feed>(limits, *this); }

  void on_publication(const publication_ptr& message) override { told += message->data + ' '; }
  void on_break(const position& from, bool is_lost) override {
    told += (is_lost ? "lost:" : "epoch:") + std::to_string(from.offset) + ' ';
  }
  void on_gap(bool) override {}
  void want_page(std::optional<std::uint64_t> after) override {
    reads.push_back(!after ? "position" : *after == 0 ? "all" : "after " + std::to_string(*after));
  }

  static std::shared_ptr<publication> numbered(std::uint64_t offset, std::size_t size = 0) {
    auto message = std::make_shared<publication>();
    message->epoch = "e";
    message->offset = offset;
    message->data = std::to_string(offset);
    if (size != 0)
      message->data.resize(size, '.');
    return message;
  }

  void live(std::uint64_t offset, std::size_t size = 0) {
    room->on_batch({"e", offset, {numbered(offset, size)}});
  }

  /// The answer of a read: publications from `first` to the top.
  void page(std::uint64_t first, std::uint64_t top) {
    stored_page read;
    read.top = {"e", top};
    for (auto offset = first; offset <= top; ++offset)
      read.publications.push_back(numbered(offset));
    room->on_page(std::move(read));
  }

  void begin_at(std::uint64_t top) {
    room->on_subscribed();
    page(top + 1, top);
    reads.clear();
  }

  void join(const std::string& name, std::uint64_t since) { join(name, {"e", since}); }
  void join(const std::string& name, const position& since) { ask(name, {since, 0}); }
  void join(const std::string& name, int /*nothing*/, std::size_t limit) {
    ask(name, {std::nullopt, limit});
  }

  void ask(const std::string& name, const recover_request& request) {
    const bool resumes = request.since.has_value();
    room->recover(request, [this, name, resumes](history_page&& got) {
      auto text = name
                  + (got.error != broker_errc::none ? " failed"
                     : got.recovered || !resumes    ? ""
                                                    : " lost");
      for (const auto& message : got.publications)
        text += ' ' + message->data;
      answers.push_back(text);
    });
  }
};

TEST_F(feed_of_a_room, a_joiner_is_not_judged_by_a_read_that_began_before_it_came) {
  begin_at(5);
  join("early", 3);
  EXPECT_EQ(reads, strings{"all"});
  join("late", 6); // it has had that on another node
  live(8);
  page(1, 5); // as it was when the read was asked for
  EXPECT_EQ(answers, strings{"early 4 5"});
  EXPECT_EQ(reads.back(), "after 5");
  page(6, 8);
  EXPECT_EQ(answers, (strings{"early 4 5", "late 7 8"}));
  EXPECT_EQ(told, "6 7 8 ");
}

TEST_F(feed_of_a_room, what_was_removed_is_given_to_nobody) {
  begin_at(5);
  live(6);
  live(7);
  room->on_removed({"other", 7});
  join("before", 5);
  room->on_removed({"e", 6});
  join("too early", 5);
  join("at the end of it", 6);
  live(8);
  join("behind it", 7);
  join("history", 0, 10);
  EXPECT_EQ(answers, (strings{"before 6 7", "too early lost", "at the end of it 7", "behind it 8",
                              "history 7 8"}));
  EXPECT_EQ(reads, strings{}) << "nothing else is kept";
  EXPECT_EQ(told, "6 7 8 ") << "members are not disturbed";
  room->on_removed({"e", 3});
  join("an old one changes nothing", 6);
  EXPECT_EQ(answers.back(), "an old one changes nothing 7 8");
}

TEST_F(feed_of_a_room, what_was_removed_does_not_come_back_with_a_read_that_began_before) {
  begin_at(5);
  join("early", 2);
  EXPECT_EQ(reads, strings{"all"});
  live(6);
  room->on_removed({"e", 5});
  page(1, 5); // of before the removal
  EXPECT_EQ(answers, strings{"early lost"});
  join("late", 4);
  join("good", 5);
  EXPECT_EQ(answers, (strings{"early lost", "late lost", "good 6"}));
}

TEST_F(feed_of_a_room, a_gap_that_was_removed_is_a_loss) {
  begin_at(5);
  live(8);
  EXPECT_EQ(reads, strings{"after 5"});
  room->on_removed({"e", 8});
  page(9, 8); // nothing is kept
  EXPECT_EQ(reads.back(), "all");
  page(9, 8);
  live(9);
  EXPECT_EQ(told, "lost:8 9 ");
  join("before it", 5);
  join("at it", 8);
  EXPECT_EQ(answers, (strings{"before it lost", "at it 9"}));
}

TEST_F(feed_of_a_room, a_read_that_does_not_reach_the_window_does_not_say_that_it_is_all) {
  begin_at(4);
  join("first", 2);
  EXPECT_EQ(reads, strings{"all"});
  live(5);
  room->forget_window();
  live(6);
  page(1, 4); // older than the window: 5 is in neither
  join("second", 3);
  EXPECT_EQ(reads.size(), 2U) << "it has to be read for";
  page(1, 6);
  EXPECT_EQ(answers.back(), "second 4 5 6");
}

TEST_F(feed_of_a_room, a_page_without_anything_says_that_nothing_older_is_kept) {
  begin_at(4);
  join("first", 2);
  page(5, 4);
  join("second", 3);
  EXPECT_EQ(answers, (strings{"first lost", "second lost"}));
  EXPECT_EQ(reads, strings{"all"}) << "one read serves both";
}

TEST_F(feed_of_a_room, a_joiner_is_an_occasion_to_read_a_room_whose_first_read_failed) {
  room->on_subscribed();
  room->on_read_failed(broker_errc::unavailable);
  reads.clear();
  join("ann", 1);
  EXPECT_EQ(reads, strings{"position"}) << "whether her position is one of the room's";
  page(3, 2);
  EXPECT_EQ(reads, (strings{"position", "all"}));
  page(1, 2);
  EXPECT_EQ(answers, strings{"ann 2"});
}

TEST_F(feed_of_a_room, positions_that_never_were_are_told_apart_without_the_history) {
  begin_at(5);
  join("above", 9);
  EXPECT_EQ(reads, strings{"after 5"}) << "what is newer, if anything";
  join("of another room", {"f", 2});
  join("late", 7);
  page(6, 5);
  EXPECT_EQ(answers, strings{"above lost"});
  EXPECT_EQ(reads, (strings{"after 5", "after 5"})) << "one read for those that came meanwhile";
  page(6, 5);
  EXPECT_EQ(answers, (strings{"above lost", "of another room lost", "late lost"}));
  EXPECT_EQ(reads.size(), 2U);
}

TEST_F(feed_of_a_room, a_read_that_goes_out_late_serves_all_that_came_until_then) {
  begin_at(5);
  join("first", 9);
  join("second", 8);
  room->on_batch({"f", 900, {numbered(900)}});
  room->on_read_begins();
  join("third", 7);
  page(6, 5);
  EXPECT_EQ(answers, (strings{"first lost", "second lost"}));
  page(6, 5);
  EXPECT_EQ(answers.back(), "third lost");
  EXPECT_EQ(reads.size(), 2U) << "nor is the foreign one looked for again";
}

TEST_F(feed_of_a_room, who_joins_before_the_position_is_known_is_judged_by_it_first) {
  join("made up", {"f", 2});
  join("without history", 0, 0);
  room->on_subscribed();
  EXPECT_EQ(reads, strings{"position"});
  page(6, 5);
  EXPECT_EQ(answers, (strings{"made up lost", "without history"}));
  EXPECT_EQ(reads.size(), 1U);
  join("with history", 0, 3);
  EXPECT_EQ(reads.back(), "all");
  page(1, 5);
  EXPECT_EQ(answers.back(), "with history 3 4 5");
}

TEST_F(feed_of_a_room, a_foreign_epoch_is_looked_for_in_the_lineage_and_not_in_the_history) {
  begin_at(5);
  room->on_batch({"f", 900, {numbered(900)}});
  EXPECT_EQ(reads, strings{"after 5"});
  page(6, 5);
  EXPECT_EQ(reads.size(), 1U);
  EXPECT_EQ(told, "");
  live(6);
  EXPECT_EQ(told, "6 ");
}

TEST_F(feed_of_a_room, that_nobody_is_in_forgets_its_position_until_somebody_joins) {
  begin_at(0);
  room->begin_again(true);
  room->on_subscribed(false);
  live(1);
  EXPECT_FALSE(room->is_live());
  EXPECT_EQ(reads, strings{}) << "nobody wants to know";
  join("ann", 0, 0);
  EXPECT_EQ(reads, strings{"position"});
  page(1, 1);
  EXPECT_EQ(answers, strings{"ann"});
  EXPECT_EQ(told, "") << "it was there before she came";
  live(2);
  EXPECT_EQ(told, "2 ");
}

TEST_F(feed_of_a_room, more_than_may_wait_behind_a_gap_is_dropped_and_read) {
  limits.most_waiting_bytes = 100;
  SetUp();
  begin_at(1);
  live(3, 200); // over the limit at once, and no read is under way
  ASSERT_EQ(reads, strings{"after 1"});
  live(4, 200);
  page(2, 3);
  EXPECT_EQ(told, "2 3 ");
  EXPECT_EQ(reads.back(), "after 3") << "4 came while it was read";
  page(4, 4);
  EXPECT_EQ(told, "2 3 4 ");
}

} // namespace
} // namespace canang::cluster
