// Settings of rooms that are replaced while nodes run, on a real redis-server.

#include "tests/unit/support/presence_fixture.hpp"

#include <string>

namespace canang::cluster {
namespace {

using test::texts;

struct redis_settings : presence_fixture {
  std::string recovered(node_under_test& by, const std::string& room, const position& since) {
    std::string result;
    bool is_here = false;
    by.channel(room).recover({since, 0}, [&](history_page&& page) {
      result = page.recovered ? texts(page) : "gone";
      is_here = true;
    });
    EXPECT_TRUE(until([&] { return is_here; }));
    return result;
  }

  position publish_many(node_under_test& by, const std::string& room, int from, int to) {
    position last;
    for (int i = from; i <= to; ++i)
      last = publish_outside(by, room, std::to_string(i % 10)).at;
    if (const auto& heard = by.rooms[room].publications; !heard.empty()) {
      EXPECT_TRUE(until([&] { return heard.back()->offset == last.offset; }));
    }
    return last;
  }
};

TEST_F(redis_settings, of_namespaces_hold_for_their_rooms) {
  settings.namespaces["short"].history_size = 2;
  settings.namespaces["short"].history_ttl = 60s;
  auto& a = start("n1");
  publish_many(a, "short:r", 1, 5);
  publish_many(a, "long", 1, 5);
  EXPECT_EQ(texts(read_history(a, "short:r")), "45");
  EXPECT_EQ(texts(read_history(a, "long")), "12345");
  EXPECT_LE(std::stoll(raw(a, {"PTTL", key("s", "short:r", "short:r")})), 60'000);
  EXPECT_GT(std::stoll(raw(a, {"PTTL", key("s", "long", "long")})), 60'000);
}

TEST_F(redis_settings, a_smaller_or_larger_history_reaches_open_rooms) {
  auto& a = start("n1");
  open(a, "r");
  auto top = publish_many(a, "r", 1, 6);
  const auto at = [&](std::uint64_t offset) { return position{top.epoch, offset}; };
  settings.rooms.history_size = 2;
  replace_settings(a);
  EXPECT_EQ(recovered(a, "r", at(4)), "56");
  EXPECT_EQ(recovered(a, "r", at(3)), "gone") << "what is kept here has shrunk";
  top = publish_many(a, "r", 7, 7);
  EXPECT_EQ(texts(read_history(a, "r")), "67") << "with the next publication that in Redis too";
  settings.rooms.history_size = 4;
  replace_settings(a);
  publish_many(a, "r", 8, 9);
  EXPECT_EQ(texts(read_history(a, "r")), "6789");
  EXPECT_EQ(recovered(a, "r", at(5)), "6789");
  EXPECT_EQ(recovered(a, "r", at(4)), "gone");
}

TEST_F(redis_settings, nothing_is_made_up_of_what_came_while_nothing_was_kept) {
  auto& a = start("n1");
  auto& b = start("n2");
  open(a, "told");
  auto top = publish_many(a, "told", 1, 3);
  settings.rooms.history_size = 0;
  replace_settings(a);
  replace_settings(b);
  publish_many(a, "told", 4, 5);
  EXPECT_EQ(texts(read_history(a, "told")), "");
  EXPECT_EQ(raw(a, {"EXISTS", key("s", "told", "told")}), "0");
  settings.rooms.history_size = 10;
  replace_settings(a);
  replace_settings(b);
  publish_many(a, "told", 6, 6);
  a.join("told", 7, "ann"); // a mix begins, by what is stored
  ASSERT_TRUE(until([&] { return a.events("told").size() == 1; }));
  publish_many(a, "told", 8, 8);
  open(b, "told");
  EXPECT_EQ(recovered(b, "told", {top.epoch, 3}), "gone");
  const auto since = recovered(b, "told", {top.epoch, 5});
  EXPECT_TRUE(since.starts_with("6") && since.ends_with("8")) << since;
}

TEST_F(redis_settings, as_many_messages_are_kept_as_is_said_though_joins_are_among_them) {
  settings.rooms.history_size = 16;
  auto& a = start("n1");
  open(a, "told");
  const auto kept = [&] {
    std::size_t count = 0;
    for (const auto& message : read_history(a, "told").publications)
      count += message->kind == publication_kind::message ? 1U : 0U;
    return count;
  };
  std::uint64_t id = 0;
  std::size_t published = 0;
  const auto publish = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      if (published % 3 == 0) {
        ++id;
        a.join("told", id, std::to_string(id));
        EXPECT_TRUE(until([&] { return a.events("told").size() == id; }));
      }
      publish_outside(a, "told", "x");
      ++published;
    }
  };
  publish(40);
  EXPECT_GE(kept(), 16U);
  for (const std::size_t size : {80U, 10U, 64U, 1U, 24U}) {
    const auto before = kept();
    settings.rooms.history_size = size;
    replace_settings(a);
    for (std::size_t i = 0; i < 2 * size + 20; i += 5) {
      publish(5);
      ASSERT_GE(kept(), std::min(size, before + i)) << size << " after " << i;
    }
    EXPECT_LE(kept(), size + size / 8 + 2) << "and not many more";
  }
}

TEST_F(redis_settings, presence_that_is_kept_no_more_is_taken_out_and_told_again_when_it_is) {
  auto& a = start("n1");
  auto& b = start("n2");
  open(a, "r");
  for (std::uint64_t i = 1; i <= 700; ++i) // more than a call takes
    a.join("r", i, "ann");
  b.join("r", 1, "bob");
  ASSERT_TRUE(until([&] { return report(b, "r").members.size() == 701; }));
  settings.rules.presence = {};
  replace_settings(a);
  ASSERT_TRUE(becomes(b, "r", "n1:700 n2:1 | n2/1=bob")) << "counts are kept all the same";
  a.join("r", 701);
  a.leave("r", 1);
  ASSERT_TRUE(becomes(b, "r", "n1:700 n2:1 | n2/1=bob"));
  for (std::uint64_t i = 3; i <= 701; ++i)
    a.leave("r", i);
  settings.rules.presence = {"*"};
  replace_settings(a);
  EXPECT_TRUE(becomes(b, "r", "n1:1 n2:1 | n1/2=ann n2/1=bob"));
}

TEST_F(redis_settings, comings_and_goings_are_told_as_soon_as_that_is_wanted) {
  auto& a = start("n1");
  open(a, "r");
  a.join("r", 1, "ann");
  a.join("r", 2, "bob");
  ASSERT_TRUE(becomes(a, "r", "n1:2 | n1/1=ann n1/2=bob"));
  settings.rules.join_leave = {"*"};
  replace_settings(a);
  rest();
  EXPECT_TRUE(a.events("r").empty()) << "who is there did not come now";
  a.join("r", 3, "cid");
  a.leave("r", 1);
  ASSERT_TRUE(hears(a, "r", {event('+', "n1/3", "cid")}));
  settings.rules.join_leave = {};
  replace_settings(a);
  a.ahead += 3s;
  EXPECT_TRUE(hears(a, "r", {event('+', "n1/3", "cid"), event('-', "n1/1", "ann")}))
    << "which was in its grace";
  a.leave("r", 2);
  a.join("r", 4, "dan");
  ASSERT_TRUE(becomes(a, "r", "n1:2 | n1/3=cid n1/4=dan"));
  a.ahead += 3s;
  rest();
  EXPECT_EQ(a.events("r").size(), 2U);
}

} // namespace
} // namespace canang::cluster
