// Who is in a room of a node that runs alone, and what the room hears of it.

#include "actors/node/node_description.hpp"
#include "cluster/memory/memory_broker.hpp"
#include "cluster/who_text.hpp"
#include "tests/unit/support/clock.hpp"
#include "tests/unit/support/memory_rooms.hpp"
#include "tests/unit/support/room_log.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace canang::cluster {
namespace {

using namespace std::chrono_literals;
using test::room_log;

struct memory_presence_test : testing::Test {
  test::moving_clock clock;
  room_rules rules{{"*"}, {"told*"}};
  presence_options presence{"n1", actors::describe_member};
  room_log room;

  test::memory_rooms make() {
    return {{}, {}, [this] { return clock.now; }, rules, presence};
  }

  static room_report report_of(test::memory_rooms& broker, std::string_view name) {
    room_report result;
    broker.report(name, true, [&](room_report&& report) { result = std::move(report); });
    std::sort(result.members.begin(), result.members.end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
    return result;
  }

  /// What the room heard, such as `+{"id":"n1/1","user":"ann"}`.
  std::string events() const {
    std::string all;
    for (const auto& message : room.publications)
      all += (message->kind == publication_kind::joined ? '+' : '-') + message->data;
    return all;
  }
};

TEST_F(memory_presence_test, costs_memory_until_all_have_left) {
  auto broker = make();
  EXPECT_EQ(broker.rooms_cost(), 0U);
  broker.note_member("a", {1, "ann"}, true);
  const auto with_one = broker.rooms_cost();
  EXPECT_GT(with_one, 100U);
  broker.note_member("a", {1, "ann"}, true);
  EXPECT_EQ(broker.rooms_cost(), with_one);
  broker.note_member("a", {2, std::string(255, 'x')}, true);
  EXPECT_GT(broker.rooms_cost(), with_one + 255);
  broker.note_member("a", {3, "ann"}, false); // was not there
  broker.note_member("a", {1, "ann"}, false);
  broker.note_member("a", {2, {}}, false);
  EXPECT_EQ(broker.rooms_cost(), 0U);
  broker.subscribe("told", room); // where leaves have a grace
  const auto joined = broker.rooms_cost();
  broker.note_member("told", {1, "ann"}, true);
  broker.note_member("told", {2, "ann"}, true);
  broker.note_member("told", {1, "ann"}, false);
  broker.note_member("told", {2, "ann"}, false);
  EXPECT_GT(broker.rooms_cost(), joined);
  clock.move(leave_grace);
  broker.expire();
  EXPECT_EQ(broker.rooms_cost(), joined);
}

/// By a token: its user, and what it has others know.
std::string known_as(std::string_view user, std::string_view info,
                     std::string_view room_info = {}) {
  return who_text({user, info, room_info});
}

TEST_F(memory_presence_test, what_tokens_say_costs_memory_until_it_is_told_no_more) {
  const std::string info = '"' + std::string(4000, 'i') + '"';
  auto broker = make();
  broker.note_member("a", {1, "ann"}, true);
  const auto with_name = broker.rooms_cost();
  broker.note_member("a", {1, {}}, false);
  broker.note_member("a", {1, known_as("ann", info)}, true);
  EXPECT_GT(broker.rooms_cost(), with_name + info.size());
  EXPECT_LT(broker.rooms_cost(), with_name + 2 * info.size());
  broker.note_member("a", {1, {}}, false);
  EXPECT_EQ(broker.rooms_cost(), 0U);
  broker.subscribe("told", room);
  const auto empty = broker.rooms_cost();
  broker.note_member("told", {1, known_as("ann", info, info)}, true);
  broker.note_member("told", {1, {}}, false);
  EXPECT_GT(broker.rooms_cost(), empty + 2 * info.size()) << "in its grace";
  clock.move(leave_grace);
  broker.expire();
  EXPECT_EQ(broker.rooms_cost(), empty);
}

TEST_F(memory_presence_test, tells_what_tokens_say_of_who_is_there_comes_and_goes) {
  auto broker = make();
  broker.subscribe("told", room);
  broker.note_member("told", {1, known_as("ann", R"({"name":"Ann"})", "[1]")}, true);
  broker.note_member("told", {2, known_as("ann", R"({"name":"Ann again"})")}, true);
  broker.note_member("told", {3, known_as("", "", "3")}, true);
  const auto report = report_of(broker, "told");
  ASSERT_EQ(report.members.size(), 3U);
  EXPECT_EQ(report.members[0].user, "ann");
  EXPECT_EQ(report.members[0].info, R"({"name":"Ann"})");
  EXPECT_EQ(report.members[0].room_info, "[1]");
  EXPECT_EQ(report.members[1].info, R"({"name":"Ann again"})");
  EXPECT_EQ(report.members[1].room_info, "");
  EXPECT_EQ(report.members[2].user + report.members[2].info, "");
  EXPECT_EQ(report.members[2].room_info, "3");
  for (const std::uint64_t id : {1, 2, 3})
    broker.note_member("told", {id, {}}, false);
  clock.move(leave_grace);
  broker.expire();
  EXPECT_EQ(events(), R"(+{"id":"n1/1","user":"ann","info":{"name":"Ann"},"room_info":[1]})"
                      R"(+{"id":"n1/3","user":"","room_info":3})"
                      R"(-{"id":"n1/2","user":"ann","info":{"name":"Ann again"}})"
                      R"(-{"id":"n1/3","user":"","room_info":3})");
}

TEST_F(memory_presence_test, a_user_is_one_whatever_its_tokens_say) {
  auto broker = make();
  broker.subscribe("told", room);
  broker.note_member("told", {1, known_as("ann", "1")}, true);
  broker.note_member("told", {1, {}}, false);
  broker.note_member("told", {2, known_as("ann", "2")}, true);
  broker.note_member("told", {3, "ann"}, true);
  broker.note_member("told", {2, {}}, false);
  clock.move(leave_grace);
  broker.expire();
  EXPECT_EQ(room.publications.size(), 1U) << events();
}

TEST_F(memory_presence_test, a_leave_does_not_bring_a_forgotten_room_back) {
  auto broker = make();
  broker.subscribe("told", room);
  broker.note_member("told", {1, "ann"}, true);
  broker.note_member("told", {1, "ann"}, false);
  broker.unsubscribe("told");
  EXPECT_EQ(broker.forget_rooms(9), 1U);
  clock.move(leave_grace);
  broker.expire();
  EXPECT_EQ(broker.room_count(), 0U);
}

/// A connection leaves a room and joins it again.
TEST_F(memory_presence_test, who_is_back_by_the_same_connection_is_not_told_of) {
  auto broker = make();
  broker.subscribe("told", room);
  for (const auto* const user : {"ann", ""}) {
    room.publications.clear();
    broker.note_member("told", {1, user}, true);
    EXPECT_EQ(events(), "+" + actors::describe_member({"n1/1", "n1", user}));
    broker.note_member("told", {1, {}}, false);
    clock.move(leave_grace / 2);
    broker.note_member("told", {1, user}, true);
    broker.note_member("told", {1, {}}, false);
    clock.move(leave_grace / 2); // the first leave would be due
    broker.expire();
    broker.note_member("told", {1, user}, true);
    clock.move(2 * leave_grace);
    broker.expire();
    EXPECT_EQ(room.publications.size(), 1U) << events();
    broker.note_member("told", {1, {}}, false);
    clock.move(leave_grace);
    broker.expire();
    ASSERT_EQ(room.publications.size(), 2U);
    EXPECT_EQ(room.publications[1]->kind, publication_kind::left);
  }
}

TEST_F(memory_presence_test, counts_and_names_the_members) {
  auto broker = make();
  broker.note_member("a", {1, "ann"}, true);
  broker.note_member("a", {2, ""}, true);
  broker.note_member("b", {3, "ann"}, true);
  broker.note_member("a", {1, "ann"}, true); // no second time
  const auto report = report_of(broker, "a");
  ASSERT_EQ(report.members_by_node.size(), 1U);
  EXPECT_EQ(report.members_by_node[0].first, "n1");
  EXPECT_EQ(report.members_by_node[0].second, 2U);
  ASSERT_EQ(report.members.size(), 2U);
  EXPECT_EQ(report.members[0].id, "n1/1");
  EXPECT_EQ(report.members[0].node, "n1");
  EXPECT_EQ(report.members[0].user, "ann");
  EXPECT_EQ(report.members[1].user, "");
  broker.note_member("a", {1, {}}, false);
  broker.note_member("a", {2, {}}, false);
  EXPECT_TRUE(report_of(broker, "a").members_by_node.empty());
  EXPECT_EQ(report_of(broker, "b").members.size(), 1U);
}

TEST_F(memory_presence_test, counts_only_where_no_presence_is_kept) {
  rules.presence = {"b"};
  auto broker = make();
  broker.note_member("a", {1, "ann"}, true);
  const auto report = report_of(broker, "a");
  ASSERT_EQ(report.members_by_node.size(), 1U);
  EXPECT_EQ(report.members_by_node[0].second, 1U);
  EXPECT_TRUE(report.members.empty());
}

TEST_F(memory_presence_test, tells_where_the_room_stands) {
  auto broker = make();
  EXPECT_EQ(report_of(broker, "a").top.epoch, "");
  broker.subscribe("a", room);
  broker.publish("a", test::publication_of("x"), {});
  EXPECT_EQ(report_of(broker, "a").top, room.outcomes[0].at);
}

TEST_F(memory_presence_test, tells_nothing_in_rooms_that_did_not_ask_for_it) {
  auto broker = make();
  broker.subscribe("a", room);
  broker.note_member("a", {1, "ann"}, true);
  broker.note_member("a", {1, "ann"}, false);
  clock.move(10s);
  broker.expire();
  EXPECT_EQ(room.calls, "");
}

TEST_F(memory_presence_test, tells_of_a_user_once_however_many_connections_it_has) {
  auto broker = make();
  broker.subscribe("told", room);
  broker.note_member("told", {1, "ann"}, true);
  broker.note_member("told", {2, "ann"}, true);
  EXPECT_EQ(events(), R"(+{"id":"n1/1","user":"ann"})");
  EXPECT_EQ(room.publications[0]->offset, 1U);
  broker.note_member("told", {1, "ann"}, false);
  clock.move(10s);
  broker.expire();
  EXPECT_EQ(room.publications.size(), 1U) << "it is still there";
  broker.note_member("told", {2, "ann"}, false);
  clock.move(2999ms);
  broker.expire();
  EXPECT_EQ(room.publications.size(), 1U) << "in its grace";
  clock.move(1ms);
  broker.expire();
  EXPECT_EQ(events(), R"(+{"id":"n1/1","user":"ann"}-{"id":"n1/2","user":"ann"})");
  EXPECT_EQ(test::history_of(broker, "told", 9).publications.size(), 2U) << "kept in the history";
  EXPECT_EQ(room.calls, "mm") << "no answers: the room did not publish it";
}

TEST_F(memory_presence_test, does_not_tell_of_a_reload) {
  auto broker = make();
  broker.subscribe("told", room);
  broker.note_member("told", {1, "ann"}, true);
  broker.note_member("told", {1, "ann"}, false);
  clock.move(2s);
  broker.expire();
  broker.note_member("told", {2, "ann"}, true);
  clock.move(2s);
  broker.expire();
  EXPECT_EQ(room.publications.size(), 1U);
  broker.note_member("told", {2, "ann"}, false);
  clock.move(1s); // the first leave would be due now, this one is not
  broker.expire();
  EXPECT_EQ(room.publications.size(), 1U);
  clock.move(2s);
  broker.expire();
  EXPECT_EQ(events(), R"(+{"id":"n1/1","user":"ann"}-{"id":"n1/2","user":"ann"})");
}

TEST_F(memory_presence_test, tells_of_each_connection_without_a_user) {
  auto broker = make();
  broker.subscribe("told", room);
  broker.note_member("told", {1, ""}, true);
  broker.note_member("told", {2, ""}, true);
  broker.note_member("told", {1, ""}, false);
  clock.move(3s);
  broker.expire();
  EXPECT_EQ(events(),
            R"(+{"id":"n1/1","user":""}+{"id":"n1/2","user":""}-{"id":"n1/1","user":""})");
}

TEST_F(memory_presence_test, writes_users_as_json) {
  auto broker = make();
  broker.subscribe("told", room);
  broker.note_member("told", {1, R"(a "quoted" \ name)"}, true);
  EXPECT_EQ(events(), R"(+{"id":"n1/1","user":"a \"quoted\" \\ name"})");
}

} // namespace
} // namespace canang::cluster
