#include "net/auth/api_keys.hpp"

#include "net/auth/secret.hpp"

namespace canang::net {

bool api_keys::allow(std::string_view given) const {
  bool is_known = false;
  for (const auto& key : *keys_.load())
    is_known = is_same_secret(given, key) || is_known; // all of them, whichever it was
  return is_known;
}

} // namespace canang::net
