// Publications from outside of a room, among those of its members, in every order.

#include "tests/support/sim_node.hpp"

#include <caf/send.hpp>
#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace canang::sim {
namespace {

constexpr std::uint64_t seeds = 200;

node_options usual(std::uint64_t seed) {
  node_options options;
  options.loops = static_cast<std::uint32_t>(1 + seed % 3);
  options.history.history_ttl = std::chrono::hours{1'000'000};
  options.beats.ping_interval = std::chrono::hours{1'000'000};
  return options;
}

void publish_outside(sim_node& node, const std::string& room, const std::string& text,
                     int& answers) {
  auto message = std::make_shared<cluster::publication>();
  message->data = text;
  const auto home = actors::home_of(room, node.loops());
  caf::anon_send(
    node.cast()[home].directory,
    actors::publish_to_room{
      room, std::move(message), {}, false, [&answers](cluster::publish_outcome&& outcome) {
        EXPECT_EQ(outcome.error, cluster::broker_errc::none);
        ++answers;
      }});
}

TEST(outside, publications_have_their_place_in_the_order_of_the_room) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    sim_node node{usual(seed), seed};
    int sent = 0;
    int answers = 0;
    for (int i = 0; i < 40; ++i) {
      auto& any = node.any();
      const auto room = "room" + std::to_string(any.between(0, 2));
      switch (any.between(0, 3)) {
      case 0: {
        client_options asked;
        asked.room = room;
        asked.loop = static_cast<std::uint32_t>(any.between(0, node.loops() - 1));
        node.connect(asked);
        break;
      }
      case 1:
        if (!node.clients().empty()) {
          auto& one = node.clients()[any.between(0, node.clients().size() - 1)];
          if (one.peer->session != nullptr && any.one_in(3))
            one.peer->vanish();
          else if (one.stays() && one.joined_at)
            node.publish(one);
        }
        break;
      default: publish_outside(node, room, "outside" + std::to_string(++sent), answers);
      }
      node.some_steps();
    }
    node.settle();
    EXPECT_EQ(answers, sent);
    node.verify_complete();
    node.finish();
  });
}

} // namespace
} // namespace canang::sim
