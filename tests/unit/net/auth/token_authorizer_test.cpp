#include "net/auth/token_authorizer.hpp"

#include "net/auth/signing_key.hpp"
#include "net/loop_context.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

namespace canang::net {
namespace {

constexpr std::string_view secret = "a secret of thirty-two characters";

struct some_rooms final : access_settings {
  access_rules of(std::string_view room) override {
    return {.subscribe = room == "closed" ? who_may::nobody : who_may::token};
  }
  std::uint64_t generation() const noexcept override { return 7; }
};

std::string token(const std::string& claims) {
  return sign_token(claims, *signing_key::of_secret(secret));
}

std::string in_seconds(std::int64_t seconds) {
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(
    std::chrono::system_clock::now().time_since_epoch());
  return std::to_string(now.count() + seconds);
}

struct token_authorizer_test : testing::Test {
  published_token_keys keys;
  token_checks checks{keys, {.leeway = std::chrono::seconds{0}}};
  some_rooms settings;
  room_name_rules names;
  settings_authorizer rooms{settings, names};
  loop_context context{session_limits{}};
  anonymous_clients anonymous = anonymous_clients::without_keys;
  proof told = proof::unavailable;
  client_admission admitted;
  room_pass passed;

  void SetUp() override {
    token_keys_builder builder;
    ASSERT_EQ(builder.add_secret(secret), "");
    keys.set(std::make_shared<const token_keys>(std::move(builder).build()));
    keys.expect();
  }

  proof identify(credentials shown) {
    int answers = 0;
    token_authorizer access{rooms, checks, anonymous, context};
    access.identify(std::move(shown), [&](proof is, client_admission&& as) {
      ++answers;
      told = is;
      admitted = std::move(as);
    });
    EXPECT_EQ(answers, 1);
    return told;
  }

  proof pass(const std::string& shown, std::string_view user = "ann", std::string_view room = "r") {
    const identity who{.user = std::string{user}, .is_proved = true};
    token_authorizer access{rooms, checks, anonymous, context};
    access.check_pass({.who = who, .client = "n/1", .room = room, .token = shown},
                      [&](proof is, room_pass&& as) {
                        told = is;
                        passed = std::move(as);
                      });
    return told;
  }

  std::uint64_t counted(proof what) const {
    return context.metrics.token_checks_total[static_cast<std::size_t>(what)].value();
  }
};

TEST_F(token_authorizer_test, believes_what_a_token_says) {
  const auto end = in_seconds(60);
  EXPECT_EQ(identify({.user = "bob",
                      .token = token(R"({"sub":"ann","exp":)" + end
                                     + R"(,"info":{"name":"Ann"},"channels":["a","b"],)"
                                       R"("caps":[{"channels":["c"],"allow":["sub"]}]})")}),
            proof::good);
  EXPECT_EQ(admitted.who.user, "ann") << "not who it says to be";
  EXPECT_TRUE(admitted.who.is_proved);
  EXPECT_EQ(admitted.who.info, R"({"name":"Ann"})");
  EXPECT_EQ(admitted.who.grants.size(), 1U);
  EXPECT_EQ(admitted.expires_at, std::stoll(end));
  EXPECT_EQ(admitted.rooms, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(counted(proof::good), 1U);
}

TEST_F(token_authorizer_test, tells_what_is_wrong) {
  EXPECT_EQ(identify({.token = token(R"({"sub":"ann","exp":)" + in_seconds(-60) + "}")}),
            proof::expired);
  EXPECT_EQ(identify({.token = token(R"({"sub":"ann","nbf":)" + in_seconds(60) + "}")}),
            proof::expired)
    << "another one may be good, as for Centrifugo";
  EXPECT_EQ(identify({.token = token("[]")}), proof::bad);
  EXPECT_EQ(identify({.token = "x"}), proof::bad);
  EXPECT_EQ(identify({.token = token(R"({"sub":"a\u0007b"})")}), proof::bad) << "no user's name";
  EXPECT_EQ(counted(proof::bad), 3U);
  EXPECT_EQ(counted(proof::expired), 2U);
}

TEST_F(token_authorizer_test, lets_those_in_without_a_token_whom_it_is_told_to) {
  EXPECT_EQ(identify({.user = "ann"}), proof::missing);
  EXPECT_EQ(counted(proof::missing), 1U);
  keys.set(std::make_shared<const token_keys>());
  EXPECT_EQ(identify({.user = "ann"}), proof::missing) << "though its keys have gone";
  anonymous = anonymous_clients::all;
  EXPECT_EQ(identify({.user = "ann"}), proof::good);
  EXPECT_EQ(admitted.who.user, "") << "anybody could say that";
  EXPECT_FALSE(admitted.who.is_proved);
}

struct without_keys : token_authorizer_test {
  void SetUp() override {}
};

TEST_F(without_keys, everybody_is_who_they_say) {
  EXPECT_EQ(identify({.user = "ann"}), proof::good);
  EXPECT_EQ(admitted.who.user, "ann");
  EXPECT_FALSE(admitted.who.is_proved);
  anonymous = anonymous_clients::none;
  EXPECT_EQ(identify({.user = "ann"}), proof::missing);
}

TEST_F(without_keys, a_field_may_be_for_others) {
  EXPECT_EQ(identify({.user = "ann", .token = "x", .is_of_field = true}), proof::good);
  EXPECT_EQ(admitted.who.user, "ann");
  EXPECT_EQ(identify({.user = "ann", .token = "x"}), proof::bad);
  keys.expect();
  EXPECT_EQ(identify({.user = "ann", .token = "x", .is_of_field = true}), proof::bad)
    << "they are to be fetched";
}

TEST_F(token_authorizer_test,
       takes_a_token_of_a_room_for_one_of_a_client_only_where_there_is_no_other_way) {
  const auto of_room = token(R"({"sub":"ann","channel":"$r"})");
  EXPECT_EQ(identify({.token = of_room}), proof::bad);
  EXPECT_EQ(identify({.token = of_room, .room = "$s"}), proof::bad) << "of another room";
  EXPECT_EQ(
    identify({.token = token(R"({"sub":"ann","channel":"$r","client":"n/1"})"), .room = "$r"}),
    proof::bad)
    << "of another connection";
  EXPECT_EQ(identify({.token = of_room, .room = "$r"}), proof::good);
  const auto may = [&](room_action what, std::string_view room) {
    auto answer = verdict::unavailable;
    rooms.decide({admitted.who, what, room}, [&](verdict is) { answer = is; });
    return answer == verdict::allowed;
  };
  EXPECT_TRUE(may(room_action::subscribe, "$r"));
  EXPECT_FALSE(may(room_action::subscribe, "$s"));
  EXPECT_FALSE(may(room_action::publish, "$r"));
}

TEST_F(token_authorizer_test, puts_nobody_in_rooms_that_are_for_no_client) {
  EXPECT_EQ(identify({.token = token(R"({"sub":"ann","channels":["closed","open"]})")}),
            proof::good);
  EXPECT_EQ(admitted.rooms, std::vector<std::string>{"open"});
}

TEST_F(token_authorizer_test, takes_a_pass_for_its_bearer_and_its_room_alone) {
  const auto end = in_seconds(60);
  EXPECT_EQ(pass(token(R"({"sub":"ann","channel":"r","info":1,"exp":)" + end + "}")), proof::good);
  EXPECT_EQ(passed.expires_at, std::stoll(end));
  EXPECT_EQ(passed.info, "1");
  EXPECT_EQ(pass(token(R"({"sub":"ann","channel":"r"})"), "bob"), proof::bad);
  EXPECT_EQ(pass(token(R"({"sub":"ann","channel":"r"})"), "ann", "s"), proof::bad);
  EXPECT_EQ(pass(token(R"({"sub":"ann"})")), proof::bad) << "a client's";
  EXPECT_EQ(pass(token(R"({"sub":"ann","channel":"closed"})"), "ann", "closed"), proof::bad)
    << "nobody is nobody";
  EXPECT_EQ(pass(token(R"({"channel":"r"})"), ""), proof::good) << "of one without a name";
  EXPECT_EQ(pass(token(R"({"sub":"ann","channel":"r","client":"n/1"})")), proof::good);
  EXPECT_EQ(pass(token(R"({"sub":"ann","channel":"r","client":"n/2"})")), proof::bad);
  EXPECT_EQ(pass(token(R"({"sub":"ann","channel":"r","exp":)" + in_seconds(-1) + "}")),
            proof::expired);
}

} // namespace
} // namespace canang::net
