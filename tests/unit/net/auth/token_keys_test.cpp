#include "net/auth/token_keys.hpp"

#include "net/auth/pem.hpp"
#include "net/auth/token_limits.hpp"
#include "tests/unit/support/rfc_tokens.hpp"
#include "tests/unit/support/token_fixture.hpp"

#include <gtest/gtest.h>

namespace canang::net {
namespace {

using alg = token_algorithm;

std::string oct(const std::string& id) {
  return R"({"kty":"oct","k":")" + std::string{test::rfc7515_a1_key}
         + (id.empty() ? "\"}" : R"(","kid":")" + id + "\"}");
}

std::vector<std::string> ids_of(const std::vector<const token_key*>& keys) {
  std::vector<std::string> ids;
  for (const auto* key : keys)
    ids.push_back(key->id());
  return ids;
}

TEST(token_keys, are_chosen_by_kid_and_else_by_algorithm) {
  token_keys_builder builder;
  ASSERT_EQ(builder.add_secret(test::token_secret), "");
  ASSERT_EQ(builder.add_pem(test::rsa_public_pem), "");
  ASSERT_EQ(builder.add_jwks(R"({"keys":[)" + oct("one") + ',' + oct("two") + "]}"), "");
  const auto keys = std::move(builder).build();
  using ids = std::vector<std::string>;
  EXPECT_EQ(ids_of(keys.candidates(alg::hs256, "two")), (ids{"two", ""}));
  EXPECT_EQ(ids_of(keys.candidates(alg::hs256, "three")), (ids{""}));
  EXPECT_EQ(ids_of(keys.candidates(alg::hs256, "")), (ids{"", "one", "two"}));
  EXPECT_EQ(ids_of(keys.candidates(alg::rs256, "two")), (ids{""}));
  EXPECT_TRUE(keys.candidates(alg::es256, "two").empty());
}

TEST(token_keys, are_tried_few_at_a_time) {
  std::string set;
  for (std::size_t i = 0; i < max_tried_keys + 1; ++i)
    set += (i == 0 ? "" : ",") + oct("k" + std::to_string(i));
  token_keys_builder builder;
  ASSERT_EQ(builder.add_jwks(R"({"keys":[)" + set + "]}"), "");
  EXPECT_EQ(std::move(builder).build().candidates(alg::hs256, "").size(), max_tried_keys);
}

TEST(token_keys, take_secrets_of_some_length) {
  token_keys_builder builder;
  EXPECT_EQ(builder.add_secret("fifteen bytes.."), "a secret has 16 to 1024 bytes");
  EXPECT_EQ(builder.add_secret("sixteen bytes..."), "");
  EXPECT_EQ(builder.add_secret(std::string(1025, 's')), "a secret has 16 to 1024 bytes");
  EXPECT_EQ(builder.add_secret(std::string(1024, 's')), "");
  EXPECT_EQ(std::move(builder).build().size(), 2U);
}

TEST(token_keys, take_several_keys_of_one_pem) {
  token_keys_builder builder;
  const auto all = std::string{test::rsa_public_pem} + "# a comment between them\n"
                   + std::string{test::p384_public_pem} + std::string{test::ed25519_public_pem};
  EXPECT_EQ(builder.add_pem(all), "");
  const auto keys = std::move(builder).build();
  EXPECT_EQ(keys.size(), 3U);
  EXPECT_EQ(keys.candidates(alg::rs512, "").size(), 1U);
  EXPECT_EQ(keys.candidates(alg::es384, "").size(), 1U);
  EXPECT_EQ(keys.candidates(alg::es256, "").size(), 0U);
  EXPECT_EQ(keys.candidates(alg::eddsa, "").size(), 1U);
}

TEST(token_keys, refuse_pem_that_is_not_wanted) {
  token_keys_builder builder;
  constexpr std::string_view none = "there is no public key in PEM, or something else beside it";
  EXPECT_EQ(builder.add_pem(""), none);
  EXPECT_EQ(builder.add_pem("<html>"), none);
  EXPECT_EQ(builder.add_pem(test::rsa_private_pem), none);
  EXPECT_EQ(builder.add_pem(test::weak_rsa_old_private_pem), none);
  EXPECT_EQ(
    builder.add_pem(std::string{test::rsa_public_pem} + std::string{test::p256_private_pem}), none);
  EXPECT_EQ(builder.add_pem(test::rsa_public_pem.substr(0, 200)), none);
  EXPECT_EQ(builder.add_pem(std::string(max_key_set_bytes + 1, 'x')), none);
  for (const auto pem : {test::weak_rsa_public_pem, test::p521_public_pem})
    EXPECT_EQ(builder.add_pem(pem),
              "a key is none of RSA with 2048 to 8192 bits, EC P-256, EC P-384 and Ed25519");
  EXPECT_TRUE(std::move(builder).build().is_empty());
}

TEST(token_keys, are_64_at_most) {
  token_keys_builder builder;
  for (std::size_t i = 0; i < max_token_keys; ++i)
    ASSERT_EQ(builder.add_secret("secret number " + std::to_string(1000 + i)), "");
  EXPECT_EQ(builder.add_secret(test::token_secret), "there are more than 64 keys");
  EXPECT_EQ(std::move(builder).build().size(), max_token_keys);
}

TEST(signing_key, is_refused_where_it_does_not_fit) {
  EXPECT_FALSE(signing_key::of_secret("short"));
  EXPECT_FALSE(signing_key::of_secret(test::token_secret, alg::rs256));
  EXPECT_FALSE(signing_key::of_pem(test::rsa_private_pem, alg::hs256));
  EXPECT_FALSE(signing_key::of_pem(test::p256_private_pem, alg::es384));
  EXPECT_FALSE(signing_key::of_pem(test::rsa_public_pem));
  EXPECT_FALSE(signing_key::of_pem(test::weak_rsa_private_pem));
  EXPECT_FALSE(signing_key::of_pem(""));
  EXPECT_EQ(signing_key::of_pem(test::rsa_private_pem)->algorithm(), alg::rs256);
  EXPECT_EQ(signing_key::of_pem(test::p384_private_pem)->algorithm(), alg::es384);
}

TEST(signing_key, puts_its_kid_into_the_header) {
  const auto token =
    sign_token("{}", *signing_key::of_secret(test::token_secret, alg::hs512, "a\"b"));
  EXPECT_EQ(key_id_of(token), "a\"b");
}

TEST(published_token_keys, are_never_null) {
  published_token_keys published;
  EXPECT_TRUE(published.get()->is_empty());
  published.set(std::make_shared<const token_keys>(test::keys_of_secret()));
  EXPECT_EQ(published.get()->size(), 1U);
}

} // namespace
} // namespace canang::net
