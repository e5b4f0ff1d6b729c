#include "app/admin/console_results.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace canang::admin {
namespace {

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++found;
  return found;
}

TEST(console_results, rooms_with_most_members_come_first_and_equal_ones_by_name) {
  EXPECT_EQ(busiest_rooms({{"b", 2}, {"quiet", 1}, {"a", 2}, {"full", 9}}),
            R"({"rooms":[{"room":"full","members":9},{"room":"a","members":2},)"
            R"({"room":"b","members":2},{"room":"quiet","members":1}],"total":4})");
  EXPECT_EQ(busiest_rooms({}), R"({"rooms":[],"total":0})");
}

TEST(console_results, no_more_rooms_are_told_than_a_page_shows) {
  room_counts many;
  for (std::size_t i = 0; i < max_console_rooms + 10; ++i)
    many.emplace_back("room" + std::to_string(i), i);
  const auto told = busiest_rooms(many);
  EXPECT_EQ(count(told, R"("room":)"), max_console_rooms);
  EXPECT_TRUE(told.ends_with(R"("total":60})")) << told;
  EXPECT_EQ(told.find(R"("room9")"), std::string::npos) << "one of those with the fewest";
}

TEST(console_results, names_are_escaped) {
  EXPECT_EQ(busiest_rooms({{"a\"<img>\n", 1}}),
            R"({"rooms":[{"room":"a\"<img>\n","members":1}],"total":1})");
}

TEST(console_results, a_room_tells_its_nodes_and_who_is_there) {
  cluster::room_report report;
  report.top = {.epoch = "e1", .offset = 7};
  report.members_by_node = {{"n", 2}, {"m", 1}};
  report.members = {{.id = "n/1", .node = "n", .user = "ann", .info = R"({"a":1})"},
                    {.id = "n/2", .node = "n", .user = "ann"},
                    {.id = "m/1", .node = "m", .user = ""}};
  EXPECT_EQ(room_result("r", report, true),
            R"({"room":"r","epoch":"e1","offset":7,"members":3,"users":2,"presence":true,)"
            R"("nodes":[{"node":"n","members":2},{"node":"m","members":1}],)"
            R"("shown":[{"client":"n/1","node":"n","user":"ann"},)"
            R"({"client":"n/2","node":"n","user":"ann"},{"client":"m/1","node":"m","user":""}]})");
  EXPECT_EQ(room_result("r", {}, false),
            R"({"room":"r","epoch":"","offset":0,"members":0,"users":0,"presence":false,)"
            R"("nodes":[],"shown":[]})");
}

TEST(console_results, of_a_full_room_only_the_first_members_are_told) {
  cluster::room_report report;
  report.members_by_node = {{"n", max_console_members + 1}};
  for (std::size_t i = 0; i <= max_console_members; ++i)
    report.members.push_back({.id = "n/" + std::to_string(i), .node = "n", .user = "u"});
  const auto told = room_result("r", report, true);
  EXPECT_EQ(count(told, R"("client":)"), max_console_members);
  EXPECT_NE(told.find(R"("members":101,"users":1)"), std::string::npos);
}

} // namespace
} // namespace canang::admin
