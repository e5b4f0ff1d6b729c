// What tokens say of clients is told to others, in whatever order it becomes known.

#include "net/protocol/centrifugo.hpp"
#include "tests/support/sim_node.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace canang::sim {
namespace {

constexpr std::uint64_t seeds = 100;

constexpr std::string_view by_token = R"("conn_info":{"by":"token"})";
constexpr std::string_view with_seat = R"("conn_info":{"by":"token"},"chan_info":{"seat":"lobby"})";

client& newcomer(sim_node& node) {
  client_options asked;
  asked.room.clear();
  asked.loop = static_cast<std::uint32_t>(node.any().between(0, node.loops() - 1));
  asked.format = &net::centrifugo_json_format();
  return node.connect(asked);
}

void say(client& who, std::string text) { who.peer->send(net::frame_type::text, std::move(text)); }

/// All that it was told since `from`.
std::string heard(const client& who, std::size_t from = 0) {
  std::string all;
  for (auto at = from; at < who.peer->received.size(); ++at)
    all += who.peer->received[at].payload + '\n';
  return all;
}

std::size_t count(std::string_view all, std::string_view part) {
  std::size_t found = 0;
  for (auto at = all.find(part); at != std::string_view::npos; at = all.find(part, at + 1))
    ++found;
  return found;
}

node_options some_loops(std::uint64_t seed) {
  node_options options;
  options.loops = static_cast<std::uint32_t>(1 + seed % 3);
  options.asks = true;
  return options;
}

struct two_clients {
  explicit two_clients(std::uint64_t seed)
    : node(some_loops(seed), seed), ann(newcomer(node)), bob(newcomer(node)) {
    say(bob, R"({"id":1,"connect":{}})"
             "\n"
             R"({"id":2,"subscribe":{"channel":"lobby"}})");
    node.settle();
  }

  sim_node node;
  client& ann;
  client& bob;
};

TEST(info, of_tokens_is_told_with_what_clients_publish_and_of_who_is_there) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    two_clients all{seed};
    auto& [node, ann, bob] = all;
    const std::string publish = R"({"id":3,"publish":{"channel":"lobby","data":"hello"}})";
    const bool publishes_while_it_joins = node.any().one_in(2);
    say(ann, std::string{R"({"id":1,"connect":{"token":"good"}})"
                         "\n"
                         R"({"id":2,"subscribe":{"channel":"lobby","token":"good"}})"}
               + (publishes_while_it_joins ? '\n' + publish : std::string{}));
    node.settle();
    if (!publishes_while_it_joins)
      say(ann, publish);
    say(bob, R"({"id":3,"publish":{"channel":"lobby","data":"by bob"}})");
    node.settle();
    const auto told = heard(bob);
    EXPECT_EQ(count(told, R"("pub":{"data":"hello","info")"), 1U) << told;
    EXPECT_EQ(count(told, with_seat), 1U) << told;
    const auto before = bob.peer->received.size();
    say(bob, R"({"id":4,"presence":{"channel":"lobby"}})"
             "\n"
             R"({"id":5,"history":{"channel":"lobby","limit":10}})");
    node.settle();
    EXPECT_EQ(count(heard(bob, before), with_seat), 2U) << heard(bob, before);
    EXPECT_EQ(count(heard(bob, before), R"("client")"), 4U) << heard(bob, before);
    node.finish();
  });
}

TEST(info, of_a_rooms_token_ends_with_the_membership) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    two_clients all{seed};
    auto& [node, ann, bob] = all;
    say(ann, R"({"id":1,"connect":{"token":"good"}})"
             "\n"
             R"({"id":2,"subscribe":{"channel":"lobby","token":"good"}})");
    node.settle();
    say(ann, R"({"id":3,"unsubscribe":{"channel":"lobby"}})"
             "\n"
             R"({"id":4,"subscribe":{"channel":"lobby"}})");
    node.settle();
    const auto before = bob.peer->received.size();
    say(ann, R"({"id":5,"publish":{"channel":"lobby","data":"hello"}})");
    node.settle();
    say(bob, R"({"id":3,"presence":{"channel":"lobby"}})");
    node.settle();
    const auto told = heard(bob, before);
    EXPECT_EQ(count(told, by_token), 2U) << told;
    EXPECT_EQ(count(told, "chan_info"), 0U) << told;
    node.finish();
  });
}

} // namespace
} // namespace canang::sim
