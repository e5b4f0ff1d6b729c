#include "actors/node/node_description.hpp"

#include "actors/node/announcement.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

namespace canang::actors {
namespace {

struct description_of_a_node : testing::Test {
  net::loop_metrics one;
  net::loop_metrics other;
  node_status status{node_phase::ready};
  node_condition condition{.is_ready = true};
  node_description describe{"n",
                            "10.0.0.1:9000",
                            "1.0",
                            1'700'000'000,
                            {&one, &other},
                            status,
                            [this] { return condition; }};
};

TEST_F(description_of_a_node, tells_what_it_does_and_how_it_is) {
  one.connections.set(3);
  other.connections.set(4);
  other.rooms.set(2);
  one.closes.count(1012, net::close_reason::drain);
  other.closes.count(1006, net::close_reason::drain);
  other.closes.count(1012, net::close_reason::rebalance);
  one.closes.count(1000, net::close_reason::normal);
  condition.used = {{"connections", 0.25}, {"memory", 1.0}};
  EXPECT_EQ(
    describe(),
    R"({"id":"n","address":"10.0.0.1:9000","version":"1.0","started":1700000000,"state":"ready",)"
    R"("connections":7,"rooms":2,"publications_per_second":0.0,"deliveries_per_second":0.0,)"
    R"("ready":true,"reason":"","closed":{"drain":2,"rebalance":1},)"
    R"("used":{"connections":0.250,"memory":1.000}})");
}

TEST_F(description_of_a_node, says_why_it_is_not_ready) {
  status = node_phase::draining;
  condition = {.is_ready = false, .fault = "a \"reason\""};
  const auto told = describe();
  EXPECT_NE(told.find(R"("state":"draining")"), std::string::npos);
  EXPECT_NE(told.find(R"("ready":false,"reason":"a \"reason\"")"), std::string::npos) << told;
}

TEST_F(description_of_a_node, a_long_reason_is_cut_between_characters) {
  condition.fault.assign(199, 'a').append("\xc3\xa4 and more");
  EXPECT_NE(describe().find(fmt::format(R"("{:a>199}")", "")), std::string::npos);
  condition.fault.assign(198, 'a').append("\xc3\xa4 and more");
  EXPECT_NE(describe().find(fmt::format(R"("{:a>198}{}")", "", "\xc3\xa4")), std::string::npos);
}

TEST_F(description_of_a_node, what_nodes_announce_fits_behind_it) {
  const auto told = announce(describe(), {.reads_notes = true});
  EXPECT_TRUE(announcement_in(told).reads_notes);
  EXPECT_EQ(without_announcement(told), describe());
}

} // namespace
} // namespace canang::actors
