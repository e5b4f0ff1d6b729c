#include "net/websocket/extensions.hpp"

#include "net/http/fields.hpp"

#include <utility>
#include <vector>

namespace canang::net {

namespace {

constexpr std::string_view deflate_name = "permessage-deflate";

/// A parameter of an extension. A quoted value is a token when its quoting is undone (RFC 6455, 9.1).
struct parameter {
  std::string_view name;
  std::optional<std::string> value{};
};

struct offer {
  std::string_view name;
  std::vector<parameter> parameters{};
};

/// Reads a list of extensions from the left to the right.
class offer_reader {
public:
  explicit offer_reader(std::string_view text) noexcept : rest_(text) {}

  /// @returns nothing where it is no such list.
  std::optional<std::vector<offer>> read() {
    std::vector<offer> offers;
    do {
      skip_blanks();
      if (rest_.empty() || rest_.front() == ',')
        continue; // an empty item does not count (RFC 9110, 5.6.1.2)
      auto one = read_offer();
      if (!one)
        return std::nullopt;
      offers.push_back(std::move(*one));
    } while (take(','));
    if (!rest_.empty())
      return std::nullopt;
    return offers;
  }

private:
  std::optional<offer> read_offer() {
    offer one{.name = read_token()};
    if (one.name.empty())
      return std::nullopt;
    while (take(';')) {
      auto named = read_parameter();
      if (!named)
        return std::nullopt;
      one.parameters.push_back(std::move(*named));
    }
    return one;
  }

  std::optional<parameter> read_parameter() {
    skip_blanks();
    parameter one{.name = read_token()};
    if (one.name.empty())
      return std::nullopt;
    if (!take('='))
      return one;
    skip_blanks();
    one.value = take('"') ? read_quoted() : std::string{read_token()};
    if (!is_token(*one.value))
      return std::nullopt;
    return one;
  }

  std::string_view read_token() noexcept {
    std::size_t size = 0;
    while (size < rest_.size() && is_token(rest_.substr(size, 1)))
      ++size;
    const auto token = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return token;
  }

  /// Behind the first quotation mark; empty where there is no last one.
  std::string read_quoted() {
    std::string value;
    while (!rest_.empty()) {
      auto next = rest_.front();
      rest_.remove_prefix(1);
      if (next == '"')
        return value;
      if (next == '\\' && !rest_.empty()) {
        next = rest_.front();
        rest_.remove_prefix(1);
      }
      value += next;
    }
    return {};
  }

  bool take(char c) noexcept {
    skip_blanks();
    if (rest_.empty() || rest_.front() != c)
      return false;
    rest_.remove_prefix(1);
    return true;
  }

  void skip_blanks() noexcept {
    const auto first = rest_.find_first_not_of(" \t");
    rest_.remove_prefix(first == std::string_view::npos ? rest_.size() : first);
  }

  std::string_view rest_;
};

/// 8 to 15, without leading zeros (RFC 7692, 7.1.2); else 0.
unsigned window_bits(std::string_view value) noexcept {
  if (value == "8" || value == "9")
    return static_cast<unsigned>(value.front() - '0');
  const bool is_it =
    value.size() == 2 && value.front() == '1' && value.back() >= '0' && value.back() <= '5';
  return is_it ? 10U + static_cast<unsigned>(value.back() - '0') : 0U;
}

/// What an offer of permessage-deflate says.
struct deflate_offer {
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  bool has_client_bits = false; // how large a window the client uses at most: ours is the largest
  unsigned server_bits = 0;     // 0: it does not say

  /// @returns false where the offer is to be declined.
  bool take(const parameter& one) {
    if (one.name == "server_no_context_takeover")
      return !one.value && !std::exchange(server_no_context_takeover, true);
    if (one.name == "client_no_context_takeover")
      return !one.value && !std::exchange(client_no_context_takeover, true);
    if (one.name == "client_max_window_bits")
      return (!one.value || window_bits(*one.value) != 0) && !std::exchange(has_client_bits, true);
    if (one.name != "server_max_window_bits" || !one.value || server_bits != 0)
      return false;
    server_bits = window_bits(*one.value);
    return server_bits > 8; // zlib has no window of 256 bytes for data without its head
  }
};

/// The answer to an offer, none where it is declined.
extension_agreement answer_to(const offer& one) {
  deflate_offer said;
  for (const auto& named : one.parameters)
    if (!said.take(named))
      return {};
  extension_agreement agreed{.packing = compression::deflate,
                             .answer = "permessage-deflate; server_no_context_takeover; "
                                       "client_no_context_takeover"};
  if (said.server_bits == 0)
    return agreed;
  const bool is_narrow = said.server_bits < 15;
  if (is_narrow)
    agreed.packing = compression::narrow_deflate;
  agreed.answer += is_narrow ? "; server_max_window_bits=9" : "; server_max_window_bits=15";
  return agreed;
}

} // namespace

std::optional<extension_agreement> agree_on_extensions(std::string_view offered) {
  const auto offers = offer_reader{offered}.read();
  if (!offers)
    return std::nullopt;
  for (const auto& one : *offers) {
    if (one.name != deflate_name)
      continue;
    if (auto agreed = answer_to(one); agreed.packing != compression::none)
      return agreed;
  }
  return extension_agreement{};
}

} // namespace canang::net
