#include "net/auth/token.hpp"

#include "net/auth/token_limits.hpp"
#include "tests/unit/support/token_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <ostream>
#include <thread>
#include <vector>

namespace canang::net {
namespace {

using test::at;
using test::keys_of_pem;
using test::keys_of_secret;
using test::token_of;
using test::token_vectors;

constexpr std::int64_t present = 1'800'000'000;

std::optional<token_fault> fault_of(std::string_view token, const token_keys& keys,
                                    const token_rules& rules = {},
                                    std::chrono::system_clock::time_point now = at(present)) {
  const auto checked = check_token(token, keys, rules, now);
  const auto* const fault = std::get_if<token_fault>(&checked);
  return fault != nullptr ? std::optional{*fault} : std::nullopt;
}

token_keys keys_of(const test::token_vector& vector) {
  return vector.public_key == test::token_secret ? keys_of_secret()
                                                 : keys_of_pem(vector.public_key);
}

std::optional<signing_key> signing_key_of(const test::token_vector& vector) {
  return vector.public_key == test::token_secret
           ? signing_key::of_secret(vector.private_key, vector.algorithm)
           : signing_key::of_pem(vector.private_key, vector.algorithm);
}

TEST(token, of_another_implementation_holds_in_each_algorithm) {
  for (const auto& vector : token_vectors) {
    const auto name = facts_of(vector.algorithm).name;
    const auto checked = check_token(vector.token, keys_of(vector), {}, at(present));
    ASSERT_TRUE(std::holds_alternative<token_claims>(checked)) << name;
    const auto& claims = std::get<token_claims>(checked);
    EXPECT_EQ(claims.user, "ann") << name;
    EXPECT_EQ(claims.expires_at, 4102444800) << name;
    EXPECT_EQ(claims.info, R"({"name":"Ann"})") << name;
    EXPECT_EQ(is_costly(vector.token), vector.public_key != test::token_secret) << name;
  }
}

TEST(token, that_is_signed_here_holds_in_each_algorithm) {
  for (const auto& vector : token_vectors) {
    const auto key = signing_key_of(vector);
    ASSERT_TRUE(key);
    for (int i = 0; i < 20; ++i) { // numbers of ECDSA are shorter now and then
      const auto token = sign_token(R"({"sub":"ben"})", *key);
      EXPECT_EQ(fault_of(token, keys_of(vector)), std::nullopt) << token;
    }
  }
}

std::string with_shorter_signature(const std::string& token) {
  const auto at = token.rfind('.') + 1;
  auto shorter = token.substr(0, at);
  append_base64url(shorter, decode_base64url(token.substr(at))->erase(0, 1));
  return shorter;
}

TEST(token, does_not_hold_with_any_of_its_signed_bits_changed) {
  for (const auto& vector : token_vectors) {
    const auto keys = keys_of(vector);
    const std::string token{vector.token};
    for (const auto at : {token.find('.') + 3, token.rfind('.') + 5, token.rfind('.') + 30}) {
      auto changed = token;
      changed[at] = changed[at] == 'A' ? 'B' : 'A';
      EXPECT_EQ(fault_of(changed, keys), token_fault::bad_signature) << changed;
    }
    EXPECT_EQ(fault_of(with_shorter_signature(token), keys), token_fault::bad_signature);
  }
}

TEST(token, of_one_algorithm_holds_with_no_key_of_another) {
  for (const auto& signed_with : token_vectors)
    for (const auto& checked_with : token_vectors)
      if (facts_of(signed_with.algorithm).kind != facts_of(checked_with.algorithm).kind) {
        EXPECT_EQ(fault_of(signed_with.token, keys_of(checked_with)), token_fault::unknown_key);
      }
}

TEST(token, signed_with_the_public_key_as_a_secret_is_refused) {
  for (const auto pem : {test::rsa_public_pem, test::p256_public_pem, test::ed25519_public_pem}) {
    const auto token = sign_token(R"({"sub":"root"})", *signing_key::of_secret(pem));
    EXPECT_EQ(fault_of(token, keys_of_pem(pem)), token_fault::unknown_key);
    token_keys_builder both;
    ASSERT_EQ(both.add_pem(pem), "");
    ASSERT_EQ(both.add_secret(test::token_secret), "");
    EXPECT_EQ(fault_of(token, std::move(both).build()), token_fault::bad_signature);
  }
}

struct bad_token {
  std::string name;
  std::string token;
  token_fault fault;
};

/// A token of the vectors' first algorithm with one part replaced, as it stands.
std::string with_part(std::size_t index, std::string_view part) {
  std::array<std::string, 3> parts;
  std::string_view rest = token_vectors[0].token;
  for (auto& one : parts) {
    one = rest.substr(0, rest.find('.'));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
  }
  parts[index] = part;
  return parts[0] + '.' + parts[1] + '.' + parts[2];
}

std::string part_of(std::size_t index) {
  std::string_view rest = token_vectors[0].token;
  for (; index > 0; --index)
    rest.remove_prefix(rest.find('.') + 1);
  return std::string{rest.substr(0, rest.find('.'))};
}

std::vector<bad_token> bad_forms() {
  using enum token_fault;
  const std::string good{token_vectors[0].token};
  const std::string payload = R"({"sub":"ann"})";
  return {
    {"nothing", "", malformed},
    {"one part", "abc", malformed},
    {"two parts", good.substr(0, good.rfind('.')), malformed},
    {"four parts, as of two signatures", good + ".abcd", malformed},
    {"five parts, as of JWE", good + ".abcd.abcd", malformed},
    {"dots alone", "..", malformed},
    {"many dots", std::string(1000, '.'), malformed},
    {"no signature", good.substr(0, good.rfind('.') + 1), malformed},
    {"two signatures in JSON",
     R"({"payload":"e30","signatures":[{"protected":"e30","signature":"AA"},{"signature":"AA"}]})",
     malformed},
    {"a prefix", "Bearer " + good, malformed},
    {"white space around", " " + good + "\n", malformed},
    {"100 KB", good + std::string(100'000, 'A'), malformed},
    {"100 KB of header", std::string(100'000, 'A') + good, malformed},
    {"padding", good + "=", malformed},
    {"padding in the header", with_part(0, part_of(0) + "=="), malformed},
    {"white space in the header", with_part(0, part_of(0).insert(4, " ")), malformed},
    {"last bits of the signature that nobody writes",
     good.substr(0, good.size() - 1) + static_cast<char>(good.back() + 1), malformed},
    {"the other alphabet", with_part(2, std::string(43, '+')), malformed},
    {"bytes that are no text", std::string{"\x00\xff.\x80.\xfe", 7}, malformed},
    {"alg none", token_of(R"({"alg":"none"})", payload), malformed},
    {"alg None", token_of(R"({"alg":"None"})", payload), malformed},
    {"alg none without a signature", with_part(0, "eyJhbGciOiJub25lIn0"), malformed},
    {"alg in another case", token_of(R"({"alg":"hs256"})", payload), malformed},
    {"alg of no known name", token_of(R"({"alg":"HS1"})", payload), malformed},
    {"alg a number", token_of(R"({"alg":256})", payload), malformed},
    {"alg null", token_of(R"({"alg":null})", payload), malformed},
    {"no alg", token_of(R"({"typ":"JWT"})", payload), malformed},
    {"a second alg", token_of(R"({"alg":"HS256","alg":"none"})", payload), malformed},
    {"a second kid", token_of(R"({"alg":"HS256","kid":"a","kid":"b"})", payload), malformed},
    {"a second alg in other letters", token_of(R"({"alg":"HS256","\u0061lg":"none"})", payload),
     malformed},
    {"crit", token_of(R"({"alg":"HS256","crit":["exp"],"exp":1})", payload), malformed},
    {"crit that is empty", token_of(R"({"alg":"HS256","crit":[]})", payload), malformed},
    {"a header that is no object", token_of(R"(["HS256"])", payload), malformed},
    {"a header that is no JSON", token_of("alg=HS256", payload), malformed},
    {"a header with something behind", token_of(R"({"alg":"HS256"}{})", payload), malformed},
    {"a header that is nested deep",
     token_of(R"({"alg":"HS256","x":)" + std::string(100, '[') + std::string(100, ']') + "}",
              payload),
     malformed},
    {"kid of 1 MB",
     token_of(R"({"alg":"HS256","kid":")" + std::string(1'000'000, 'k') + "\"}", payload),
     malformed},
    {"kid longer than any",
     token_of(R"({"alg":"HS256","kid":")" + std::string(257, 'k') + "\"}", payload), malformed},
    {"kid a number", token_of(R"({"alg":"HS256","kid":1})", payload), malformed},
    {"RS256 with HMAC's key", token_of(R"({"alg":"RS256"})", payload), unknown_key},
    {"another secret", sign_token(payload, *signing_key::of_secret("another secret, of 27 bytes")),
     bad_signature}};
}

TEST(token, of_a_bad_form_is_refused) {
  const auto keys = keys_of_secret();
  ASSERT_EQ(fault_of(token_vectors[0].token, keys), std::nullopt);
  ASSERT_EQ(fault_of(token_of(R"({"sub":"ann"})"), keys), std::nullopt);
  for (const auto& bad : bad_forms())
    EXPECT_EQ(fault_of(bad.token, keys), bad.fault) << bad.name;
}

TEST(token, with_a_bad_payload_is_refused_though_its_signature_holds) {
  const auto keys = keys_of_secret();
  const std::vector<std::string> payloads{"",
                                          "[]",
                                          "1",
                                          "null",
                                          R"("sub")",
                                          "{",
                                          "{}{}",
                                          R"({"sub":"a"} x)",
                                          R"({"sub":"\xff"})",
                                          "{\"sub\":\"\xff\"}",
                                          R"({"sub":"a","sub":"b"})",
                                          R"({"exp":"4102444800"})",
                                          R"({"exp":9223372036854775808})",
                                          R"({"exp":18446744073709551616})",
                                          R"({"exp":1e300})",
                                          R"({"exp":null})",
                                          R"({"exp":true})",
                                          R"({"nbf":"1"})",
                                          R"({"iat":"1"})",
                                          R"({"iat":[1]})",
                                          R"({"expire_at":"0"})",
                                          R"({"x":)" + std::string(100, '[') + std::string(100, ']')
                                            + "}"};
  for (const auto& payload : payloads)
    EXPECT_EQ(fault_of(token_of(payload), keys), token_fault::malformed) << payload;
}

TEST(token, is_looked_at_only_once_its_signature_holds) {
  const auto keys = keys_of_secret();
  auto token = token_of("no JSON");
  EXPECT_EQ(fault_of(token, keys), token_fault::malformed);
  token[token.rfind('.') + 1] = token[token.rfind('.') + 1] == 'A' ? 'B' : 'A';
  EXPECT_EQ(fault_of(token, keys), token_fault::bad_signature);
}

TEST(token, counts_between_its_dates_with_the_leeway) {
  const auto keys = keys_of_secret();
  const auto when = [&](std::string_view payload, std::int64_t now, int leeway) {
    return fault_of(token_of(payload), keys, {.leeway = std::chrono::seconds{leeway}}, at(now));
  };
  using enum token_fault;
  EXPECT_EQ(when(R"({"exp":1000})", 999, 0), std::nullopt);
  EXPECT_EQ(when(R"({"exp":1000})", 1000, 0), token_fault::expired);
  EXPECT_EQ(when(R"({"exp":1000})", 1004, 5), std::nullopt);
  EXPECT_EQ(when(R"({"exp":1000})", 1005, 5), token_fault::expired);
  EXPECT_EQ(when(R"({"exp":1000.5})", 999, 0), std::nullopt);
  EXPECT_EQ(when(R"({"exp":1000.5})", 1001, 0), token_fault::expired);
  EXPECT_EQ(when(R"({"exp":1e3})", 999, 0), std::nullopt);
  EXPECT_EQ(when(R"({"exp":0})", 1, 0), token_fault::expired);
  EXPECT_EQ(when(R"({"exp":-5})", 1, 0), token_fault::expired);
  EXPECT_EQ(when(R"({"exp":9007199254740991})", 1000, 5), std::nullopt);
  EXPECT_EQ(when(R"({"nbf":1000})", 1000, 0), std::nullopt);
  EXPECT_EQ(when(R"({"nbf":1000})", 999, 0), not_yet);
  EXPECT_EQ(when(R"({"nbf":1000})", 995, 5), std::nullopt);
  EXPECT_EQ(when(R"({"nbf":1000})", 994, 5), not_yet);
  EXPECT_EQ(when(R"({"nbf":999.5})", 999, 0), not_yet);
  EXPECT_EQ(when(R"({"iat":1000})", 999, 0), not_yet);
  EXPECT_EQ(when(R"({"iat":1000,"nbf":1})", 999, 0), not_yet);
  EXPECT_EQ(when(R"({"iat":1000.9})", 1000, 0), std::nullopt);
  EXPECT_EQ(when(R"({"expire_at":1000})", 1000, 0), token_fault::expired);
  EXPECT_EQ(when(R"({"exp":2000,"expire_at":0})", 1000, 0), std::nullopt);
  EXPECT_EQ(when(R"({"exp":1000,"expire_at":0})", 1000, 0), token_fault::expired);
}

TEST(token, is_for_one_of_the_audiences_and_of_the_issuer) {
  const auto keys = keys_of_secret();
  const token_rules rules{.audiences = {"chat", "news"}, .issuer = "example"};
  const auto fault = [&](std::string_view payload) {
    return fault_of(token_of(payload), keys, rules);
  };
  EXPECT_EQ(fault(R"({"aud":"chat","iss":"example"})"), std::nullopt);
  EXPECT_EQ(fault(R"({"aud":["shop","news"],"iss":"example"})"), std::nullopt);
  EXPECT_EQ(fault(R"({"aud":"shop","iss":"example"})"), token_fault::wrong_audience);
  EXPECT_EQ(fault(R"({"aud":"Chat","iss":"example"})"), token_fault::wrong_audience);
  EXPECT_EQ(fault(R"({"aud":[],"iss":"example"})"), token_fault::wrong_audience);
  EXPECT_EQ(fault(R"({"iss":"example"})"), token_fault::wrong_audience);
  EXPECT_EQ(fault(R"({"aud":"chat","iss":"sample"})"), token_fault::wrong_issuer);
  EXPECT_EQ(fault(R"({"aud":"chat"})"), token_fault::wrong_issuer);
  EXPECT_EQ(fault(R"({"aud":1,"iss":"example"})"), token_fault::malformed);
  EXPECT_EQ(fault(R"({"aud":["chat",1],"iss":"example"})"), token_fault::malformed);
  EXPECT_EQ(fault(R"({"aud":"chat","iss":["example"]})"), token_fault::malformed);
  EXPECT_EQ(fault_of(token_of(R"({"aud":"shop","iss":"sample"})"), keys), std::nullopt);
}

TEST(token, has_a_kid_that_is_only_compared) {
  const auto keys = keys_of_secret(); // has none, and so may be meant by any
  for (const std::string_view kid :
       {"../../etc/passwd", "/dev/stdin", "http://[::1]/", "' or 1=1"}) {
    const auto token = token_of(R"({"alg":"HS256","kid":")" + std::string{kid} + "\"}", "{}");
    EXPECT_EQ(fault_of(token, keys), std::nullopt) << kid;
    EXPECT_EQ(key_id_of(token), kid);
  }
  const std::string longest(max_key_id_bytes, 'k');
  EXPECT_EQ(key_id_of(token_of(R"({"alg":"HS256","kid":")" + longest + "\"}", "{}")), longest);
  EXPECT_EQ(key_id_of(token_vectors[0].token), "");
  EXPECT_EQ(key_id_of("garbage"), "");
}

TEST(token, says_by_its_header_whether_its_check_is_costly) {
  EXPECT_TRUE(is_costly(token_of(R"({"alg":"ES384"})", "{}")));
  EXPECT_FALSE(is_costly(token_of(R"({"alg":"HS512"})", "{}")));
  EXPECT_FALSE(is_costly(token_of(R"({"alg":"none"})", "{}")));
  for (const auto& bad : bad_forms())
    if (bad.name != "RS256 with HMAC's key") {
      EXPECT_FALSE(is_costly(bad.token)) << bad.name;
    }
}

TEST(token, is_checked_by_several_threads_with_the_same_keys) {
  for (const auto& vector : token_vectors) {
    const auto keys = keys_of(vector);
    std::array<bool, 2> held{};
    std::vector<std::thread> threads;
    for (auto& one : held)
      threads.emplace_back([&] {
        bool all = true;
        for (int i = 0; i < 50; ++i)
          all = all && fault_of(vector.token, keys) == std::nullopt;
        one = all;
      });
    for (auto& thread : threads)
      thread.join();
    EXPECT_TRUE(held[0] && held[1]) << facts_of(vector.algorithm).name;
  }
}

TEST(token, faults_have_texts_of_their_own) {
  for (std::size_t i = 0; i < token_fault_count; ++i)
    for (std::size_t j = 0; j < i; ++j)
      EXPECT_NE(to_string(static_cast<token_fault>(i)), to_string(static_cast<token_fault>(j)));
  EXPECT_EQ(to_string(token_fault::expired), "the token is expired");
}

} // namespace
} // namespace canang::net
