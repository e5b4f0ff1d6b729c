#include "cluster/moderation/act.hpp"

#include "base/is_control.hpp"
#include "base/parse_number.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace canang::cluster {

namespace {

// Letters of keys, in the order of the enumerations.
constexpr std::string_view kind_letters = "bml";
constexpr std::string_view target_letters = "ua-";
constexpr std::string_view scope_letters = "*nr";

constexpr char key_break = '\n'; // in no name

constexpr std::string_view stored_version = "1";
constexpr std::string_view lifted_version = "0";

constexpr unsigned least_of_ipv4 = address_prefix::bits_before_ipv4 + 8;
constexpr unsigned least_of_ipv6 = 16;

/// Whether it is long enough to be meant.
bool is_meant(const address_prefix& prefix) noexcept {
  const boost::asio::ip::address any_ipv4 = boost::asio::ip::address_v4{};
  const auto shared =
    static_cast<std::uint8_t>(std::min<unsigned>(prefix.bits, address_prefix::bits_before_ipv4));
  const bool meets_ipv4 =
    prefix_of(any_ipv4, shared).contains(boost::asio::ip::address_v6{prefix.first});
  return prefix.bits >= (meets_ipv4 ? least_of_ipv4 : least_of_ipv6);
}

bool has_controls(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(), is_control);
}

bool is_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= max_act_name_bytes && !has_controls(text);
}

bool is_place(const act_key& key) noexcept {
  switch (key.scope) {
  case act_scope::everywhere: return key.place.empty();
  case act_scope::name_space: return is_name(key.place) && key.place.find(':') == std::string::npos;
  case act_scope::room: break;
  }
  return is_name(key.place);
}

bool is_subject(const act_key& key) {
  switch (key.target) {
  case act_target::user: return is_name(key.subject);
  case act_target::address: {
    const auto prefix = read_act_addresses(key.subject);
    return prefix && to_text(*prefix) == key.subject;
  }
  case act_target::all: break;
  }
  return key.subject.empty();
}

template <class Enum>
bool read_letter(std::string_view letters, char letter, Enum& into) noexcept {
  const auto at = letters.find(letter);
  if (at == std::string_view::npos)
    return false;
  into = static_cast<Enum>(at);
  return true;
}

std::string_view take_word(std::string_view& text) noexcept {
  const auto end = std::min(text.find(' '), text.size());
  const auto word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

} // namespace

bool is_valid(const act_key& key) {
  const bool is_of_all = key.target == act_target::all;
  return is_of_all == (key.kind == act_kind::lockdown) && is_place(key) && is_subject(key);
}

std::string to_text(const act_key& key) {
  std::string text;
  text.reserve(4 + key.place.size() + key.subject.size());
  text += kind_letters[static_cast<std::size_t>(key.kind)];
  text += target_letters[static_cast<std::size_t>(key.target)];
  text += scope_letters[static_cast<std::size_t>(key.scope)];
  text += key.place;
  text += key_break;
  text += key.subject;
  return text;
}

std::optional<act_key> read_act_key(std::string_view text) {
  if (text.size() < 4 || text.size() > max_act_key_bytes)
    return std::nullopt;
  act_key key;
  if (!read_letter(kind_letters, text[0], key.kind)
      || !read_letter(target_letters, text[1], key.target)
      || !read_letter(scope_letters, text[2], key.scope))
    return std::nullopt;
  text.remove_prefix(3);
  const auto end = text.find(key_break);
  if (end == std::string_view::npos)
    return std::nullopt;
  key.place = text.substr(0, end);
  key.subject = text.substr(end + 1);
  return is_valid(key) ? std::optional{std::move(key)} : std::nullopt;
}

std::optional<address_prefix> read_act_addresses(std::string_view text) {
  constexpr std::size_t longest = 64;
  const auto read = text.size() <= longest ? read_address_prefix(text) : std::nullopt;
  return read && is_meant(*read) ? read : std::nullopt;
}

act_ptr make_act(act_key key, std::string reason, std::uint64_t made_ms,
                 moderation_act::clock::time_point ends_at) {
  auto act = std::make_shared<moderation_act>();
  act->text = to_text(key);
  if (key.target == act_target::address)
    act->addresses = read_act_addresses(key.subject).value_or(address_prefix{});
  act->key = std::move(key);
  act->reason = std::move(reason);
  act->made_ms = made_ms;
  act->ends_at = ends_at;
  return act;
}

std::string told_to_client(const moderation_act& act) {
  static constexpr std::array<std::string_view, 3> words{"banned", "muted", "locked"};
  std::string text{words[static_cast<std::size_t>(act.key.kind)]};
  if (!act.reason.empty())
    (text += ": ") += act.reason;
  return text;
}

std::optional<stored_act> read_stored_act(std::string_view text) {
  if (take_word(text) != stored_version)
    return std::nullopt;
  const auto made = parse_number<std::uint64_t>(take_word(text));
  const auto ends = parse_number<std::uint64_t>(take_word(text));
  if (!made || !ends || !is_act_reason(text))
    return std::nullopt;
  return stored_act{.made_ms = *made, .ends_ms = *ends, .reason = text};
}

std::optional<std::uint64_t> read_lifted(std::string_view text) {
  return take_word(text) == lifted_version ? parse_number<std::uint64_t>(text) : std::nullopt;
}

bool is_act_reason(std::string_view text) noexcept {
  return text.size() <= max_act_reason_bytes && !has_controls(text);
}

} // namespace canang::cluster
