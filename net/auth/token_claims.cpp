#include "net/auth/token_claims.hpp"

#include "net/auth/claim_values.hpp"
#include "net/auth/token_json.hpp"
#include "net/auth/token_limits.hpp"
#include "net/http/target.hpp"
#include "net/json_cursor.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

namespace canang::net {

namespace {

namespace dom = simdjson::dom;

enum class rounding : std::uint8_t { down, up };

/// A NumericDate (RFC 7519, 2): seconds since 1970, maybe with a fraction, maybe before.
bool read_date(const dom::element& value, rounding how, std::optional<std::int64_t>& into) {
  if (std::int64_t whole = 0; value.get(whole) == simdjson::SUCCESS) {
    into = whole;
    return whole >= -max_numeric_date && whole <= max_numeric_date;
  }
  double seconds = 0;
  if (value.get(seconds) != simdjson::SUCCESS)
    return false;
  const double rounded = how == rounding::down ? std::floor(seconds) : std::ceil(seconds);
  if (!(std::abs(rounded) <= static_cast<double>(max_numeric_date)))
    return false;
  into = static_cast<std::int64_t>(rounded);
  return true;
}

/// One text or an array of texts.
bool read_audiences(const dom::element& value, std::vector<std::string>& into) {
  dom::array several;
  if (value.get(several) != simdjson::SUCCESS)
    return read_text(value, into.emplace_back());
  return std::all_of(several.begin(), several.end(),
                     [&](const dom::element& one) { return read_text(one, into.emplace_back()); });
}

/// The value of an object's field as it stands in the text: what is read of it has lost the digits of its numbers.
std::string_view raw_value(std::string_view json, std::size_t index) {
  json_cursor reads{json, max_token_depth};
  reads.enter_object();
  std::string_view name;
  std::string_view value;
  for (std::size_t i = 0; i <= index && reads.next_field(name); ++i)
    value = reads.value();
  return reads.is_good() ? value : std::string_view{};
}

/// Takes one claim after the other.
class claims_reader {
public:
  explicit claims_reader(std::string_view json) : json_(json) {}

  std::optional<read_claims> read(const dom::object& payload) {
    std::size_t index = 0;
    for (const auto field : payload)
      if (!take(field.key, field.value, index++))
        return std::nullopt;
    settle();
    return std::move(read_);
  }

private:
  bool take(std::string_view name, const dom::element& value, std::size_t index) {
    auto& claims = read_.claims;
    if (name == "sub")
      return read_user(value, claims.user);
    if (name == "info" || name == "b64info")
      return take_info(name, value, index);
    if (name == "channel")
      return read_text(value, claims.channel.emplace()) && is_room_name(*claims.channel);
    if (name == "client")
      return read_text(value, claims.client);
    if (name == "channels")
      return read_rooms(value, claims.rooms);
    if (name == "subs")
      return read_subscriptions(value, claims.rooms);
    if (name == "caps")
      return read_grants(value, claims.grants);
    return take_condition(name, value);
  }

  bool take_condition(std::string_view name, const dom::element& value) {
    auto& conditions = read_.conditions;
    if (name == "exp")
      return read_date(value, rounding::down, conditions.expires_at);
    if (name == "expire_at")
      return read_date(value, rounding::down, expire_at_);
    if (name == "nbf")
      return read_date(value, rounding::up, conditions.not_before);
    if (name == "iat")
      return read_date(value, rounding::down, issued_at_);
    if (name == "aud")
      return read_audiences(value, conditions.audiences);
    return name == "iss" ? read_text(value, conditions.issuer) : true;
  }

  bool take_info(std::string_view name, const dom::element& value, std::size_t index) {
    if (name == "b64info") {
      std::string_view text;
      return value.get(text) == simdjson::SUCCESS && read_base64_info(text, base64_info_);
    }
    auto json = short_json(raw_value(json_, index));
    if (json)
      read_.claims.info = std::move(*json);
    return json.has_value();
  }

  void settle() {
    auto& [claims, conditions] = read_;
    if (!base64_info_.empty()) // goes first, as in Centrifugo
      claims.info = std::move(base64_info_);
    claims.expires_at = expire_at_ ? expire_at_ : conditions.expires_at;
    if (expire_at_ && *expire_at_ <= 0)
      claims.expires_at.reset();
    if (issued_at_)
      conditions.not_before = std::max(conditions.not_before.value_or(*issued_at_), *issued_at_);
  }

  std::string_view json_;
  read_claims read_{};
  std::optional<std::int64_t> expire_at_;
  std::optional<std::int64_t> issued_at_;
  std::string base64_info_;
};

/// One step back at the last `*` is enough.
bool matches_wildcard(std::string_view pattern, std::string_view text) noexcept {
  std::size_t at = 0;
  std::size_t star = std::string_view::npos;
  std::size_t from = 0; // where the star's run began
  for (std::size_t i = 0; i < text.size();) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      from = i;
    } else if (at < pattern.size() && pattern[at] == text[i]) {
      ++at;
      ++i;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      i = ++from;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

} // namespace

bool token_grant::covers(std::string_view room, right what) const noexcept {
  if ((rights & what) == 0)
    return false;
  return match == kind::exact ? room == pattern : matches_wildcard(pattern, room);
}

std::optional<read_claims> parse_claims(std::string_view json) {
  const auto payload = parse_token_object(json);
  return payload ? claims_reader{json}.read(*payload) : std::nullopt;
}

} // namespace canang::net
