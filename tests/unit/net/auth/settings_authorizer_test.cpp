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
  room_name_rules names;
  settings_authorizer access{said, names};

  bool may(room_action what, bool is_proved, bool is_member) {
    return may(what, {.user = "ann", .is_proved = is_proved}, "lobby", is_member);
  }

  bool may(room_action what, const identity& who, std::string_view room, bool is_member = false) {
    int answers = 0;
    auto answer = verdict::unavailable;
    access.decide({who, what, room, is_member}, [&](verdict given) {
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
        EXPECT_FALSE(when(who_may::token)) << "it has none";
        EXPECT_FALSE(when(who_may::nobody));
      }
    }
  }
}

TEST_F(settings_authorizer_test, takes_nobody_for_a_user_who_has_no_name) {
  said.rules.subscribe = who_may::users;
  EXPECT_FALSE(may(room_action::subscribe, {.is_proved = true}, "lobby"));
  EXPECT_TRUE(may(room_action::subscribe, {.user = "ann", .is_proved = true}, "lobby"));
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

TEST_F(settings_authorizer_test, lets_those_do_something_whose_token_says_so) {
  identity who{.user = "ann", .is_proved = true};
  who.grants = {
    {.pattern = "chat:*",
     .match = token_grant::kind::wildcard,
     .rights = token_grant::subscribe | token_grant::history},
    {.pattern = "news", .match = token_grant::kind::exact, .rights = token_grant::publish}};
  constexpr auto token = who_may::token;
  said.rules = {token, token, token, token};
  EXPECT_TRUE(may(room_action::subscribe, who, "chat:1"));
  EXPECT_TRUE(may(room_action::history, who, "chat:1"));
  EXPECT_FALSE(may(room_action::publish, who, "chat:1"));
  EXPECT_FALSE(may(room_action::presence, who, "chat:1"));
  EXPECT_FALSE(may(room_action::subscribe, who, "news"));
  EXPECT_TRUE(may(room_action::publish, who, "news"));
  EXPECT_FALSE(may(room_action::publish, who, "news2"));
  constexpr auto nobody = who_may::nobody;
  said.rules = {nobody, nobody, nobody, nobody};
  EXPECT_FALSE(may(room_action::subscribe, who, "chat:1")) << "nobody is nobody";
}

TEST_F(settings_authorizer_test, keeps_private_rooms_for_those_with_a_token) {
  said.rules.publish = said.rules.presence = who_may::anyone;
  identity who{.user = "ann", .is_proved = true};
  for (const auto what : actions) {
    EXPECT_FALSE(may(what, who, "$board"));
    if (what != room_action::subscribe) {
      EXPECT_TRUE(may(what, who, "$board", true)) << "its token let it in";
    }
  }
  who.grants = {
    {.pattern = "$*", .match = token_grant::kind::wildcard, .rights = token_grant::subscribe}};
  EXPECT_TRUE(may(room_action::subscribe, who, "$board"));
  names.private_prefix.clear();
  who.grants.clear();
  EXPECT_TRUE(may(room_action::subscribe, who, "$board"));
}

TEST_F(settings_authorizer_test, keeps_a_users_room_for_that_user) {
  names.personal_prefix = "me:";
  said.rules.publish = who_may::anyone;
  const identity ann{.user = "ann"};
  const identity bob{.user = "bob"};
  EXPECT_TRUE(may(room_action::subscribe, ann, "me:ann"));
  EXPECT_TRUE(may(room_action::publish, ann, "me:ann"));
  EXPECT_FALSE(may(room_action::subscribe, bob, "me:ann"));
  EXPECT_FALSE(may(room_action::publish, bob, "me:ann"));
  EXPECT_FALSE(may(room_action::subscribe, identity{}, "me:")) << "nobody has no room";
  EXPECT_TRUE(may(room_action::subscribe, {.user = "ann", .is_proved = true}, "me:ann"));
}

TEST_F(settings_authorizer_test, keeps_rooms_for_the_users_whom_their_names_list) {
  const identity ann{.user = "ann"};
  const identity bob{.user = "bob"};
  EXPECT_TRUE(may(room_action::subscribe, bob, "talk#ann")) << "the settings do not say so";
  said.rules.has_users = true;
  said.rules.subscribe = who_may::token;
  EXPECT_TRUE(may(room_action::subscribe, ann, "talk#ann"));
  EXPECT_FALSE(may(room_action::subscribe, bob, "talk#ann"));
  EXPECT_TRUE(may(room_action::subscribe, bob, "talk#ann,bob"));
  EXPECT_TRUE(may(room_action::subscribe, ann, "talk#ann,bob"));
  EXPECT_FALSE(may(room_action::subscribe, {.user = "an"}, "talk#ann,bob"));
  EXPECT_FALSE(may(room_action::subscribe, {.user = "ann,bob"}, "talk#ann,bob"));
  EXPECT_FALSE(may(room_action::subscribe, identity{}, "talk#,bob")) << "an empty name is nobody's";
  EXPECT_TRUE(may(room_action::subscribe, bob, "talk#ann#bob")) << "the last boundary counts";
  EXPECT_FALSE(may(room_action::subscribe, ann, "talk")) << "it lists nobody";
  EXPECT_FALSE(may(room_action::publish, bob, "talk#ann"));
}

TEST_F(settings_authorizer_test, believes_whoever_has_no_token_and_no_token) {
  const auto result_for = [this](credentials shown) {
    std::string text;
    access.identify(std::move(shown), [&](proof is, client_admission&& as) {
      text = std::string{to_string(is)} + ' ' + as.who.user + (as.who.is_proved ? " proved" : "");
    });
    return text;
  };
  EXPECT_EQ(result_for({.user = "ann"}), "good ann");
  EXPECT_EQ(result_for({.user = "ann", .token = "t"}), "bad ");
  std::string text;
  access.check_pass({.who = {}, .client = "n/1", .room = "r", .token = "t"},
                    [&](proof is, room_pass&&) { text = to_string(is); });
  EXPECT_EQ(text, "bad");
}

TEST_F(settings_authorizer_test, leaves_it_to_the_program_whether_one_may_subscribe) {
  names.personal_prefix = "me:";
  said.rules.asks_subscribe = true;
  const auto verdict_for = [this](room_action what, const identity& who, std::string_view room,
                                  bool is_member = false) {
    verdict said_of_it = verdict::unavailable;
    access.decide({.who = who, .what = what, .room = room, .is_member = is_member},
                  [&](verdict is) { said_of_it = is; });
    return said_of_it;
  };
  identity ann{.user = "ann", .is_proved = true};
  said.rules.subscribe = who_may::token;
  EXPECT_EQ(verdict_for(room_action::subscribe, ann, "lobby"), verdict::ask);
  EXPECT_EQ(verdict_for(room_action::subscribe, ann, "me:ann"), verdict::allowed);
  EXPECT_EQ(verdict_for(room_action::subscribe, ann, "me:bob"), verdict::refused);
  EXPECT_EQ(verdict_for(room_action::subscribe, ann, "$board"), verdict::refused);
  EXPECT_EQ(verdict_for(room_action::publish, ann, "lobby", true), verdict::allowed);
  ann.grants = {
    {.pattern = "lobby", .match = token_grant::kind::exact, .rights = token_grant::subscribe}};
  EXPECT_EQ(verdict_for(room_action::subscribe, ann, "lobby"), verdict::allowed);
  said.rules.subscribe = who_may::nobody;
  EXPECT_EQ(verdict_for(room_action::subscribe, ann, "lobby"), verdict::refused);
}

TEST_F(settings_authorizer_test, leaves_every_publish_to_the_program_but_those_that_nobody_may) {
  said.rules.asks_publish = true;
  said.rules.publish = who_may::anyone;
  identity ann{.user = "ann", .is_proved = true};
  ann.grants = {
    {.pattern = "*", .match = token_grant::kind::wildcard, .rights = token_grant::publish}};
  const auto publish_verdict = [&](std::string_view room = "lobby", bool is_member = false) {
    verdict said_of_it = verdict::unavailable;
    access.decide({.who = ann, .what = room_action::publish, .room = room, .is_member = is_member},
                  [&](verdict is) { said_of_it = is; });
    return said_of_it;
  };
  EXPECT_EQ(publish_verdict(), verdict::ask);
  ann.grants.clear();
  EXPECT_EQ(publish_verdict(), verdict::ask);
  EXPECT_EQ(publish_verdict("$board", true), verdict::ask);
  EXPECT_EQ(publish_verdict("$board"), verdict::refused) << "it is not for all";
  said.rules.publish = who_may::nobody;
  EXPECT_EQ(publish_verdict(), verdict::refused);
}

TEST(room_access_test, has_the_rules_of_the_settings_in_force) {
  auto first = std::make_shared<cluster::room_settings_table>();
  first->rooms.publish = who_may::nobody;
  first->rooms.see_history = who_may::users;
  auto& quiet = first->namespaces["quiet"];
  quiet.subscribe = who_may::token;
  quiet.see_presence = who_may::anyone;
  cluster::room_settings_source source{first};
  cluster::moderation_source acts;
  actors::room_access rules{source, acts};
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
