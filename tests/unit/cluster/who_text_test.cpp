#include "cluster/who_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace canang::cluster {
namespace {

using namespace std::string_literals;

TEST(who_text, of_one_with_a_name_alone_is_that_name) {
  EXPECT_EQ(who_text({.user = "ann"}), "ann");
  EXPECT_EQ(who_text({.user = ""}), "");
  EXPECT_EQ(who_text({.user = "ann", .info = "{}"}), "ann\0{}"s);
  EXPECT_EQ(who_text({.user = "", .info = {}, .room_info = "[1]"}), "\0\0[1]"s);
}

TEST(who_text, is_read_as_it_was_written) {
  for (const auto* const user : {"", "ann", "a b\xc3\xa4"})
    for (const auto* const info : {"", R"({"name":"Ann \u0000"})", "null"})
      for (const auto* const room_info : {"", "[1]", R"("")"}) {
        const auto text = who_text({user, info, room_info});
        const auto parts = read_who(text);
        EXPECT_EQ(parts.user, user);
        EXPECT_EQ(parts.info, info);
        EXPECT_EQ(parts.room_info, room_info);
      }
}

TEST(who_text, says_with_an_id_who_a_member_is) {
  const auto member = member_of("n1/7", "ann\0{}\0[1]"s);
  EXPECT_EQ(member.id, "n1/7");
  EXPECT_EQ(member.node, "n1");
  EXPECT_EQ(member.user, "ann");
  EXPECT_EQ(member.info, "{}");
  EXPECT_EQ(member.room_info, "[1]");
}

TEST(who_text, has_no_infos_in_a_report_where_they_would_be_too_long) {
  room_report report;
  const std::string half(max_report_info_bytes / 2, '1');
  add_member(report, {.id = "n/1", .node = "n", .user = "ann", .info = half});
  add_member(report, {.id = "n/2", .node = "n", .user = "bob", .room_info = half});
  EXPECT_FALSE(report.is_info_left_out);
  EXPECT_EQ(report.info_bytes, max_report_info_bytes);
  EXPECT_EQ(report.members[1].room_info, half);
  add_member(report, {.id = "n/3", .node = "n", .user = "cid", .info = "1"});
  add_member(report, {.id = "n/4", .node = "n", .user = "", .info = "2"});
  EXPECT_TRUE(report.is_info_left_out);
  ASSERT_EQ(report.members.size(), 4U);
  for (const auto& member : report.members)
    EXPECT_EQ(member.info + member.room_info, "") << member.id;
  EXPECT_EQ(report.members[2].user, "cid");
}

} // namespace
} // namespace canang::cluster
