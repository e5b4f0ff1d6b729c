#include "net/auth/token_parts.hpp"

#include "net/auth/base64url.hpp"
#include "net/auth/token_json.hpp"
#include "net/auth/token_limits.hpp"

namespace canang::net {

std::optional<token_parts> split_token(std::string_view token) noexcept {
  if (token.size() > max_token_bytes)
    return std::nullopt;
  const auto first = token.find('.');
  const auto last = token.rfind('.');
  if (first == std::string_view::npos || first == 0 || last <= first + 1 || last + 1 == token.size()
      || token.substr(first + 1, last - first - 1).find('.') != std::string_view::npos)
    return std::nullopt;
  return token_parts{.header = token.substr(0, first),
                     .payload = token.substr(first + 1, last - first - 1),
                     .signature = token.substr(last + 1),
                     .signed_text = token.substr(0, last)};
}

std::optional<token_header> parse_header(std::string_view encoded) {
  const auto json = decode_base64url(encoded);
  const auto object = json ? parse_token_object(*json) : std::nullopt;
  if (!object)
    return std::nullopt;
  std::string_view algorithm_name;
  std::string_view key_id;
  for (const auto field : *object) {
    std::string_view text;
    const bool is_text = field.value.get(text) == simdjson::SUCCESS;
    if (field.key == "alg")
      algorithm_name = text;
    else if (field.key == "kid")
      key_id = text;
    if (field.key == "crit") // an extension that we would have to understand (RFC 7515, 4.1.11)
      return std::nullopt;
    const bool has_to_be_text = field.key == "kid" || field.key == "typ" || field.key == "cty";
    if ((has_to_be_text && !is_text) || key_id.size() > max_key_id_bytes)
      return std::nullopt;
  }
  const auto algorithm = algorithm_of(algorithm_name);
  if (!algorithm)
    return std::nullopt;
  return token_header{*algorithm, std::string{key_id}};
}

} // namespace canang::net
