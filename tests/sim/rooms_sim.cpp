// Many rooms a connection: joins, leaves, deaths and failures, in every order.

#include "net/protocol/sse.hpp"
#include "tests/support/lines_client.hpp"
#include "tests/support/lines_protocol.hpp"
#include "tests/support/sim_node.hpp"

#include <caf/send.hpp>
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace canang::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t seeds = 300;

/// History that outlives every jump of the clock, and no pings.
node_options some_loops(std::uint64_t seed) {
  node_options options;
  options.loops = static_cast<std::uint32_t>(1 + seed % 3);
  options.history.history_ttl = std::chrono::hours{1'000'000};
  options.history.history_size = 6;
  options.beats.ping_interval = std::chrono::hours{1'000'000};
  options.delays_history = true;
  return options;
}

std::string user_of(lines_client& who) { return "client" + std::to_string(who.peer().number); }

/// Clients of one node, and what they do at random.
struct crowd {
  explicit crowd(const node_options& options, std::uint64_t seed) : node(options, seed) {}

  sim_node node;
  std::deque<lines_client> clients;
  std::vector<std::string> rooms{"lobby", "garden", "kitchen", "attic", "cellar"};

  lines_client& connect() {
    return clients.emplace_back(
      node, static_cast<std::uint32_t>(node.any().between(0, node.loops() - 1)),
      node.any().one_in(2) ? net::recovered_in::messages : net::recovered_in::reply);
  }

  const std::string& some_room() { return rooms[node.any().between(0, rooms.size() - 1)]; }

  lines_client& someone() { return clients[node.any().between(0, clients.size() - 1)]; }

  std::string some_history() {
    return node.any().one_in(2) ? std::string{} : std::to_string(node.any().between(1, 8));
  }

  std::string some_text() { return "text" + std::to_string(++said_); }

  /// One command, or some in one message.
  void command(lines_client& who) {
    const auto count = node.any().one_in(4) ? node.any().between(2, 5) : 1;
    who.gather();
    for (std::size_t i = 0; i < count; ++i) {
      const auto what = node.any().between(0, stays_inside ? 9 : 11);
      if (what == 10)
        who.shout(some_room(), some_text());
      else if (what == 11)
        who.ask(some_room(), questions[node.any().between(0, 2)]);
      else if (what < 3)
        who.join(some_room(), some_history());
      else if (what < 5)
        who.leave(some_room());
      else
        who.publish(some_room(), some_text());
    }
    who.send();
  }

  void steps() {
    node.some_steps();
    for (auto& one : clients)
      one.verify();
  }

  void end() {
    node.settle();
    for (auto& one : clients)
      one.verify_complete();
    if (!testing::Test::HasFailure())
      node.finish();
  }

  std::vector<std::string> questions{"members", "counts", "history"};
  bool stays_inside = false; ///< nobody asks the keeper of a room, or publishes there from outside

private:
  int said_ = 0;
};

TEST(rooms, of_one_connection_each_keep_their_order_whatever_is_joined_and_left) {
  std::size_t joined = 0;
  for_each_seed(2 * seeds, [&](std::uint64_t seed) {
    crowd all{some_loops(seed), seed};
    for (int i = 0; i < 3; ++i)
      all.connect();
    for (int i = 0; i < 60 && !testing::Test::HasFailure(); ++i) {
      all.command(all.someone());
      all.steps();
    }
    all.node.settle();
    for (auto& one : all.clients) {
      EXPECT_FALSE(one.peer().peer->reported) << "none of that is a reason to close";
      for (const auto& room : all.rooms)
        joined += one.is_in(room);
    }
    all.end();
  });
  EXPECT_TRUE(joined > 0 || is_one_seed());
}

TEST(rooms, that_die_cost_their_members_that_room_alone) {
  std::size_t ended = 0;
  for_each_seed(2 * seeds, [&](std::uint64_t seed) {
    crowd all{some_loops(seed), seed};
    all.stays_inside = true; // a broker's fault is to hit a room, and not its keeper
    for (int i = 0; i < 3; ++i)
      all.connect();
    for (int i = 0; i < 60 && !testing::Test::HasFailure(); ++i) {
      if (all.node.any().one_in(10))
        all.node.kill_some_room();
      else if (all.node.any().one_in(12))
        all.node.broker_of(all.rooms[0]).throw_at_next_publish(all.rooms[0]);
      else if (all.node.any().one_in(12))
        all.node.broker_of(all.rooms[1]).throw_at_next_history(all.rooms[1]);
      else if (all.node.any().one_in(12))
        all.node.broker_of(all.rooms[2]).refuse_next_history(all.rooms[2]);
      all.command(all.someone());
      all.steps();
    }
    all.node.settle();
    for (auto& one : all.clients) {
      one.verify();
      EXPECT_FALSE(one.peer().peer->reported);
      ended += one.ended().size();
    }
    all.end();
  });
  EXPECT_TRUE(ended > 0 || is_one_seed());
}

TEST(rooms, lose_the_clients_that_go_at_any_time_and_no_others) {
  for_each_seed(2 * seeds, [](std::uint64_t seed) {
    crowd all{some_loops(seed), seed};
    all.connect();
    for (int i = 0; i < 60 && !testing::Test::HasFailure(); ++i) {
      const auto what = all.node.any().between(0, 19);
      auto& who = all.someone();
      if (what < 3 && all.clients.size() < 8)
        all.connect();
      else if (what == 3)
        who.peer().peer->vanish();
      else if (what == 4)
        who.peer().peer->close(1000, net::close_reason::normal);
      else if (what == 5)
        all.node.kill(who.peer());
      else if (what == 6)
        who.peer().peer->send(net::frame_type::text, "fail");
      else
        all.command(who);
      all.steps();
      if (all.node.any().one_in(10))
        all.node.tick(1h); // empty rooms are reaped
    }
    all.end();
  });
}

TEST(rooms, are_joined_and_published_to_as_the_authorizer_says_whenever_it_says_so) {
  for_each_seed(2 * seeds, [](std::uint64_t seed) {
    auto options = some_loops(seed);
    options.asks = true;
    crowd all{options, seed};
    all.rooms = {"lobby", "garden", "locked", "quiet", "busy"};
    for (int i = 0; i < 3; ++i)
      all.connect();
    for (int i = 0; i < 60 && !testing::Test::HasFailure(); ++i) {
      all.command(all.someone());
      if (all.node.any().one_in(10))
        all.node.change_settings();
      if (all.node.any().one_in(30))
        all.someone().peer().peer->vanish();
      all.steps();
    }
    all.node.settle();
    auto& last = all.connect();
    const auto locked = last.join("locked");
    const auto busy = last.join("busy");
    const auto quiet = last.join("quiet");
    all.node.settle();
    const auto unheard = last.publish("quiet", "text");
    last.join("lobby");
    all.node.settle();
    const auto heard = last.publish("lobby", "text");
    all.end();
    EXPECT_EQ(last.answer(locked), "not_allowed");
    EXPECT_EQ(last.answer(busy), "unavailable");
    EXPECT_EQ(last.answer(quiet), "joined");
    EXPECT_EQ(last.answer(unheard), "not_allowed");
    EXPECT_EQ(last.answer(heard), "stored");
    EXPECT_TRUE(all.node.broker_of("quiet").record("quiet").empty());
  });
}

TEST(rooms, a_client_without_words_is_refused_or_closed_where_it_may_not) {
  for_each_seed(seeds / 3, [](std::uint64_t seed) {
    auto options = some_loops(seed);
    options.asks = true;
    sim_node node{options, seed};
    auto& locked = node.connect({"locked", 0});
    auto& busy = node.connect({"busy", 0});
    auto& quiet = node.connect({"quiet", node.loops() - 1});
    auto& allowed = node.connect({"lobby", 0});
    node.settle();
    EXPECT_EQ(locked.peer->refused_for, net::reject_reason::forbidden);
    EXPECT_TRUE(locked.peer->was_refused);
    EXPECT_EQ(busy.peer->refused_for, net::reject_reason::unavailable);
    EXPECT_TRUE(busy.peer->was_refused);
    EXPECT_TRUE(quiet.stays());
    quiet.peer->send(net::frame_type::text, "may I?");
    for (int i = 0; i < 5; ++i) {
      node.publish(allowed);
      node.some_steps();
      if (node.any().one_in(3))
        node.change_settings();
    }
    node.settle();
    EXPECT_EQ(quiet.peer->close_code, 1008);
    ASSERT_TRUE(quiet.peer->reported);
    EXPECT_EQ(quiet.peer->reported->reason, net::close_reason::not_allowed);
    EXPECT_TRUE(node.broker_of("quiet").record("quiet").empty());
    EXPECT_TRUE(allowed.stays());
    allowed.verify_complete(node.history_kept());
    node.finish();
  });
}

TEST(rooms, take_no_message_that_is_too_large_by_their_settings) {
  const auto table_of = [](std::size_t most) {
    auto table = std::make_shared<cluster::room_settings_table>();
    table->namespaces["short"].max_message_bytes = most;
    return table;
  };
  for_each_seed(seeds / 10, [&](std::uint64_t seed) {
    cluster::room_settings_source settings{table_of(5)};
    auto options = some_loops(seed);
    options.asks = true;
    options.settings = &settings;
    crowd all{options, seed};
    auto& one = all.connect();
    auto& plain = all.node.connect({"short:b", 0});
    one.join("short:a");
    one.join("long:a");
    all.node.settle();
    const auto fits = one.publish("short:a", "12345");
    const auto over = one.publish("short:a", "123456");
    const auto elsewhere = one.publish("long:a", "123456");
    plain.peer->send(net::frame_type::text, "123456");
    all.node.settle();
    settings.set(table_of(6));
    all.node.change_settings();
    const auto after = one.publish("short:a", "123456");
    all.node.settle();
    EXPECT_EQ(plain.peer->close_code, 1009);
    all.end();
    EXPECT_EQ(one.answer(fits), "stored");
    EXPECT_EQ(one.answer(over), "too_large");
    EXPECT_EQ(one.answer(elsewhere), "stored");
    EXPECT_EQ(one.answer(after), "stored");
  });
}

TEST(rooms, refuse_what_makes_no_sense_with_one_answer_each) {
  for_each_seed(seeds / 3, [](std::uint64_t seed) {
    auto options = some_loops(seed);
    options.limits.max_rooms_per_connection = 3;
    crowd all{options, seed};
    auto& other = all.connect();
    other.join("lobby");
    auto& one = all.connect();
    const auto unasked = one.leave("lobby");
    const auto outside = one.publish("lobby", "text");
    one.gather();
    const auto first = one.join("lobby");
    const auto second = one.join("lobby");
    const auto early = one.publish("lobby", "text");
    one.send();
    all.node.settle();
    const auto third = one.join("lobby");
    const auto nameless = one.join("");
    one.join("b");
    one.join("c");
    const auto too_many = one.join("d");
    all.node.settle();
    const auto stored = one.publish("c", "text");
    const auto leaving = one.leave("b");
    const auto instead = one.join("d");
    all.node.settle();
    const auto left = one.publish("b", "text");
    all.end();
    EXPECT_EQ(one.answer(unasked), "not_joined");
    EXPECT_EQ(one.answer(outside), "not_joined");
    EXPECT_EQ(one.answer(first), "joined");
    EXPECT_EQ(one.answer(second), "joined_before");
    EXPECT_EQ(one.answer(early), "not_joined") << "its join is pending";
    EXPECT_EQ(one.answer(third), "joined_before");
    EXPECT_EQ(one.answer(nameless), "bad_room");
    EXPECT_EQ(one.answer(too_many), "too_many_rooms");
    EXPECT_EQ(one.answer(stored), "stored");
    EXPECT_EQ(one.answer(leaving), "left");
    EXPECT_EQ(one.answer(instead), "joined");
    EXPECT_EQ(one.answer(left), "not_joined");
    EXPECT_TRUE(one.peer().peer->session == nullptr || one.peer().stays());
    EXPECT_TRUE(other.is_in("lobby"));
  });
}

TEST(rooms, answer_each_of_many_questions_of_one_message) {
  for_each_seed(seeds / 3, [](std::uint64_t seed) {
    auto options = some_loops(seed);
    options.asks = seed % 2 == 0;
    crowd all{options, seed};
    auto& member = all.connect();
    member.join("lobby");
    all.node.settle();
    for (const auto* const text : {"one", "two", "three", "four"})
      member.publish("lobby", text);
    all.node.settle();
    auto& outside = all.connect();
    outside.gather();
    std::vector<std::uint32_t> asked;
    for (int i = 0; i < 60; ++i)
      asked.push_back(outside.ask("lobby", all.questions[static_cast<std::size_t>(i) % 3]));
    const auto nameless = outside.ask("", "members");
    const auto shouted = outside.shout("lobby", "five");
    outside.send();
    all.node.settle();
    all.end();
    for (const auto number : asked)
      EXPECT_NE(outside.answer(number), "");
    EXPECT_TRUE(outside.answer(asked[2]).ends_with(" one two three")) << outside.answer(asked[2]);
    EXPECT_EQ(outside.answer(nameless), "bad_room");
    EXPECT_EQ(outside.answer(shouted), "stored");
  });
}

TEST(rooms, refuse_any_number_of_questions_of_one_message_without_going_deep) {
  for_each_seed(3, [](std::uint64_t seed) {
    auto options = some_loops(seed);
    options.asks = true;
    crowd all{options, seed};
    auto& one = all.connect();
    one.gather();
    std::vector<std::uint32_t> asked;
    for (int i = 0; i < 40'000; ++i)
      asked.push_back(one.ask("quiet", "members"));
    one.send();
    all.node.settle();
    all.end();
    for (const auto number : asked)
      EXPECT_EQ(one.answer(number), "not_allowed");
  });
}

TEST(rooms, let_commands_wait_for_the_join_that_the_same_message_asked_for) {
  for_each_seed(seeds / 3, [](std::uint64_t seed) {
    auto options = some_loops(seed);
    options.asks = seed % 2 == 0;
    crowd all{options, seed};
    auto& one = all.connect();
    one.gather();
    const auto joined = one.join("lobby");
    const auto shouted = one.shout("lobby", "text");
    const auto asked = one.ask("lobby", "history");
    const auto locked = one.join("locked");
    const auto unheard = one.shout("locked", "text");
    one.send();
    all.node.settle();
    all.end();
    EXPECT_EQ(one.answer(joined), "joined");
    EXPECT_EQ(one.answer(shouted), "stored");
    EXPECT_NE(one.answer(asked), "");
    EXPECT_EQ(one.answer(locked), options.asks ? "not_allowed" : "joined");
    EXPECT_TRUE(one.answer(unheard)
                  == "stored" // one that was refused at once is outside, where it may
                || (options.asks && one.answer(unheard) == "not_allowed"));
  });
}

TEST(rooms, that_are_left_while_they_are_joined_and_joined_again_are_joined_once) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    crowd all{some_loops(seed), seed};
    auto& writer = all.connect();
    writer.join("lobby");
    auto& one = all.connect();
    all.node.settle();
    for (int i = 0; i < 6; ++i) {
      one.join("lobby", all.some_history());
      all.steps();
      writer.publish("lobby", all.some_text());
      all.steps();
      one.leave("lobby");
      all.steps();
    }
    const auto last = one.join("lobby");
    all.node.settle();
    writer.publish("lobby", all.some_text());
    const auto members = [&] { return all.node.members(); };
    all.node.settle();
    EXPECT_EQ(members(), 2);
    all.end();
    EXPECT_EQ(one.answer(last), "joined");
  });
}

/// The answer to a join that came last.
std::string last_joined(lines_client& one) {
  std::string found;
  for (const auto& message : one.peer().peer->received)
    if (message.payload.starts_with("joined "))
      found = message.payload;
  return found;
}

TEST(rooms, tell_no_more_of_their_history_inside_of_an_answer_than_one_message_may_have) {
  constexpr std::size_t count = 40;
  constexpr std::size_t size = 40'000;
  auto options = some_loops(0);
  options.history.history_size = count;
  options.history.history_bytes = count * size;
  for (const auto place : {net::recovered_in::reply, net::recovered_in::messages}) {
    sim_node node{options, 1};
    lines_client writer{node, 0};
    writer.join("lobby");
    for (std::size_t i = 0; i < count; ++i) {
      writer.publish("lobby", std::string(size, static_cast<char>('a' + i % 26)));
      node.settle();
    }
    lines_client asks{node, 0, place};
    asks.join("lobby", std::to_string(count));
    node.settle();
    asks.verify_complete();
    // joined REQUEST ROOM EPOCH OFFSET no ...
    const auto answer = last_joined(asks);
    const auto epoch_at = answer.find("lobby ") + 6;
    const auto epoch = answer.substr(epoch_at, answer.find(' ', epoch_at) - epoch_at);
    const auto fit = net::max_recovered_in_reply_bytes / (size + net::overhead_in_flight_bytes);
    const auto from = place == net::recovered_in::reply ? count - fit : 0;
    EXPECT_NE(answer.find(epoch + ' ' + std::to_string(from) + " no"), std::string::npos)
      << answer.substr(0, 60);
    EXPECT_EQ(answer.size() > size, place == net::recovered_in::reply);

    lines_client resumes{node, 0, place};
    resumes.join("lobby", epoch + ":1");
    node.settle();
    resumes.verify_complete();
    EXPECT_NE(last_joined(resumes).find(place == net::recovered_in::reply
                                          ? epoch + ' ' + std::to_string(count) + " no"
                                          : epoch + " 1 yes"),
              std::string::npos)
      << last_joined(resumes).substr(0, 60);
    lines_client misses_little{node, 0, place};
    misses_little.join("lobby", epoch + ':' + std::to_string(count - 2));
    node.settle();
    misses_little.verify_complete();
    EXPECT_NE(last_joined(misses_little).find(" yes"), std::string::npos);
    node.finish();
  }
}

TEST(rooms, remove_a_member_with_a_word_where_the_protocol_has_one) {
  for_each_seed(seeds / 3, [](std::uint64_t seed) {
    crowd all{some_loops(seed), seed};
    auto& one = all.connect();
    auto& other = all.connect();
    auto& plain = all.node.connect({"lobby", 0});
    for (auto* const each : {&one, &other}) {
      each->join("lobby");
      each->join("garden");
    }
    all.node.settle();
    auto lobby = all.node.room_called("lobby");
    caf::anon_send(lobby, actors::expel_user{"lobby", user_of(one), {}});
    all.steps();
    one.publish("lobby", "text");
    other.publish("garden", "text");
    caf::anon_send(lobby, actors::expel_user{"lobby", {}, {}}); // whoever has no name
    lobby = nullptr;
    all.node.settle();
    one.verify();
    EXPECT_EQ(one.ended(), std::vector<std::string>{"lobby 3503 removed from the room"});
    EXPECT_TRUE(one.is_in("garden"));
    EXPECT_TRUE(other.is_in("lobby"));
    EXPECT_EQ(plain.peer->close_code, 3503);
    ASSERT_TRUE(plain.peer->reported);
    EXPECT_EQ(plain.peer->reported->reason, net::close_reason::disconnected);
    const auto again = one.join("lobby");
    all.end();
    EXPECT_EQ(one.answer(again), "joined");
  });
}

/// Wherever the join is on its way. It is never asked to try again.
TEST(rooms, refuse_for_good_whoever_is_removed_while_it_joins) {
  int refused = 0;
  int removed = 0;
  for_each_seed(seeds, [&](std::uint64_t seed) {
    crowd all{some_loops(seed), seed};
    auto& other = all.connect();
    other.join("lobby");
    auto& one = all.connect();
    all.node.settle();
    const auto members = all.node.members();
    const auto asked = one.join("lobby", "5");
    all.steps();
    caf::anon_send(all.node.room_called("lobby"), actors::expel_user{"lobby", user_of(one), {}});
    all.node.settle();
    one.verify();
    const auto answer = one.answer(asked);
    EXPECT_TRUE(answer == "joined" || answer == "not_allowed") << answer;
    refused += answer == "not_allowed" ? 1 : 0;
    removed += one.ended().empty() ? 0 : 1;
    EXPECT_EQ(one.is_in("lobby"), answer == "joined" && one.ended().empty());
    EXPECT_EQ(all.node.members(), members + (one.is_in("lobby") ? 1 : 0));
    EXPECT_TRUE(other.is_in("lobby"));
    all.end();
  });
  EXPECT_GT(refused, 0);
  EXPECT_GT(removed, 0);
}

/// It is open from the start, and cannot join later.
TEST(rooms, a_stream_whose_room_is_away_is_closed_to_come_back) {
  sim_node node{some_loops(0), 1};
  node.broker_of("lobby").refuse_next_history("lobby");
  auto& stream = node.connect({.history = 1, .format = &net::sse_rooms_format()});
  node.settle();
  EXPECT_EQ(stream.peer->close_code, 1013);
  ASSERT_TRUE(stream.peer->reported);
  EXPECT_EQ(stream.peer->reported->reason, net::close_reason::join_failed);
  EXPECT_EQ(node.members(), 0);
  node.finish();
}

TEST(rooms, all_connections_of_a_user_are_closed_at_once) {
  sim_node node{some_loops(0), 1};
  lines_client one{node, 0};
  one.join("lobby");
  node.settle();
  caf::anon_send(node.cast()[0].hub,
                 actors::close_user{std::make_shared<const cluster::disconnect_user>(
                                      cluster::disconnect_user{user_of(one), 4001, "go"}),
                                    {}});
  node.settle();
  EXPECT_EQ(one.peer().peer->close_code, 4001);
  ASSERT_TRUE(one.peer().peer->reported);
  EXPECT_EQ(one.peer().peer->reported->reason, net::close_reason::disconnected);
  EXPECT_EQ(node.members(), 0);
  node.finish();
}

/// Whoever says nothing.
client& connect_silent(sim_node& node) {
  client_options asked;
  asked.room.clear();
  asked.format = &lines_format();
  return node.connect(asked);
}

TEST(rooms, commands_of_one_that_has_not_said_who_it_is_are_refused) {
  sim_node node{some_loops(0), 1};
  auto& one = connect_silent(node);
  one.peer->send(net::frame_type::text, "join 1 lobby\npublish 2 lobby text\nleave 3 lobby");
  one.peer->send(net::frame_type::text, "hello anna\nhello again\njoin 4 lobby");
  node.settle();
  std::vector<std::string> got;
  for (const auto& message : one.peer->received)
    got.push_back(message.payload);
  ASSERT_EQ(got.size(), 6U);
  EXPECT_EQ(got[0], "failed 1 unidentified lobby");
  EXPECT_EQ(got[1], "failed 2 unidentified lobby");
  EXPECT_EQ(got[2], "failed 3 unidentified lobby");
  EXPECT_EQ(got[3], "welcome");
  EXPECT_EQ(got[4], "failed 0 identified_before ");
  EXPECT_TRUE(got[5].starts_with("joined 4 lobby")) << got[5];
  node.finish();
}

TEST(rooms, one_that_does_not_say_who_it_is_is_closed_in_time) {
  sim_node node{some_loops(0), 1};
  auto& silent = connect_silent(node);
  lines_client one{node, 0};
  node.settle();
  node.pass(net::identify_timeout - 200ms);
  node.settle();
  EXPECT_TRUE(silent.stays());
  node.pass(400ms);
  node.settle();
  ASSERT_TRUE(silent.peer->reported);
  EXPECT_EQ(silent.peer->reported->reason, net::close_reason::unidentified);
  EXPECT_EQ(silent.peer->close_code, 1008);
  EXPECT_TRUE(one.peer().stays())
    << "it has no room, and may be without one for as long as it likes";
  node.finish();
}

} // namespace
} // namespace canang::sim
