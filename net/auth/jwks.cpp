#include "net/auth/jwks.hpp"

#include "net/auth/base64url.hpp"
#include "net/auth/public_key_numbers.hpp"
#include "net/auth/token_limits.hpp"

#include <simdjson.h>

#include <optional>
#include <utility>

namespace canang::net {

namespace {

namespace dom = simdjson::dom;

/// A field that is a text, or not there. What is there and is something else makes the key unusable.
class jwk_fields {
public:
  explicit jwk_fields(const dom::object& object) : object_(object) {}

  [[nodiscard]] std::string_view text(std::string_view name) {
    std::string_view value;
    const auto error = object_[name].get(value);
    is_good_ = is_good_ && (error == simdjson::SUCCESS || error == simdjson::NO_SUCH_FIELD);
    return error == simdjson::SUCCESS ? value : std::string_view{};
  }

  /// The bytes of a field in base64url; empty where there are none.
  [[nodiscard]] std::string bytes(std::string_view name) {
    return decode_base64url(text(name)).value_or(std::string{});
  }

  /// Whether the key is there to check signatures with (RFC 7517, 4.2 and 4.3).
  [[nodiscard]] bool is_for_checks() {
    const auto use = text("use");
    if (!use.empty() && use != "sig")
      return false;
    dom::array operations;
    const auto error = object_["key_ops"].get(operations);
    if (error != simdjson::SUCCESS)
      return error == simdjson::NO_SUCH_FIELD;
    for (const auto one : operations)
      if (std::string_view name; one.get(name) == simdjson::SUCCESS && name == "verify")
        return true;
    return false;
  }

  [[nodiscard]] bool is_good() const noexcept { return is_good_; }

private:
  const dom::object& object_;
  bool is_good_ = true;
};

shared_pkey public_key_of(jwk_fields& fields, std::string_view type) {
  if (type == "RSA")
    return rsa_key(fields.bytes("n"), fields.bytes("e"));
  const auto curve = fields.text("crv");
  if (type == "EC" && (curve == "P-256" || curve == "P-384"))
    return ec_key(curve == "P-256" ? key_kind::p256 : key_kind::p384, fields.bytes("x"),
                  fields.bytes("y"));
  return type == "OKP" && curve == "Ed25519" ? ed25519_key(fields.bytes("x")) : nullptr;
}

std::optional<token_key> read_jwk(const dom::object& object) {
  jwk_fields fields{object};
  const auto type = fields.text("kty");
  std::string id{fields.text("kid")};
  const auto algorithm_name = fields.text("alg");
  const auto only = algorithm_of(algorithm_name);
  if (!fields.is_for_checks() || id.size() > max_key_id_bytes || (!algorithm_name.empty() && !only))
    return std::nullopt;
  auto key = type == "oct" ? token_key::of_secret(fields.bytes("k"), std::move(id), only)
                           : token_key::of_public(public_key_of(fields, type), std::move(id), only);
  return fields.is_good() ? key : std::nullopt;
}

} // namespace

std::variant<jwk_set, std::string> parse_jwks(std::string_view text) {
  using fault = std::string;
  if (text.size() > max_key_set_bytes)
    return fault{"the key set is longer than 256 KiB"};
  dom::parser parser;
  dom::element root;
  dom::object object;
  dom::array array;
  if (parser.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS)
    return fault{"the key set is not JSON"};
  if (root.get(object) != simdjson::SUCCESS || object["keys"].get(array) != simdjson::SUCCESS)
    return fault{"the key set is not an object with an array 'keys'"};
  jwk_set set;
  for (const auto one : array) {
    dom::object jwk;
    auto key = one.get(jwk) == simdjson::SUCCESS ? read_jwk(jwk) : std::nullopt;
    if (!key)
      ++set.skipped;
    else if (set.keys.size() == max_token_keys)
      return fault{"the key set has more than 64 keys"};
    else
      set.keys.push_back(std::move(*key));
  }
  if (set.keys.empty())
    return fault{"the key set has no key that can be used"};
  return set;
}

} // namespace canang::net
