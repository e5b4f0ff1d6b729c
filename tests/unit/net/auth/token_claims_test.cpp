#include "net/auth/token_claims.hpp"

#include "net/auth/token_limits.hpp"

#include <gtest/gtest.h>

#include <string>

namespace canang::net {
namespace {

using kind = token_grant::kind;

std::optional<token_claims> claims_of(std::string_view json) {
  auto read = parse_claims(json);
  return read ? std::optional{std::move(read->claims)} : std::nullopt;
}

bool is_malformed(std::string_view json) { return !parse_claims(json); }

std::string list_of(std::size_t count) {
  std::string list;
  for (std::size_t i = 0; i < count; ++i)
    list += (i == 0 ? "\"r" : ",\"r") + std::to_string(i) + '"';
  return list;
}

TEST(token_claims, of_a_token_that_says_nothing_are_nothing) {
  const auto claims = claims_of("{}");
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->user, "");
  EXPECT_EQ(claims->expires_at, std::nullopt);
  EXPECT_EQ(claims->info, "");
  EXPECT_EQ(claims->channel, std::nullopt);
  EXPECT_TRUE(claims->rooms.empty());
  EXPECT_TRUE(claims->grants.empty());
}

TEST(token_claims, may_have_anything_in_members_that_are_not_known) {
  EXPECT_TRUE(claims_of(R"({"sub":"ann","meta":{"a":[1,null]},"jti":7,"override":{}})"));
}

TEST(token_claims, name_the_user) {
  EXPECT_EQ(claims_of(R"({"sub":"ann"})")->user, "ann");
  EXPECT_EQ(claims_of(R"({"sub":""})")->user, "");
  EXPECT_EQ(claims_of(R"({"sub":"a\u00f1o"})")->user, "a\u00f1o");
  EXPECT_TRUE(is_malformed(R"({"sub":42})"));
  EXPECT_TRUE(is_malformed(R"({"sub":null})"));
  EXPECT_TRUE(is_malformed(R"({"sub":"a\nb"})"));
  EXPECT_TRUE(is_malformed(R"({"sub":"a\u0000b"})"));
  EXPECT_TRUE(is_malformed(R"({"sub":")" + std::string(256, 'a') + "\"}"));
}

TEST(token_claims, end_the_connection_with_the_token_unless_they_say_otherwise) {
  EXPECT_EQ(claims_of(R"({"exp":2000})")->expires_at, 2000);
  EXPECT_EQ(claims_of(R"({"exp":2000,"expire_at":3000})")->expires_at, 3000);
  EXPECT_EQ(claims_of(R"({"exp":2000,"expire_at":1000})")->expires_at, 1000);
  EXPECT_EQ(claims_of(R"({"expire_at":0,"exp":2000})")->expires_at, std::nullopt);
  EXPECT_EQ(claims_of(R"({"expire_at":3000})")->expires_at, 3000);
}

TEST(token_claims, carry_info_as_it_stands_without_white_space) {
  EXPECT_EQ(claims_of(R"({"info": { "a" : [ 1.50, 12345678901234567890123e1, "x y" ] }})")->info,
            R"({"a":[1.50,12345678901234567890123e1,"x y"]})");
  EXPECT_EQ(claims_of(R"({"a":1,"\u0069nfo":"text","z":{}})")->info, R"("text")");
  EXPECT_EQ(claims_of(R"({"info":null})")->info, "");
  EXPECT_EQ(claims_of(R"({"info":"e1","b64info":"eyJhIjogMX0="})")->info, R"({"a":1})");
  EXPECT_EQ(claims_of(R"({"b64info":"eyJhIjogMX0=","info":"e1"})")->info, R"({"a":1})");
  EXPECT_EQ(claims_of(R"({"info":1,"b64info":""})")->info, "1");
  EXPECT_TRUE(is_malformed(R"({"b64info":"AAAA"})")) << "it is not JSON";
  EXPECT_TRUE(is_malformed(R"({"b64info":"!!!!"})"));
  EXPECT_TRUE(is_malformed(R"({"b64info":"eyJ"})"));
  EXPECT_TRUE(is_malformed(R"({"b64info":1})"));
}

TEST(token_claims, carry_info_of_4_kib_at_most) {
  const auto info = [](std::size_t size) {
    return R"({"info":")" + std::string(size - 2, 'i') + "\"}";
  };
  EXPECT_EQ(claims_of(info(max_info_bytes))->info.size(), max_info_bytes);
  EXPECT_TRUE(is_malformed(info(max_info_bytes + 1)));
}

TEST(token_claims, name_the_room_of_a_subscription) {
  EXPECT_EQ(claims_of(R"({"channel":"news","client":"c1"})")->channel, "news");
  EXPECT_EQ(claims_of(R"({"channel":"news","client":"c1"})")->client, "c1");
  EXPECT_TRUE(is_malformed(R"({"channel":""})"));
  EXPECT_TRUE(is_malformed(R"({"channel":["news"]})"));
  EXPECT_TRUE(is_malformed(R"({"client":1})"));
}

TEST(token_claims, name_rooms_each_once) {
  const auto claims = claims_of(R"({"channels":["a","b","a"],"subs":{"b":{},"c":{"info":{}}}})");
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->rooms, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(claims_of("{\"channels\":[" + list_of(max_token_rooms) + "]}")->rooms.size(),
            max_token_rooms);
  EXPECT_TRUE(is_malformed("{\"channels\":[" + list_of(max_token_rooms + 1) + "]}"));
  EXPECT_TRUE(is_malformed(R"({"channels":"a"})"));
  EXPECT_TRUE(is_malformed(R"({"channels":[1]})"));
  EXPECT_TRUE(is_malformed(R"({"channels":[""]})"));
  EXPECT_TRUE(is_malformed(R"({"subs":["a"]})"));
  EXPECT_TRUE(is_malformed(R"({"subs":{"a":1}})"));
}

TEST(token_claims, grant_what_caps_say) {
  const auto claims = claims_of(
    R"({"caps":[{"channels":["news","chat:*"],"match":"wildcard","allow":["sub","pub"]},
                {"channels":["*"],"allow":["prs","hst"]}]})");
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->grants,
            (std::vector<token_grant>{
              {"news", kind::wildcard, token_grant::subscribe | token_grant::publish},
              {"chat:*", kind::wildcard, token_grant::subscribe | token_grant::publish},
              {"*", kind::exact, token_grant::presence | token_grant::history}}));
  EXPECT_TRUE(claims_of(R"({"caps":[]})")->grants.empty());
}

TEST(token_claims, with_caps_that_cannot_be_are_malformed) {
  for (const std::string_view caps :
       {R"({})", R"("all")", R"([1])", R"([{}])", R"([{"channels":["a"]}])",
        R"([{"allow":["sub"]}])", R"([{"channels":"a","allow":["sub"]}])",
        R"([{"channels":["a"],"allow":"sub"}])", R"([{"channels":["a"],"allow":["all"]}])",
        R"([{"channels":["a"],"allow":[1]}])", R"([{"channels":[""],"allow":["sub"]}])",
        R"([{"channels":["^a.*$"],"match":"regex","allow":["sub"]}])",
        R"([{"channels":["a"],"match":1,"allow":["sub"]}])"})
    EXPECT_TRUE(is_malformed("{\"caps\":" + std::string{caps} + "}")) << caps;
  const auto many = [](std::size_t count) {
    return "{\"caps\":[{\"channels\":[" + list_of(count) + "],\"allow\":[\"sub\"]}]}";
  };
  EXPECT_EQ(claims_of(many(max_token_grants))->grants.size(), max_token_grants);
  EXPECT_TRUE(is_malformed(many(max_token_grants + 1)));
}

TEST(token_grant, covers_rooms_by_its_pattern) {
  const token_grant wild{"chat:*", kind::wildcard, token_grant::subscribe};
  EXPECT_TRUE(wild.covers("chat:", token_grant::subscribe));
  EXPECT_TRUE(wild.covers("chat:one:two", token_grant::subscribe));
  EXPECT_FALSE(wild.covers("chat", token_grant::subscribe));
  EXPECT_FALSE(wild.covers("achat:x", token_grant::subscribe));
  EXPECT_FALSE(wild.covers("chat:x", token_grant::publish));
  const token_grant exact{"chat:*", kind::exact, token_grant::subscribe};
  EXPECT_TRUE(exact.covers("chat:*", token_grant::subscribe));
  EXPECT_FALSE(exact.covers("chat:x", token_grant::subscribe));
  const token_grant middle{"a*b*c", kind::wildcard, token_grant::history};
  EXPECT_TRUE(middle.covers("abc", token_grant::history));
  EXPECT_TRUE(middle.covers("a1b2b3c", token_grant::history));
  EXPECT_FALSE(middle.covers("a1b2b3", token_grant::history));
  EXPECT_FALSE(middle.covers("ac", token_grant::history));
  const token_grant all{"**", kind::wildcard, token_grant::presence};
  EXPECT_TRUE(all.covers("anything", token_grant::presence));
}

} // namespace
} // namespace canang::net
