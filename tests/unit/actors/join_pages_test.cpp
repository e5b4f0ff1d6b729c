#include "actors/join_pages.hpp"

#include "net/limits.hpp"
#include "net/protocol/plain.hpp"
#include "tests/support/lines_protocol.hpp"
#include "tests/unit/support/bracket_protocol.hpp"

#include <gtest/gtest.h>

namespace canang::actors {
namespace {

using namespace std::chrono_literals;
using test::brackets;

constexpr room_id room = 7;

/// Members that join a room whose history was made up.
struct join_pages_test : testing::Test {
  net::loop_context context{{}};
  boost::intrusive_ptr<join_pages> pages{new join_pages{context}};
  std::vector<cluster::publication_ptr> history;
  join_pages::clock::time_point now = join_pages::clock::now();

  void TearDown() override {
    pages->forget_all();
    EXPECT_EQ(held(), 0U) << "something is left over";
    EXPECT_EQ(pages->encoded_bytes(), 0U);
  }

  void publish(std::string data,
               cluster::publication_kind kind = cluster::publication_kind::message) {
    auto message = std::make_shared<cluster::publication>();
    message->offset = history.size() + 1;
    message->data = std::move(data);
    message->kind = kind;
    history.push_back(std::move(message));
  }

  void publish(std::size_t count, std::size_t size) {
    for (; count > 0; --count)
      publish(std::string(size, static_cast<char>('a' + count % 26)));
  }

  add_member request(std::size_t from = 0, const net::wire_format& format = brackets()) {
    add_member wanted{room, 1, &format, {history.begin() + static_cast<int>(from), history.end()}};
    wanted.from = {"epoch", from};
    return wanted;
  }

  net::frame_source_ptr join(std::size_t from = 0, const net::wire_format& format = brackets()) {
    return pages->source_of(request(from, format));
  }

  std::string expected(std::size_t from = 0) {
    std::string all;
    for (auto at = from; at < history.size(); ++at)
      all += '<' + history[at]->data + '>';
    return all;
  }

  static std::string rest_of(const net::frame_source_ptr& source) {
    std::string all;
    while (const auto piece = source->next())
      all.append(piece->data(), piece->size());
    return all;
  }

  [[nodiscard]] std::size_t held() const { return context.metrics.outbox_memory_bytes.value(); }
  [[nodiscard]] std::size_t delivered() const { return context.metrics.deliveries_total.value(); }
};

TEST_F(join_pages_test, has_nothing_for_whoever_misses_nothing) {
  EXPECT_EQ(join(), nullptr);
  EXPECT_EQ(pages->page_count(), 0U);
}

TEST_F(join_pages_test, gives_all_publications_in_order_in_pieces_of_some_64_kib) {
  publish(100, 4000);
  const auto source = join();
  std::string all;
  std::size_t pieces = 0;
  for (; const auto piece = source->next(); ++pieces) {
    EXPECT_LT(piece->size(), net::join_piece_bytes + 4002);
    EXPECT_EQ(piece->bytes().capacity(), piece->size()) << "no more than it has to take";
    all.append(piece->data(), piece->size());
  }
  EXPECT_EQ(all, expected());
  EXPECT_EQ(pieces, 6U);
  EXPECT_EQ(source->next(), nullptr);
}

TEST_F(join_pages_test, puts_a_publication_over_64_kib_into_a_piece_of_its_own) {
  publish(3, 100'000);
  const auto source = join();
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(source->next()->size(), 100'002U);
  EXPECT_EQ(source->next(), nullptr);
}

TEST_F(join_pages_test, encodes_once_for_all_that_join_at_the_same_place) {
  publish(128, 4096);
  std::vector<net::frame_source_ptr> sources(1000);
  for (auto& source : sources)
    source = join();
  EXPECT_EQ(pages->page_count(), 1U);
  EXPECT_EQ(pages->encodings(), 0U) << "nobody needs it yet";
  const auto one_page = held();
  EXPECT_LT(one_page, (600U << 10U)) << "counted once";
  for (const auto& source : sources)
    ASSERT_EQ(rest_of(source), expected());
  EXPECT_EQ(pages->encodings(), 128U);
  EXPECT_EQ(delivered(), 128'000U);
}

TEST_F(join_pages_test, shares_the_very_buffers_among_members_at_the_same_piece) {
  publish(100, 4000);
  const auto a = join();
  const auto b = join();
  EXPECT_EQ(a->next().get(), b->next().get());
  EXPECT_EQ(a->next().get(), b->next().get());
}

TEST_F(join_pages_test, keeps_apart_those_who_join_elsewhere) {
  publish(10, 100);
  const auto all = join();
  const auto half = join(5);
  const auto other = join(0, net::plain_format());
  auto later_epoch = request();
  later_epoch.from.epoch = "later";
  const auto later = pages->source_of(later_epoch);
  EXPECT_EQ(pages->page_count(), 4U);
  EXPECT_EQ(rest_of(half), expected(5));
  EXPECT_EQ(rest_of(all), expected());
  EXPECT_EQ(rest_of(later), expected());
  EXPECT_TRUE(rest_of(other).starts_with("\x81\x64"));
  publish("new");
  EXPECT_EQ(rest_of(join()), expected());
}

TEST_F(join_pages_test, counts_and_sends_only_what_the_protocol_has_a_word_for) {
  publish("", cluster::publication_kind::joined);
  publish("a");
  publish("", cluster::publication_kind::left);
  EXPECT_EQ(rest_of(join(0, net::plain_format())), "\x81\x01"
                                                   "a");
  EXPECT_EQ(delivered(), 1U);
  history.pop_back();
  history.pop_back();
  const auto nothing = join(0, net::plain_format());
  EXPECT_EQ(nothing->next(), nullptr);
  EXPECT_EQ(nothing->next(), nullptr);
  EXPECT_EQ(delivered(), 1U);
}

TEST_F(join_pages_test, keeps_a_page_for_the_next_one_to_join_and_lets_it_go_after_a_second) {
  publish(100, 1000);
  rest_of(join());
  EXPECT_GE(pages->encoded_bytes(), 100'000U);
  pages->expire(now + 500ms);
  EXPECT_EQ(rest_of(join()), expected());
  EXPECT_EQ(pages->encodings(), 100U);
  pages->expire(now + 1300ms);
  EXPECT_EQ(pages->page_count(), 1U) << "somebody has joined since";
  pages->expire(now + 1600ms);
  EXPECT_EQ(pages->page_count(), 0U);
  EXPECT_EQ(held(), 0U);
}

TEST_F(join_pages_test, lets_go_of_what_nobody_is_reading_when_memory_is_short) {
  publish(100, 4000);
  const auto reader = join();
  const auto first = reader->next();
  rest_of(join(50));
  const auto before = held();
  pages->let_go_kept();
  EXPECT_EQ(pages->page_count(), 1U) << "one has a reader";
  EXPECT_LT(pages->encoded_bytes(), net::join_piece_bytes + 4100);
  EXPECT_LT(held(), before);
  EXPECT_EQ(rest_of(reader), expected().substr(first->size()));
}

TEST_F(join_pages_test, holds_no_large_buffer_for_a_small_piece) {
  {
    const auto large = context.buffers.make();
    large->bytes().reserve(200'000);
  }
  publish("a");
  const auto source = join();
  EXPECT_LT(source->next()->bytes().capacity(), 100U);
}

TEST_F(join_pages_test, lets_a_page_go_when_its_room_has_something_new) {
  publish(100, 1000);
  rest_of(join());
  pages->forget(room + 1);
  EXPECT_EQ(pages->page_count(), 1U);
  pages->forget(room);
  EXPECT_EQ(held(), 0U);
}

TEST_F(join_pages_test, encodes_once_for_those_who_are_still_reading_when_something_new_comes) {
  publish(100, 4000);
  const auto a = join();
  const auto b = join();
  const auto first = a->next();
  pages->forget(room);
  EXPECT_EQ(b->next().get(), first.get());
  EXPECT_EQ(rest_of(a), expected().substr(first->size()));
  EXPECT_EQ(rest_of(b), expected().substr(first->size()));
  EXPECT_EQ(pages->encodings(), 100U);
}

TEST_F(join_pages_test, holds_one_piece_for_a_member_alone_that_does_not_read) {
  publish(100, 4000);
  const auto source = join();
  pages->forget(room);
  for (int i = 0; i < 4; ++i)
    ASSERT_NE(source->next(), nullptr);
  EXPECT_LT(pages->encoded_bytes(), net::join_piece_bytes + 4100);
  pages->expire(now + 1h);
  EXPECT_EQ(rest_of(source).size(), 32 * 4002U) << "68 publications were in the first four pieces";
}

TEST_F(join_pages_test, encodes_again_what_was_let_go) {
  publish(100, 4000);
  const auto first = join();
  const auto second = join();
  rest_of(first);
  EXPECT_EQ(pages->encodings(), 100U);
  pages->expire(now + 1h);
  EXPECT_EQ(pages->encoded_bytes(), 0U);
  EXPECT_EQ(rest_of(second), expected());
  EXPECT_EQ(pages->encodings(), 200U);
}

TEST_F(join_pages_test, bounds_the_bytes_that_are_encoded_for_nobody) {
  publish(100, 100'000);
  const auto behind = join();
  const auto held_piece = behind->next();
  rest_of(join());
  EXPECT_LE(pages->encoded_bytes(), net::max_join_pieces_bytes);
  EXPECT_GT(pages->encoded_bytes(), net::max_join_pieces_bytes - 200'000);
  EXPECT_EQ(held_piece->size(), 100'002U) << "in use, and so still there";
  EXPECT_EQ(rest_of(behind), expected().substr(100'002));
}

TEST_F(join_pages_test, bounds_the_pages_that_are_known) {
  publish(200, 10);
  for (std::size_t from = 0; from < 200; ++from)
    EXPECT_EQ(rest_of(join(from)), expected(from));
  EXPECT_EQ(pages->page_count(), net::max_join_pages);
  const auto before = pages->encodings();
  rest_of(join(199));
  EXPECT_EQ(pages->encodings(), before) << "the last ones are known";
  rest_of(join(0));
  EXPECT_EQ(pages->encodings(), before + 200) << "the first ones are not";
}

TEST_F(join_pages_test, counts_what_publications_and_pieces_take) {
  publish(10, 10'000);
  const auto source = join();
  EXPECT_GE(held(), 10 * (10'000 + sizeof(cluster::publication)));
  EXPECT_GE(source->pinned_bytes(), 100'000U);
  const auto before = held();
  const auto piece = source->next();
  EXPECT_EQ(held(), before + piece->size());
}

TEST_F(join_pages_test, counts_a_publication_once_however_many_pages_it_is_in) {
  publish(100, 10'000);
  const auto all = join();
  const auto before = held();
  std::vector<net::frame_source_ptr> others;
  for (std::size_t from = 1; from < 50; ++from)
    others.push_back(join(from));
  EXPECT_LT(held(), before + 49 * 2000) << "the pages themselves";
  EXPECT_GE(others.back()->pinned_bytes(), 51 * 10'000U) << "whole, to say who keeps how much";
  pages->forget_all();
  others.clear();
  EXPECT_EQ(held(), before);
}

/// What a member of a protocol gets that has what it recovered inside of the answer.
TEST_F(join_pages_test, makes_one_piece_of_an_answer_with_all_inside_when_its_turn_comes) {
  publish("a");
  publish("b", cluster::publication_kind::joined);
  publish("c");
  auto wanted = request(1, sim::lines_format(net::recovered_in::reply));
  wanted.room_name = "lobby";
  wanted.request = 17;
  wanted.is_recovered = true;
  auto answer = pages->source_of(wanted);
  const auto before = held();
  EXPECT_GT(before, 0U) << "the publications are kept";
  EXPECT_EQ(delivered(), 0U);
  const auto piece = answer->next();
  ASSERT_TRUE(piece);
  EXPECT_EQ((std::string_view{piece->data(), piece->size()}.substr(2)),
            "joined 17 lobby epoch 1 yes 2 b 3 c");
  EXPECT_GT(held(), before) << "and the answer, while it is being sent";
  EXPECT_EQ(delivered(), 2U);
  EXPECT_FALSE(answer->next());
  answer.reset();
  EXPECT_EQ(held(), before);
}

TEST_F(join_pages_test, outlives_its_owner_for_members_that_are_still_reading) {
  publish(100, 4000);
  const auto source = join();
  const auto first = source->next();
  pages->forget_all();
  auto* const gone = pages.get();
  pages.reset();
  EXPECT_EQ(rest_of(source), expected().substr(first->size()));
  pages.reset(gone); // for the end of the test
}

} // namespace
} // namespace canang::actors
