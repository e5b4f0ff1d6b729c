#include "net/auth/token.hpp"

#include "net/auth/base64url.hpp"
#include "net/auth/token_parts.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>

namespace canang::net {

namespace {

std::optional<token_header> header_of(std::string_view token) {
  const auto parts = split_token(token);
  return parts ? parse_header(parts->header) : std::nullopt;
}

std::optional<token_fault> signature_fault(const token_parts& parts, const token_keys& keys) {
  const auto header = parse_header(parts.header);
  const auto signature = decode_base64url(parts.signature);
  if (!header || !signature)
    return token_fault::malformed;
  const auto candidates = keys.candidates(header->algorithm, header->key_id);
  if (candidates.empty())
    return token_fault::unknown_key;
  const bool holds = std::any_of(candidates.begin(), candidates.end(), [&](const auto* key) {
    return key->holds(header->algorithm, parts.signed_text, *signature);
  });
  return holds ? std::nullopt : std::optional{token_fault::bad_signature};
}

/// Rounded down, as dates are compared in whole seconds.
std::int64_t seconds_of(std::chrono::system_clock::time_point now) {
  return std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
}

bool names_one_of(const std::vector<std::string>& audiences,
                  const std::vector<std::string>& wanted) {
  return std::find_first_of(audiences.begin(), audiences.end(), wanted.begin(), wanted.end())
         != audiences.end();
}

std::optional<token_fault> condition_fault(const read_claims& read, const token_rules& rules,
                                           std::int64_t now) {
  const auto leeway = rules.leeway.count();
  const auto& [claims, conditions] = read;
  const auto is_over = [&](const std::optional<std::int64_t>& date) {
    return date && now >= *date + leeway;
  };
  if (is_over(conditions.expires_at) || is_over(claims.expires_at))
    return token_fault::expired;
  if (conditions.not_before && now + leeway < *conditions.not_before)
    return token_fault::not_yet;
  if (!rules.audiences.empty() && !names_one_of(conditions.audiences, rules.audiences))
    return token_fault::wrong_audience;
  if (!rules.issuer.empty() && conditions.issuer != rules.issuer)
    return token_fault::wrong_issuer;
  return std::nullopt;
}

} // namespace

std::string_view to_string(token_fault fault) noexcept {
  static constexpr std::array<std::string_view, token_fault_count> texts{
    "the token is malformed",
    "the token is signed with an unknown key",
    "the token's signature does not hold",
    "the token is expired",
    "the token is not valid yet",
    "the token is for another audience",
    "the token is of another issuer"};
  return texts[static_cast<std::size_t>(fault)];
}

std::variant<token_claims, token_fault> check_token(std::string_view token, const token_keys& keys,
                                                    const token_rules& rules,
                                                    std::chrono::system_clock::time_point now) {
  const auto parts = split_token(token);
  if (!parts)
    return token_fault::malformed;
  if (const auto fault = signature_fault(*parts, keys))
    return *fault;
  const auto json = decode_base64url(parts->payload);
  auto read = json ? parse_claims(*json) : std::nullopt;
  if (!read)
    return token_fault::malformed;
  if (const auto fault = condition_fault(*read, rules, seconds_of(now)))
    return *fault;
  return std::move(read->claims);
}

bool is_costly(std::string_view token) noexcept {
  try {
    const auto header = header_of(token);
    return header && facts_of(header->algorithm).kind != key_kind::secret;
  } catch (...) { // there is no memory: nor is there any for the check
    return false;
  }
}

bool is_costly(std::string_view token, const token_keys& keys) noexcept {
  try {
    const auto header = header_of(token);
    return header && facts_of(header->algorithm).kind != key_kind::secret
           && !keys.candidates(header->algorithm, header->key_id).empty();
  } catch (...) {
    return false;
  }
}

std::string key_id_of(std::string_view token) {
  auto header = header_of(token);
  return header ? std::move(header->key_id) : std::string{};
}

} // namespace canang::net
