#include "app/admin/api_results.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace canang::admin {
namespace {

using cluster::payload_type;
using cluster::publication_kind;

cluster::publication_ptr message(std::string data, std::uint64_t offset = 1,
                                 payload_type type = payload_type::text,
                                 publication_kind kind = publication_kind::message) {
  auto made = std::make_shared<cluster::publication>();
  made->data = std::move(data);
  made->offset = offset;
  made->type = type;
  made->kind = kind;
  return made;
}

std::string data_of(const cluster::publication_ptr& of) {
  std::string json;
  append_data(json, *of);
  return json;
}

TEST(api_results, text_that_is_json_is_told_as_it_is) {
  for (const std::string text : {R"({"a": [1.50, "x"]})", "7", "null", R"("text")", " [1]\n"})
    EXPECT_EQ(data_of(message(text)), R"("data":)" + text);
}

TEST(api_results, other_text_is_told_as_a_string) {
  EXPECT_EQ(data_of(message("hello")), R"("data":"hello")");
  EXPECT_EQ(data_of(message("")), R"("data":"")");
  EXPECT_EQ(data_of(message("1 2")), R"("data":"1 2")");
  EXPECT_EQ(data_of(message("{\"a\":\n")), R"("data":"{\"a\":\n")");
  EXPECT_EQ(data_of(message("1e999")), R"("data":"1e999")");
  const std::string deep(100, '[');
  EXPECT_EQ(data_of(message(deep + std::string(100, ']'))),
            R"("data":")" + deep + std::string(100, ']') + '"')
    << "what no request could bring";
}

TEST(api_results, bytes_are_told_in_base64) {
  EXPECT_EQ(data_of(message("{}", 1, payload_type::binary)), R"("data":null,"b64data":"e30=")");
  EXPECT_EQ(data_of(message("\xff")), R"("data":null,"b64data":"/w==")");
}

TEST(api_results, tags_count_with_what_they_take) {
  const auto tagged = [](char c) {
    auto made = std::make_shared<cluster::publication>();
    cluster::publication_notes notes;
    for (std::size_t i = 0; i < cluster::max_tags; ++i)
      notes.tags.emplace_back("k", std::string(cluster::max_tag_value_bytes, c));
    made->notes = std::make_unique<const cluster::publication_notes>(std::move(notes));
    return made;
  };
  history_result plain;
  history_result escaped;
  EXPECT_TRUE(add_messages(plain, std::vector<cluster::publication_ptr>{tagged('x')}));
  EXPECT_TRUE(add_messages(escaped, std::vector<cluster::publication_ptr>{tagged('\1')}));
  EXPECT_NEAR(static_cast<double>(plain.bytes), static_cast<double>(to_json(plain).size()), 200);
  EXPECT_NEAR(static_cast<double>(escaped.bytes), static_cast<double>(to_json(escaped).size()),
              200);
}

TEST(api_results, a_history_has_no_joins_and_leaves) {
  history_result result{.top = {.epoch = "e", .offset = 9}};
  EXPECT_TRUE(add_messages(
    result,
    std::vector{message("1", 6), message("{}", 7, payload_type::text, publication_kind::joined),
                message("two", 8), message("{}", 9, payload_type::text, publication_kind::left)}));
  EXPECT_EQ(
    to_json(result),
    R"({"publications":[{"data":1,"offset":6},{"data":"two","offset":8}],"epoch":"e","offset":9})");
  EXPECT_EQ(to_json(history_result{}), R"({"publications":[],"epoch":"","offset":0})");
}

TEST(api_results, of_a_bare_history_nobody_learns_what_was_said) {
  history_result result{.top = {.epoch = "e", .offset = 9}, .is_bare = true};
  auto tagged = std::make_shared<cluster::publication>();
  tagged->data = R"(secret "text")";
  tagged->offset = 8;
  tagged->type = payload_type::text;
  tagged->notes = std::make_unique<const cluster::publication_notes>(
    cluster::publication_notes{.tags = {{"topic", "secret"}}});
  ASSERT_TRUE(add_messages(result, std::vector<cluster::publication_ptr>{
                                     tagged, message("\x01\x02", 9, payload_type::binary)}));
  EXPECT_EQ(to_json(result), R"({"publications":[{"bytes":13,"binary":false,"offset":8},)"
                             R"({"bytes":2,"binary":true,"offset":9}],"epoch":"e","offset":9})");
}

TEST(api_results, a_history_is_bounded_and_has_one_message_in_any_case) {
  history_result large;
  const auto half = message(std::string(max_api_history_bytes / 2, 'x'));
  EXPECT_FALSE(add_messages(large, std::vector{half, half, half}));
  EXPECT_EQ(large.messages.size(), 1U);
  history_result huge;
  EXPECT_TRUE(add_messages(huge, std::vector{message(std::string(max_api_history_bytes, 'x'))}));
  EXPECT_FALSE(add_messages(huge, std::vector{message("x")}));
  history_result many;
  const std::vector<cluster::publication_ptr> small(max_api_messages, message("x"));
  EXPECT_TRUE(add_messages(many, small));
  EXPECT_FALSE(add_messages(many, small));
  EXPECT_EQ(many.messages.size(), max_api_messages);
}

TEST(api_results, presence_is_told_by_connection) {
  cluster::room_report report;
  EXPECT_EQ(presence_result(report), R"({"presence":{}})");
  EXPECT_EQ(presence_stats_result(report), R"({"num_clients":0,"num_users":0})");
  report.members = {{.id = "n/1", .node = "n", .user = "ann"},
                    {.id = "n/2", .node = "n", .user = "ann"},
                    {.id = "m/1", .node = "m", .user = ""},
                    {.id = "m/2", .node = "m", .user = ""}};
  EXPECT_EQ(presence_stats_result(report), R"({"num_clients":4,"num_users":2})");
  report.members.resize(2);
  EXPECT_EQ(presence_result(report), R"({"presence":{"n/1":{"user":"ann","client":"n/1"},)"
                                     R"("n/2":{"user":"ann","client":"n/2"}}})");
}

TEST(api_results, what_tokens_say_is_told_of_members_and_authors) {
  cluster::room_report report;
  report.members = {
    {.id = "n/1", .node = "n", .user = "ann", .info = R"({"a":1})", .room_info = "[2]"},
    {.id = "n/2", .node = "n", .user = "", .room_info = "3"}};
  EXPECT_EQ(
    presence_result(report),
    R"({"presence":{"n/1":{"user":"ann","client":"n/1","conn_info":{"a":1},"chan_info":[2]},)"
    R"("n/2":{"user":"","client":"n/2","chan_info":3}}})");
  auto said = std::make_shared<cluster::publication>();
  said->data = "1";
  said->offset = 4;
  said->notes = std::make_unique<const cluster::publication_notes>(cluster::publication_notes{
    .author = cluster::publication_author{"ann", "n/1", R"({"a":1})", "[2]"}});
  history_result history{.top = {"e", 4}};
  EXPECT_TRUE(add_messages(history, std::vector<cluster::publication_ptr>{said}));
  EXPECT_EQ(to_json(history), R"({"publications":[{"data":1,"info":{"user":"ann","client":"n/1",)"
                              R"("conn_info":{"a":1},"chan_info":[2]},"offset":4}],)"
                              R"("epoch":"e","offset":4})");
  const auto bytes = history.bytes;
  said->notes = std::make_unique<const cluster::publication_notes>(cluster::publication_notes{
    .author = cluster::publication_author{"ann", "n/1", std::string(4096, '1'), {}}});
  history_result long_one;
  EXPECT_TRUE(add_messages(long_one, std::vector<cluster::publication_ptr>{said}));
  EXPECT_GT(long_one.bytes, bytes + 4000);
}

TEST(api_results, nodes_are_told_as_they_tell_of_themselves) {
  const std::vector<std::string> told{
    R"({"id":"a","address":"10.0.0.1:9000","version":"1.2","started":100,"connections":3,"rooms":2})",
    "not JSON", R"({"id":"b","started":"soon"})"};
  EXPECT_EQ(
    info_result(told, 160),
    R"({"nodes":[{"uid":"a","name":"10.0.0.1:9000","version":"1.2","num_clients":3,"num_channels":2,"uptime":60},)"
    R"({"uid":"b","name":"","version":"","num_clients":0,"num_channels":0,"uptime":0}]})");
  EXPECT_EQ(info_result(std::vector<std::string>{}, 1), R"({"nodes":[]})");
}

} // namespace
} // namespace canang::admin
