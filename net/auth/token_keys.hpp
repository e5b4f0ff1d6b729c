#pragma once

#include "base/shared_value.hpp"
#include "net/auth/token_key.hpp"

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::net {

/// The keys that tokens are checked with. Made by `token_keys_builder`, immutable from then on; from any thread.
class token_keys {
public:
  token_keys() = default;

  [[nodiscard]] bool is_empty() const noexcept { return keys_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }

  /// The keys that a token may be signed with, `max_tried_keys` at most: those of its `kid` first, then those without
  /// one; of a token without a `kid`, all of its algorithm.
  /// @param id compared with the keys' own and used for nothing else.
  [[nodiscard]] std::vector<const token_key*> candidates(token_algorithm algorithm,
                                                         std::string_view id) const;

  /// These and others behind them.
  [[nodiscard]] token_keys with(const token_keys& others) const;

private:
  friend class token_keys_builder;
  explicit token_keys(std::vector<token_key> keys) : keys_(std::move(keys)) {}

  std::vector<token_key> keys_;
};

/// Gathers keys; each `add` returns an empty string, or a line that says what is wrong without any of the key.
class token_keys_builder {
public:
  /// An HMAC secret, for HS256, HS384 and HS512 alike.
  [[nodiscard]] std::string add_secret(std::string_view secret);

  /// All public keys of a text in PEM: RSA, EC of P-256 and P-384, Ed25519.
  [[nodiscard]] std::string add_pem(std::string_view text);

  /// The keys of a JWK Set that can be used.
  [[nodiscard]] std::string add_jwks(std::string_view text);

  [[nodiscard]] token_keys build() && { return token_keys{std::move(keys_)}; }

private:
  [[nodiscard]] std::string add(std::vector<token_key> keys);

  std::vector<token_key> keys_;
};

/// Where the keys are that count at present: whoever checks a token takes them from here each time. Never null.
class published_token_keys {
public:
  published_token_keys() { set(std::make_shared<const token_keys>()); }

  void set(std::shared_ptr<const token_keys> keys) { keys_.store(std::move(keys)); }
  [[nodiscard]] std::shared_ptr<const token_keys> get() const { return keys_.load(); }

  /// From now on there are keys, or there will be once they have been fetched. That stays so: a node that has asked for
  /// tokens once does not do without them because its keys have gone.
  void expect() noexcept { are_expected_ = true; }
  [[nodiscard]] bool are_expected() const noexcept { return are_expected_; }

private:
  std::atomic<bool> are_expected_{false};
  shared_value<std::shared_ptr<const token_keys>> keys_;
};

} // namespace canang::net
