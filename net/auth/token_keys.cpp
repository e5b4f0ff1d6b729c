#include "net/auth/token_keys.hpp"

#include "net/auth/jwks.hpp"
#include "net/auth/pem.hpp"
#include "net/auth/token_limits.hpp"

#include <iterator>
#include <optional>
#include <variant>

namespace canang::net {

std::vector<const token_key*> token_keys::candidates(token_algorithm algorithm,
                                                     std::string_view id) const {
  std::vector<const token_key*> found;
  const auto gather = [&](auto is_meant) {
    for (const auto& key : keys_)
      if (found.size() < max_tried_keys && key.serves(algorithm) && is_meant(key))
        found.push_back(&key);
  };
  if (id.empty()) {
    gather([](const token_key&) { return true; });
    return found;
  }
  gather([&](const token_key& key) { return key.id() == id; });
  gather([](const token_key& key) { return key.id().empty(); });
  return found;
}

token_keys token_keys::with(const token_keys& others) const {
  auto all = keys_;
  all.insert(all.end(), others.keys_.begin(), others.keys_.end());
  return token_keys{std::move(all)};
}

std::string token_keys_builder::add(std::vector<token_key> keys) {
  if (keys_.size() + keys.size() > max_token_keys)
    return "there are more than " + std::to_string(max_token_keys) + " keys";
  keys_.insert(keys_.end(), std::make_move_iterator(keys.begin()),
               std::make_move_iterator(keys.end()));
  return {};
}

std::string token_keys_builder::add_secret(std::string_view secret) {
  auto key = token_key::of_secret(secret);
  if (!key)
    return "a secret has " + std::to_string(min_secret_bytes) + " to "
           + std::to_string(max_secret_bytes) + " bytes";
  return add(std::vector{std::move(*key)});
}

std::string token_keys_builder::add_pem(std::string_view text) {
  auto found = public_keys_of_pem(text);
  if (found.empty())
    return "there is no public key in PEM, or something else beside it";
  std::vector<token_key> keys;
  for (auto& one : found) {
    auto key = token_key::of_public(std::move(one));
    if (!key)
      return "a key is none of RSA with 2048 to 8192 bits, EC P-256, EC P-384 and Ed25519";
    keys.push_back(std::move(*key));
  }
  return add(std::move(keys));
}

std::string token_keys_builder::add_jwks(std::string_view text) {
  auto read = parse_jwks(text);
  if (auto* const fault = std::get_if<std::string>(&read))
    return std::move(*fault);
  return add(std::move(std::get<jwk_set>(read).keys));
}

} // namespace canang::net
