#include "app/admin/cluster_pages.hpp"
#include "app/admin/shard_metrics.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace canang::admin {
namespace {

using actors::shard_status;

struct pages_of_shards : testing::Test {
  std::vector<std::unique_ptr<shard_status>> shards;

  void add(std::vector<std::string> nodes, bool is_up) {
    auto& shard = shards.emplace_back(std::make_unique<shard_status>());
    cluster::redis_roster::roster living;
    for (const auto& node : nodes)
      living.push_back({node, '"' + node + '"'});
    shard->roster.store(std::make_shared<const cluster::redis_roster::roster>(std::move(living)));
    shard->metrics.up.set(is_up ? 1 : 0);
  }

  /// The nodes of both pages.
  std::string nodes() const {
    auto page = nodes_page("a", "\"own\"", shards).body;
    page.pop_back(); // the end of its line
    const auto metrics = shard_metrics(shards, {});
    const auto count = metrics.find("\ncanang_nodes ") + 14;
    return page + ' ' + metrics.substr(count, metrics.find('\n', count) - count);
  }
};

TEST(presence_page, tells_what_tokens_say_of_members) {
  cluster::room_report report;
  report.members = {
    {.id = "n/1", .node = "n", .user = "ann", .info = R"({"a":1})", .room_info = "[2]"},
    {.id = "n/2", .node = "n", .user = ""}};
  EXPECT_EQ(presence_page("r", report).body,
            R"({"room":"r","members":[)"
            R"({"id":"n/1","node":"n","user":"ann","info":{"a":1},"room_info":[2]},)"
            R"({"id":"n/2","node":"n","user":""}]})"
            "\n");
  report.members.resize(1);
  report.members[0].info = report.members[0].room_info = {};
  report.is_info_left_out = true;
  EXPECT_EQ(presence_page("r", report).body,
            R"({"room":"r","members":[{"id":"n/1","node":"n","user":"ann"}],"info":"too long"})"
            "\n");
}

TEST_F(pages_of_shards, a_node_alone_is_the_only_one) {
  EXPECT_EQ(nodes(), R"({"node":"a","nodes":["own"]} 1)");
}

TEST_F(pages_of_shards, nodes_with_a_lease_on_any_shard_are_shown_once) {
  add({"a", "b"}, true);
  add({"c", "a"}, true);
  EXPECT_EQ(nodes(), R"({"node":"a","nodes":["a","b","c"]} 3)");
}

TEST_F(pages_of_shards, what_a_shard_that_is_away_said_is_old) {
  add({"a", "dead"}, false);
  add({"a", "b"}, true);
  EXPECT_EQ(nodes(), R"({"node":"a","nodes":["a","b"]} 2)");
  shards[1]->metrics.up.set(0); // then it is all that there is
  EXPECT_EQ(nodes(), R"({"node":"a","nodes":["a","dead","b"]} 3)");
}

TEST_F(pages_of_shards, no_shard_has_answered_yet) {
  shards.push_back(std::make_unique<shard_status>());
  EXPECT_EQ(nodes(), R"({"node":"a","nodes":["own"]} 0)");
}

} // namespace
} // namespace canang::admin
