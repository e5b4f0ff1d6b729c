#include "actors/room_events.hpp"

#include "tests/unit/support/fake_hooks.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace canang::actors {
namespace {

using net::hook_kind;

struct room_events_test : testing::Test {
  test::fake_hooks hooks;
  std::shared_ptr<cluster::room_settings_table> table =
    std::make_shared<cluster::room_settings_table>();

  room_events_test() {
    hooks.kinds = {hook_kind::rooms};
    table->namespaces["quiet"].hook_rooms = false;
  }
};

TEST_F(room_events_test, tell_that_a_room_has_members_and_has_none) {
  const cluster::room_settings_source settings{table};
  const room_events events{&hooks, settings, "node-1"};
  EXPECT_TRUE(events.note_occupied("lobby"));
  events.note_vacated("lobby");
  ASSERT_EQ(hooks.events.size(), 2U);
  for (const auto& [event, type] :
       {std::pair{hooks.events[0], "occupied"}, std::pair{hooks.events[1], "vacated"}}) {
    EXPECT_EQ(event.what, hook_kind::rooms);
    EXPECT_NE(event.body.find(R"("channel":"lobby","node":"node-1")"), std::string::npos);
    EXPECT_NE(event.body.find(std::string{R"("type":")"} + type), std::string::npos) << event.body;
  }
}

TEST_F(room_events_test, leave_out_rooms_whose_settings_say_so) {
  const cluster::room_settings_source settings{table};
  const room_events events{&hooks, settings, "node-1"};
  EXPECT_FALSE(events.note_occupied("quiet:1"));
  EXPECT_TRUE(events.note_occupied("loud:1"));
  EXPECT_EQ(hooks.events.size(), 1U);
}

TEST_F(room_events_test, are_none_where_nobody_is_told) {
  const cluster::room_settings_source settings{table};
  hooks.kinds = {hook_kind::connect};
  EXPECT_FALSE((room_events{&hooks, settings, "node-1"}.note_occupied("lobby")));
  EXPECT_FALSE((room_events{nullptr, settings, "node-1"}.note_occupied("lobby")));
  EXPECT_TRUE(hooks.events.empty());
}

} // namespace
} // namespace canang::actors
