#include "net/auth/settings_authorizer.hpp"

#include "actors/room_access.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace canang::net {
namespace {

constexpr room_action actions[] = {room_action::subscribe, room_action::publish,
                                   room_action::presence, room_action::history};

/// Rooms of which one kind of client may do everything, and one of which each may do something else.
struct settings : access_settings {
  access_rules rules;
  std::uint64_t changes = 1;

  access_rules of(std::string_view) override { return rules; }
  std::uint64_t generation() const noexcept override { return changes; }
};

struct settings_authorizer_test : testing::Test {
  settings said;
  settings_authorizer access{said};

  bool may(room_action what, bool is_proved, bool is_member) {
    const identity who{"ann", is_proved};
    int answers = 0;
    auto answer = verdict::unavailable;
    access.decide({who, what, "lobby", is_member}, [&](verdict given) {
      ++answers;
      answer = given;
    });
    EXPECT_EQ(answers, 1) << "decided at once, and once";
    EXPECT_NE(answer, verdict::unavailable);
    return answer == verdict::allowed;
  }
};

TEST_F(settings_authorizer_test, decides_by_who_asks_for_every_action) {
  for (const auto what : actions) {
    for (const bool is_proved : {false, true}) {
      for (const bool is_member : {false, true}) {
        const auto when = [&](who_may those) {
          said.rules = {those, those, those, those};
          return may(what, is_proved, is_member);
        };
        EXPECT_TRUE(when(who_may::anyone));
        EXPECT_EQ(when(who_may::users), is_proved);
        EXPECT_EQ(when(who_may::members), is_member);
        EXPECT_FALSE(when(who_may::token)) << "there are none yet";
        EXPECT_FALSE(when(who_may::nobody));
      }
    }
  }
}

TEST_F(settings_authorizer_test, decides_each_action_by_its_own_rule) {
  constexpr auto yes = who_may::anyone;
  constexpr auto no = who_may::nobody;
  const std::pair<access_rules, room_action> only[] = {{{yes, no, no, no}, room_action::subscribe},
                                                       {{no, yes, no, no}, room_action::publish},
                                                       {{no, no, yes, no}, room_action::presence},
                                                       {{no, no, no, yes}, room_action::history}};
  for (const auto& [rules, allowed] : only) {
    said.rules = rules;
    for (const auto what : actions)
      EXPECT_EQ(may(what, true, true), what == allowed);
  }
}

TEST_F(settings_authorizer_test, tells_when_what_it_decided_may_be_otherwise_now) {
  const auto before = access.generation();
  EXPECT_EQ(access.generation(), before);
  ++said.changes;
  EXPECT_GT(access.generation(), before);
}

TEST(room_access_test, has_the_rules_of_the_settings_in_force) {
  auto first = std::make_shared<cluster::room_settings_table>();
  first->rooms.publish = who_may::nobody;
  first->rooms.see_history = who_may::users;
  auto& quiet = first->namespaces["quiet"];
  quiet.subscribe = who_may::token;
  quiet.see_presence = who_may::anyone;
  cluster::room_settings_source source{first};
  actors::room_access rules{source};
  EXPECT_EQ(rules.of("lobby").subscribe, who_may::anyone);
  EXPECT_EQ(rules.of("lobby").publish, who_may::nobody);
  EXPECT_EQ(rules.of("lobby").presence, who_may::members);
  EXPECT_EQ(rules.of("lobby").history, who_may::users);
  EXPECT_EQ(rules.of("quiet:1").subscribe, who_may::token);
  EXPECT_EQ(rules.of("quiet:1").presence, who_may::anyone);

  const auto before = rules.generation();
  source.set(std::make_shared<cluster::room_settings_table>());
  EXPECT_GT(rules.generation(), before);
  EXPECT_EQ(rules.of("lobby").publish, who_may::members);
  EXPECT_EQ(rules.of("quiet:1").subscribe, who_may::anyone);
}

} // namespace
} // namespace canang::net
