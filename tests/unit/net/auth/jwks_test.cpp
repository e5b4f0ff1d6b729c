#include "net/auth/jwks.hpp"

#include "net/auth/base64url.hpp"
#include "net/auth/token.hpp"
#include "net/auth/token_limits.hpp"
#include "tests/unit/support/rfc_tokens.hpp"

#include <gtest/gtest.h>

namespace canang::net {
namespace {

using alg = token_algorithm;

std::string set_of(const std::string& keys) { return R"({"keys":[)" + keys + "]}"; }

std::string oct(const std::string& more = {}) {
  return R"({"kty":"oct","k":")" + std::string{test::rfc7515_a1_key} + '"' + more + '}';
}

std::string rsa(const std::string& more = {}) {
  return R"({"kty":"RSA","e":"AQAB","n":")" + std::string{test::rfc7515_a2_modulus} + '"' + more
         + '}';
}

std::string ec(std::string_view x = test::rfc7515_a3_x, const std::string& more = {}) {
  return R"({"kty":"EC","crv":"P-256","x":")" + std::string{x} + R"(","y":")"
         + std::string{test::rfc7515_a3_y} + '"' + more + '}';
}

std::string ed25519(const std::string& more = {}) {
  return R"({"kty":"OKP","crv":"Ed25519","x":")" + std::string{test::rfc8037_a2_x} + '"' + more
         + '}';
}

jwk_set read(const std::string& text) {
  auto result = parse_jwks(text);
  EXPECT_TRUE(std::holds_alternative<jwk_set>(result)) << text;
  return std::holds_alternative<jwk_set>(result) ? std::get<jwk_set>(std::move(result)) : jwk_set{};
}

std::string fault_of(std::string_view text) {
  auto result = parse_jwks(text);
  return std::holds_alternative<std::string>(result) ? std::get<std::string>(result) : "none";
}

/// Whether a set of this key alone is one of a key that is skipped.
bool is_skipped(const std::string& key) {
  const auto set = read(set_of(key + ',' + oct()));
  return set.keys.size() == 1 && set.skipped == 1;
}

bool holds(const std::string& jwk, alg algorithm, std::string_view text,
           std::string_view signature) {
  const auto set = read(set_of(jwk));
  return set.keys.size() == 1 && set.keys[0].serves(algorithm)
         && set.keys[0].holds(algorithm, text, *decode_base64url(signature));
}

std::string signed_text(std::string_view header) {
  return std::string{header} + '.' + std::string{test::rfc7515_payload};
}

TEST(jwks, keys_check_the_examples_of_the_rfcs) {
  EXPECT_TRUE(
    holds(oct(), alg::hs256, signed_text(test::rfc7515_a1_header), test::rfc7515_a1_signature));
  EXPECT_TRUE(
    holds(rsa(), alg::rs256, signed_text(test::rfc7515_a2_header), test::rfc7515_a2_signature));
  EXPECT_TRUE(
    holds(ec(), alg::es256, signed_text(test::rfc7515_a3_header), test::rfc7515_a3_signature));
  EXPECT_TRUE(holds(ed25519(), alg::eddsa, test::rfc8037_a4_text, test::rfc8037_a4_signature));
  EXPECT_FALSE(holds(oct(), alg::hs256, signed_text("e30"), test::rfc7515_a1_signature));
  EXPECT_FALSE(
    holds(rsa(), alg::rs384, signed_text(test::rfc7515_a2_header), test::rfc7515_a2_signature));
  EXPECT_FALSE(holds(ec(), alg::es256, signed_text("e30"), test::rfc7515_a3_signature));
  EXPECT_FALSE(holds(ed25519(), alg::eddsa, "text", test::rfc8037_a4_signature));
}

TEST(jwks, keys_check_the_whole_tokens_of_rfc_7515) {
  token_keys_builder builder;
  ASSERT_EQ(builder.add_jwks(set_of(oct() + ',' + rsa() + ',' + ec())), "");
  const auto keys = std::move(builder).build();
  const auto before = std::chrono::system_clock::time_point{std::chrono::seconds{1300819379}};
  for (const auto& [header, signature] :
       {std::pair{test::rfc7515_a1_header, test::rfc7515_a1_signature},
        std::pair{test::rfc7515_a2_header, test::rfc7515_a2_signature},
        std::pair{test::rfc7515_a3_header, test::rfc7515_a3_signature}}) {
    const auto token = signed_text(header) + '.' + std::string{signature};
    const auto checked = check_token(token, keys, {.issuer = "joe"}, before);
    ASSERT_TRUE(std::holds_alternative<token_claims>(checked)) << header;
    EXPECT_EQ(std::get<token_claims>(checked).expires_at, 1300819380);
    EXPECT_EQ(std::get<token_fault>(check_token(token, keys, {}, before + std::chrono::hours{1})),
              token_fault::expired);
  }
}

TEST(jwks, of_rfc_7517_have_the_keys_that_are_for_signatures) {
  const auto set = read(std::string{test::rfc7517_a1_set});
  ASSERT_EQ(set.keys.size(), 1U);
  EXPECT_EQ(set.skipped, 1U) << "the first one is for encryption";
  EXPECT_EQ(set.keys[0].id(), "2011-04-29");
  EXPECT_TRUE(set.keys[0].serves(alg::rs256));
  EXPECT_FALSE(set.keys[0].serves(alg::rs384)) << "its algorithm is pinned";
  const auto symmetric = read(std::string{test::rfc7517_a3_set});
  ASSERT_EQ(symmetric.keys.size(), 1U);
  EXPECT_EQ(symmetric.skipped, 1U);
  EXPECT_EQ(symmetric.keys[0].id(), "HMAC key used in JWS spec Appendix A.1 example");
}

TEST(jwks, keys_serve_what_they_are_and_no_more) {
  const auto set = read(set_of(oct() + ',' + rsa() + ',' + ec() + ',' + ed25519()));
  ASSERT_EQ(set.keys.size(), 4U);
  for (std::size_t i = 0; i < token_algorithm_count; ++i) {
    const auto algorithm = static_cast<alg>(i);
    int serving = 0;
    for (const auto& key : set.keys)
      serving += key.serves(algorithm) ? 1 : 0;
    EXPECT_EQ(serving, algorithm == alg::es384 ? 0 : 1) << facts_of(algorithm).name;
  }
  EXPECT_TRUE(read(set_of(oct(R"(,"alg":"HS384")"))).keys[0].serves(alg::hs384));
  EXPECT_FALSE(read(set_of(oct(R"(,"alg":"HS384")"))).keys[0].serves(alg::hs256));
}

TEST(jwks, skip_keys_that_are_of_no_use) {
  EXPECT_TRUE(is_skipped("1"));
  EXPECT_TRUE(is_skipped("{}"));
  EXPECT_TRUE(is_skipped(R"({"kty":"RSA"})"));
  EXPECT_TRUE(is_skipped(R"({"kty":"oct","k":"c2hvcnQ"})"));
  EXPECT_TRUE(is_skipped(R"({"kty":"oct","k":"no base64!"})"));
  EXPECT_TRUE(is_skipped(R"({"kty":"AKP","alg":"ML-DSA-44","pub":"AA"})"));
  EXPECT_TRUE(is_skipped(R"({"kty":1})"));
  EXPECT_TRUE(is_skipped(rsa(R"(,"use":"enc")")));
  EXPECT_TRUE(is_skipped(rsa(R"(,"use":1)")));
  EXPECT_TRUE(is_skipped(rsa(R"(,"key_ops":["encrypt"])")));
  EXPECT_TRUE(is_skipped(rsa(R"(,"key_ops":"verify")")));
  EXPECT_FALSE(is_skipped(rsa(R"(,"use":"sig","key_ops":["sign","verify"])")));
  EXPECT_TRUE(is_skipped(rsa(R"(,"alg":"HS256")"))) << "a public key is no secret";
  EXPECT_TRUE(is_skipped(rsa(R"(,"alg":"PS256")")));
  EXPECT_TRUE(is_skipped(oct(R"(,"alg":"RS256")")));
  EXPECT_TRUE(is_skipped(rsa(R"(,"kid":7)")));
  EXPECT_TRUE(is_skipped(rsa(R"(,"kid":")" + std::string(max_key_id_bytes + 1, 'k') + '"')));
  EXPECT_TRUE(is_skipped(R"({"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNg"})")) << "weak";
  EXPECT_TRUE(
    is_skipped(R"({"kty":"RSA","e":"AQ","n":")" + std::string{test::rfc7515_a2_modulus} + "\"}"))
    << "an exponent of 1";
  EXPECT_TRUE(
    is_skipped(R"({"kty":"RSA","e":"AQAA","n":")" + std::string{test::rfc7515_a2_modulus} + "\"}"))
    << "an even exponent";
  EXPECT_TRUE(is_skipped(ec(test::rfc7515_a3_y))) << "not on the curve";
  EXPECT_TRUE(is_skipped(ec("AA"))) << "too short";
  EXPECT_TRUE(is_skipped(R"({"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"})"));
  EXPECT_TRUE(
    is_skipped(R"({"kty":"OKP","crv":"X25519","x":")" + std::string{test::rfc8037_a2_x} + "\"}"));
  EXPECT_TRUE(is_skipped(R"({"kty":"OKP","crv":"Ed25519","x":"AAAA"})"));
}

TEST(jwks, that_are_none_are_refused_with_a_reason) {
  EXPECT_EQ(fault_of(""), "the key set is not JSON");
  EXPECT_EQ(fault_of("<!DOCTYPE html><html><body>404</body></html>"), "the key set is not JSON");
  EXPECT_EQ(fault_of("-----BEGIN PUBLIC KEY-----"), "the key set is not JSON");
  EXPECT_EQ(fault_of("{\"keys\":[" + std::string(2000, '[')), "the key set is not JSON");
  EXPECT_EQ(fault_of("[]"), "the key set is not an object with an array 'keys'");
  EXPECT_EQ(fault_of("{}"), "the key set is not an object with an array 'keys'");
  EXPECT_EQ(fault_of(R"({"keys":{}})"), "the key set is not an object with an array 'keys'");
  EXPECT_EQ(fault_of(rsa()), "the key set is not an object with an array 'keys'");
  EXPECT_EQ(fault_of(R"({"keys":[]})"), "the key set has no key that can be used");
  EXPECT_EQ(fault_of(set_of(R"({"kty":"AKP"})")), "the key set has no key that can be used");
  EXPECT_EQ(fault_of(std::string(20'000'000, ' ')), "the key set is longer than 256 KiB");
}

TEST(jwks, have_64_keys_at_most) {
  std::string keys;
  for (std::size_t i = 0; i < max_token_keys; ++i)
    keys += (i == 0 ? "" : ",") + oct(R"(,"kid":"k)" + std::to_string(i) + '"');
  EXPECT_EQ(read(set_of(keys)).keys.size(), max_token_keys);
  EXPECT_EQ(fault_of(set_of(keys + ',' + oct())), "the key set has more than 64 keys");
}

} // namespace
} // namespace canang::net
