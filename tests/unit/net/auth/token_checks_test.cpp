#include "net/auth/token_checks.hpp"

#include "net/auth/signing_key.hpp"

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

namespace canang::net {
namespace {

constexpr std::string_view secret = "a secret of thirty-two characters";

/// The PEM of a new key, private or public.
struct key_pair {
  std::string private_pem;
  std::string public_pem;
};

key_pair make_pair() {
  const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key{EVP_EC_gen("P-256"), EVP_PKEY_free};
  const auto written = [](auto write) {
    const std::unique_ptr<BIO, int (*)(BIO*)> to{BIO_new(BIO_s_mem()), BIO_free};
    EXPECT_EQ(write(to.get()), 1);
    char* bytes = nullptr;
    const auto size = BIO_get_mem_data(to.get(), &bytes);
    return std::string{bytes, static_cast<std::size_t>(size)};
  };
  return {written([&](BIO* to) {
            return PEM_write_bio_PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
          }),
          written([&](BIO* to) { return PEM_write_bio_PUBKEY(to, key.get()); })};
}

struct token_checks_test : testing::Test {
  published_token_keys keys;
  boost::asio::io_context loop;
  key_pair pair = make_pair();

  void SetUp() override {
    token_keys_builder builder;
    ASSERT_EQ(builder.add_secret(secret), "");
    ASSERT_EQ(builder.add_pem(pair.public_pem), "");
    keys.set(std::make_shared<const token_keys>(std::move(builder).build()));
  }

  static std::string cheap(const std::string& claims = R"({"sub":"ann"})") {
    return sign_token(claims, *signing_key::of_secret(secret));
  }

  /// The same each time: signing takes as long as checking.
  const std::string& dear_token() {
    if (token_.empty())
      token_ = dear();
    return token_;
  }

  [[nodiscard]] std::string dear(const std::string& claims = R"({"sub":"ann"})") const {
    return sign_token(claims, *signing_key::of_pem(pair.private_pem));
  }

  std::string token_;
};

std::string user_of(const std::optional<token_result>& result) {
  if (!result)
    return "unavailable";
  const auto* const claims = std::get_if<token_claims>(&*result);
  return claims == nullptr ? std::string{to_string(std::get<token_fault>(*result))} : claims->user;
}

TEST_F(token_checks_test, checks_what_is_cheap_at_once) {
  token_checks checks{keys, {}};
  std::string user;
  checks.check(cheap(), token_checks::lane::stranger, loop,
               [&](auto result) { user = user_of(result); });
  EXPECT_EQ(user, "ann");
  checks.check("nonsense", token_checks::lane::stranger, loop,
               [&](auto result) { user = user_of(result); });
  EXPECT_EQ(user, to_string(token_fault::malformed));
}

TEST_F(token_checks_test, checks_what_is_costly_elsewhere_and_tells_on_the_loop) {
  token_checks checks{keys, {}};
  const auto work = boost::asio::make_work_guard(loop);
  std::string user;
  std::thread::id told_on;
  checks.check(dear(), token_checks::lane::stranger, loop, [&](auto result) {
    user = user_of(result);
    told_on = std::this_thread::get_id();
  });
  EXPECT_EQ(user, "") << "not within the call";
  loop.run_one_for(std::chrono::seconds{10});
  EXPECT_EQ(user, "ann");
  EXPECT_EQ(told_on, std::this_thread::get_id());
}

TEST_F(token_checks_test, tells_which_key_is_not_there) {
  std::string wanted;
  bool may_come = false;
  token_checks checks{keys, {}, [&](std::string_view kid) {
                        wanted = kid;
                        return may_come;
                      }};
  const auto other =
    sign_token("{}", *signing_key::of_secret(secret, token_algorithm::hs256, "new one"));
  keys.set(std::make_shared<const token_keys>());
  std::string user;
  const auto ask = [&] {
    checks.check(other, token_checks::lane::stranger, loop,
                 [&](auto result) { user = user_of(result); });
  };
  ask();
  EXPECT_EQ(wanted, "new one");
  EXPECT_EQ(user, to_string(token_fault::unknown_key));
  may_come = true;
  ask();
  EXPECT_EQ(user, "unavailable") << "it may come";
}

TEST_F(token_checks_test, has_what_no_key_can_have_signed_wait_for_nothing) {
  token_checks checks{keys, {}};
  const auto token = dear();
  keys.set(std::make_shared<const token_keys>());
  std::string user;
  checks.check(token, token_checks::lane::stranger, loop,
               [&](auto result) { user = user_of(result); });
  EXPECT_EQ(user, to_string(token_fault::unknown_key));
}

/// Asking takes a hundredth of the time that a check takes, so that they pile up.
TEST_F(token_checks_test, refuses_more_than_may_wait_and_lets_the_known_go_first) {
  token_checks checks{keys, {}};
  const auto token = dear();
  std::string order;
  const auto ask = [&](char name, token_checks::lane of) {
    checks.check(token, of, loop, [&order, name](auto result) { order += result ? name : '-'; });
  };
  std::size_t asked = 0;
  while (order.empty() && asked < 10 * token_checks::max_waiting) {
    ask('s', token_checks::lane::stranger);
    ++asked;
  }
  ASSERT_EQ(order, "-") << "one more than may wait is told at once";
  ask('k', token_checks::lane::known);
  const auto work = boost::asio::make_work_guard(loop);
  while (order.size() < asked + 1 && loop.run_one_for(std::chrono::seconds{30}) > 0) {
  }
  ASSERT_EQ(order.size(), asked + 1);
  EXPECT_LT(order.find('k'), order.size() - token_checks::max_waiting / 2) << "before most of them";
}

TEST_F(token_checks_test, answers_nothing_once_it_is_stopped) {
  int told = 0;
  {
    token_checks checks{keys, {}};
    for (int i = 0; i < 1000; ++i)
      checks.check(dear_token(), token_checks::lane::stranger, loop, [&](const auto&) { ++told; });
    checks.stop();
  }
  loop.run();
  EXPECT_LT(told, 1000) << "those that waited are forgotten";
}

} // namespace
} // namespace canang::net
