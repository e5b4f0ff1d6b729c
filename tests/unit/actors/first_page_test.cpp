#include "actors/first_page.hpp"

#include "net/limits.hpp"
#include "net/protocol/centrifugo.hpp"
#include "net/protocol/plain.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace canang::actors {
namespace {

using cluster::publication_kind;

cluster::publication_ptr one(std::uint64_t offset,
                             publication_kind kind = publication_kind::message,
                             std::size_t bytes = 1) {
  auto made = std::make_shared<cluster::publication>();
  made->offset = offset;
  made->kind = kind;
  made->data.assign(bytes, 'x');
  return made;
}

join_room newest_of(std::optional<cluster::position> had) {
  join_room request;
  request.format = &net::centrifugo_json_format();
  request.wanted.since = std::move(had);
  request.newest_only = true;
  return request;
}

/// What a member is sent first of a page that ends at 9, as text.
std::string first_of(const join_room& request, std::vector<cluster::publication_ptr> kept,
                     bool recovered = false) {
  cluster::history_page page{
    .top = {"e", 9}, .publications = std::move(kept), .recovered = recovered};
  const auto from = cut_to_wish(request, page);
  auto text = from.epoch + std::to_string(from.offset) + (page.recovered ? " recovered" : "");
  for (const auto& message : page.publications)
    text += ' ' + std::to_string(message->offset);
  return text;
}

TEST(first_page_test, who_wants_the_newest_asks_for_one) {
  EXPECT_EQ(wish_of(newest_of(cluster::position{"e", 3})).limit, 1U);
  EXPECT_FALSE(wish_of(newest_of(cluster::position{"e", 3})).since);
  join_room resumes;
  resumes.wanted.since = cluster::position{"e", 3};
  EXPECT_TRUE(wish_of(resumes).since);
}

TEST(first_page_test, has_the_newest_message_whatever_was_missed) {
  const auto kept = [] { return std::vector{one(8), one(9, publication_kind::joined)}; };
  EXPECT_EQ(first_of(newest_of({}), kept()), "e7 recovered 8");
  EXPECT_EQ(first_of(newest_of(cluster::position{"", 0}), kept()), "e7 recovered 8");
  EXPECT_EQ(first_of(newest_of(cluster::position{"e", 2}), kept()), "e7 recovered 8");
  EXPECT_EQ(first_of(newest_of(cluster::position{"other", 8}), kept()), "e7 recovered 8");
  EXPECT_EQ(first_of(newest_of(cluster::position{"e", 10}), kept()), "e7 recovered 8");
}

TEST(first_page_test, has_nothing_for_one_that_has_the_newest) {
  const auto kept = [] { return std::vector{one(8), one(9, publication_kind::left)}; };
  EXPECT_EQ(first_of(newest_of(cluster::position{"e", 8}), kept()), "e8 recovered");
  EXPECT_EQ(first_of(newest_of(cluster::position{"e", 9}), kept()), "e9 recovered");
  EXPECT_EQ(first_of(newest_of(cluster::position{"e", 9}), {}), "e9 recovered");
}

TEST(first_page_test, tells_of_no_recovery_where_nothing_is_kept) {
  EXPECT_EQ(first_of(newest_of({}), {}), "e9");
  EXPECT_EQ(first_of(newest_of(cluster::position{"e", 8}), {}), "e9");
  EXPECT_EQ(first_of(newest_of({}), {one(9, publication_kind::joined)}), "e9");
}

TEST(first_page_test, is_whole_or_empty_for_one_that_resumes) {
  join_room request;
  request.format = &net::centrifugo_json_format();
  request.wanted.since = cluster::position{"e", 6};
  EXPECT_EQ(first_of(request, {one(7), one(9)}, true), "e6 recovered 7 9");
  EXPECT_EQ(first_of(request, {}, true), "e6 recovered");
  EXPECT_EQ(first_of(request, {}), "e9");
  const auto large = one(7, publication_kind::message, net::max_recovered_in_reply_bytes);
  EXPECT_EQ(first_of(request, {large, one(9)}, true), "e9") << "too much for one answer";
  request.format = &net::plain_format();
  EXPECT_EQ(first_of(request, {large, one(9)}, true), "e6 recovered 7 9");
}

TEST(first_page_test, begins_where_the_history_does) {
  join_room request;
  request.format = &net::plain_format();
  request.wanted.limit = 2;
  EXPECT_EQ(first_of(request, {one(8), one(9)}), "e7 8 9");
  EXPECT_EQ(first_of(request, {}), "e9");
}

/// Each byte of a tag may be six of the answer.
TEST(first_page_test, is_bounded_by_what_tags_take_in_the_answer) {
  join_room resumes;
  resumes.format = &net::centrifugo_json_format();
  resumes.wanted.since = cluster::position{"e", 0};
  const auto tagged = [](std::size_t count, char c) {
    std::vector<cluster::publication_ptr> all;
    for (std::size_t i = 0; i < count; ++i) {
      auto made = std::make_shared<cluster::publication>();
      made->offset = i + 1;
      made->notes = std::make_unique<const cluster::publication_notes>(
        cluster::publication_notes{.tags = {{"k", std::string(cluster::max_tag_value_bytes, c)}}});
      all.push_back(std::move(made));
    }
    return all;
  };
  const auto most = net::max_recovered_in_reply_bytes / (6 * cluster::max_tag_value_bytes);
  EXPECT_TRUE(first_of(resumes, tagged(most * 2, 'x'), true).starts_with("e0 recovered"));
  EXPECT_EQ(first_of(resumes, tagged(most * 2, '\1'), true), "e9");
}

} // namespace
} // namespace canang::actors
