#include "cluster/control/relay_wire.hpp"

#include "base/parse_number.hpp"
#include "cluster/control/first_line.hpp"
#include "cluster/epoch.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace canang::cluster {

namespace {

/// By their values.
constexpr std::array<std::string_view, 4> outcome_words{"taken", "unknown", "busy", "unavailable"};

/// Longest line: a version, a node, a kind, a number and a session.
constexpr std::size_t max_line_bytes = 128;

bool read_content(std::string_view kind, std::string_view word, std::string_view rest,
                  relay_envelope& into) {
  if (kind == "m") {
    into.content = relay_envelope::said{word, rest};
    return !word.empty() && word.size() <= max_relayed_session_bytes && !rest.empty()
           && rest.size() <= max_relayed_bytes;
  }
  const auto* const found = std::find(outcome_words.begin(), outcome_words.end(), word);
  if (found == outcome_words.end() || !rest.empty())
    return false;
  into.content = static_cast<relay_outcome>(found - outcome_words.begin());
  return true;
}

} // namespace

std::string encode_relayed(std::string_view node, std::uint64_t number,
                           const relayed_message& message) {
  auto out = begin_line(node, 'm', number, message.session);
  out += '\n';
  out += message.data;
  return out;
}

std::string encode_outcome(std::string_view node, std::uint64_t number, relay_outcome outcome) {
  return begin_line(node, 'o', number, outcome_words[static_cast<std::size_t>(outcome)]) + '\n';
}

control_wire_errc read_relayed(std::string_view bytes, relay_envelope& into) {
  const auto end = bytes.substr(0, max_line_bytes).find('\n');
  if (end == std::string_view::npos)
    return control_wire_errc::foreign;
  auto line = bytes.substr(0, end);
  const auto version = parse_number<std::uint64_t>(take_word(line));
  into.node = take_word(line);
  const auto kind = take_word(line);
  if (version != control_version || (kind != "m" && kind != "o"))
    return control_wire_errc::foreign;
  const auto number = parse_number<std::uint64_t>(take_word(line));
  if (!is_epoch(into.node) || !number || *number == 0)
    return control_wire_errc::malformed;
  into.number = *number;
  return read_content(kind, line, bytes.substr(end + 1), into) ? control_wire_errc::none
                                                               : control_wire_errc::malformed;
}

} // namespace canang::cluster
