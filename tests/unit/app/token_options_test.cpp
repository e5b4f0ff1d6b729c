#include "app/options.hpp"
#include "tests/unit/support/token_vectors.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

namespace canang::app {
namespace {

using namespace std::chrono_literals;

struct token_options_test : testing::Test {
  options into;
  std::vector<std::string> files;

  ~token_options_test() override {
    for (const auto& name : files)
      ::unlink(name.c_str());
  }

  std::string file(std::string_view content) {
    files.push_back(testing::TempDir() + "canang_token_options_" + std::to_string(::getpid()) + '_'
                    + std::to_string(files.size()));
    std::ofstream{files.back(), std::ios::binary} << content;
    return files.back();
  }

  /// @returns what is wrong; empty: nothing.
  std::string read(std::vector<std::string> arguments) {
    std::vector<const char*> argv{"canang"};
    for (const auto& argument : arguments)
      argv.push_back(argument.c_str());
    into = {};
    return reread_options(static_cast<int>(argv.size()), argv.data(), into).value_or("");
  }
};

TEST_F(token_options_test, have_no_keys_by_default) {
  EXPECT_EQ(read({}), "");
  EXPECT_FALSE(into.tokens.has_keys());
  EXPECT_FALSE(into.tokens.has_files);
  EXPECT_EQ(into.tokens.rules.leeway, 5s);
  EXPECT_TRUE(into.tokens.rules.audiences.empty());
  EXPECT_EQ(into.tokens.rules.issuer, "");
}

TEST_F(token_options_test, gather_keys_from_all_places) {
  const auto secrets = file("one secret of the file\r\n\nanother secret of it\n");
  const auto pem = file(test::rsa_public_pem);
  const auto two = file(std::string{test::p256_public_pem} + std::string{test::ed25519_public_pem});
  EXPECT_EQ(read({"--token-hmac-secret=a secret of the flag", "--token-hmac-secret-file", secrets,
                  "--token-public-key", pem + ',' + two}),
            "");
  EXPECT_EQ(into.tokens.keys().size(), 6U);
  EXPECT_TRUE(into.tokens.has_keys() && into.tokens.has_files);
  EXPECT_EQ(into.tokens.signing_secret, "a secret of the flag");
  EXPECT_EQ(read({"--token-hmac-secret-file", secrets}), "");
  EXPECT_EQ(into.tokens.signing_secret, "one secret of the file");
}

TEST_F(token_options_test, have_keys_while_a_set_is_still_to_be_fetched) {
  EXPECT_EQ(read({"--token-jwks=https://keys.example.org/"}), "");
  EXPECT_TRUE(into.tokens.has_keys());
  EXPECT_TRUE(into.tokens.keys().is_empty());
  EXPECT_EQ(into.tokens.jwks->host, "keys.example.org");
}

TEST_F(token_options_test, say_what_is_asked_of_tokens) {
  EXPECT_EQ(read({"--token-leeway=1m", "--token-audience=chat", "--token-audience=shop,news",
                  "--token-issuer=example"}),
            "");
  EXPECT_EQ(into.tokens.rules.leeway, 60s);
  EXPECT_EQ(into.tokens.rules.audiences, (std::vector<std::string>{"chat", "shop", "news"}));
  EXPECT_EQ(into.tokens.rules.issuer, "example");
}

TEST_F(token_options_test, may_all_be_in_the_file) {
  const auto pem = file(test::rsa_public_pem);
  const auto config = file("token-hmac-secret = \"a secret of the config\"\n"
                           "token-public-key = [\""
                           + pem
                           + "\"]\n"
                             "token-leeway = \"0s\"\ntoken-audience = [\"a\", \"b\"]\n"
                             "token-issuer = \"me\"\n");
  EXPECT_EQ(read({"--config", config}), "");
  EXPECT_EQ(into.tokens.keys().size(), 2U);
  EXPECT_EQ(into.tokens.rules.leeway, 0s);
  EXPECT_EQ(into.tokens.rules.audiences.size(), 2U);
}

TEST_F(token_options_test, are_refused_without_a_secret_in_the_reason) {
  EXPECT_NE(read({"--token-hmac-secret=s3cr3t"}).find("--token-hmac-secret: a secret has"),
            std::string::npos);
  EXPECT_EQ(read({"--token-hmac-secret=s3cr3t"}).find("s3cr3t"), std::string::npos);
  const auto path = file("s3cr3t");
  const auto fault = read({"--token-hmac-secret-file", path});
  EXPECT_NE(fault.find(path), std::string::npos);
  EXPECT_EQ(fault.find("s3cr3t"), std::string::npos);
}

} // namespace
} // namespace canang::app
