#include "cluster/control/wire.hpp"

#include "base/parse_number.hpp"
#include "cluster/epoch.hpp"

#include <optional>
#include <span>
#include <vector>

namespace canang::cluster {

namespace {

constexpr std::string_view disconnect_word = "disconnect";
constexpr std::string_view remove_word = "remove";
constexpr std::string_view done_word = "done";
constexpr std::string_view unsupported_word = "unsupported";

/// More fields than any command has, now or soon.
constexpr std::size_t max_fields = 16;

void put_field(std::string& out, std::string_view field) {
  out.push_back(static_cast<char>(field.size() & 0xffU));
  out.push_back(static_cast<char>(field.size() >> 8U));
  out += field;
}

/// All fields, or none when they do not end where the bytes end.
std::optional<std::vector<std::string_view>> take_fields(std::string_view bytes) {
  std::vector<std::string_view> fields;
  while (!bytes.empty()) {
    if (bytes.size() < 2 || fields.size() == max_fields)
      return std::nullopt;
    const auto size = static_cast<std::size_t>(static_cast<unsigned char>(bytes[0]))
                      | static_cast<std::size_t>(static_cast<unsigned char>(bytes[1])) << 8U;
    bytes.remove_prefix(2);
    if (bytes.size() < size)
      return std::nullopt;
    fields.push_back(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  return fields;
}

/// A word of the first line; it may be the last one.
std::string_view take_word(std::string_view& line) {
  const auto end = line.find(' ');
  const auto word = line.substr(0, end);
  line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  return word;
}

std::string begin(std::string_view node, char kind, std::uint64_t number, std::string_view word) {
  auto line = std::to_string(control_version);
  line += ' ';
  line += node;
  line += ' ';
  line += kind;
  line += ' ';
  line += std::to_string(number);
  line += ' ';
  line += word;
  return line;
}

bool is_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= max_control_name_bytes;
}

bool is_valid(const disconnect_user& command) noexcept {
  return is_name(command.user) && command.reason.size() <= max_control_reason_bytes
         && command.code >= min_control_code && command.code <= max_control_code;
}

bool is_valid(const remove_from_room& command) noexcept {
  return is_name(command.user) && is_name(command.room);
}

bool read_disconnect(std::span<const std::string_view> fields, control_message& into) {
  if (fields.size() != 3)
    return false;
  const auto code = parse_number<std::uint16_t>(fields[1]);
  if (!code)
    return false;
  disconnect_user command{std::string{fields[0]}, *code, std::string{fields[2]}};
  const bool is_good = is_valid(command);
  into.content = control_command{std::move(command)};
  return is_good;
}

bool read_remove(std::span<const std::string_view> fields, control_message& into) {
  if (fields.size() != 2)
    return false;
  remove_from_room command{std::string{fields[0]}, std::string{fields[1]}};
  const bool is_good = is_valid(command);
  into.content = control_command{std::move(command)};
  return is_good;
}

bool read_command(std::string_view word, std::string_view bytes, control_message& into) {
  const auto fields = take_fields(bytes);
  if (!fields)
    return false;
  if (word == disconnect_word)
    return read_disconnect(*fields, into);
  if (word == remove_word)
    return read_remove(*fields, into);
  into.content = unknown_command{};
  return !word.empty();
}

bool read_answer(std::string_view words, control_message& into) {
  control_answer answer;
  const auto outcome = take_word(words);
  if (outcome == unsupported_word)
    answer.outcome = control_outcome::unsupported;
  else if (outcome != done_word)
    return false;
  const auto count = parse_number<std::uint64_t>(take_word(words));
  if (!count || !words.empty())
    return false;
  answer.count = *count;
  into.content = answer;
  return true;
}

} // namespace

bool is_valid(const control_command& command) noexcept {
  return std::visit([](const auto& one) { return is_valid(one); }, command);
}

std::string encode(std::string_view node, std::uint64_t number, const control_command& command) {
  std::string out;
  if (const auto* const disconnect = std::get_if<disconnect_user>(&command)) {
    out = begin(node, 'c', number, disconnect_word);
    out += '\n';
    put_field(out, disconnect->user);
    put_field(out, std::to_string(disconnect->code));
    put_field(out, disconnect->reason);
  } else if (const auto* const remove = std::get_if<remove_from_room>(&command)) {
    out = begin(node, 'c', number, remove_word);
    out += '\n';
    put_field(out, remove->user);
    put_field(out, remove->room);
  }
  return out;
}

std::string encode(std::string_view node, std::uint64_t number, const control_answer& answer) {
  const bool is_done = answer.outcome == control_outcome::done;
  auto out = begin(node, 'a', number, is_done ? done_word : unsupported_word);
  out += ' ';
  out += std::to_string(answer.count);
  out += '\n';
  return out;
}

control_wire_errc read_control_message(std::string_view bytes, control_message& into) {
  const auto end = bytes.substr(0, max_control_message_bytes).find('\n');
  if (end == std::string_view::npos)
    return control_wire_errc::foreign;
  auto line = bytes.substr(0, end);
  const auto version = parse_number<std::uint64_t>(take_word(line));
  if (!version)
    return control_wire_errc::foreign;
  if (*version != control_version)
    return control_wire_errc::version;
  if (bytes.size() > max_control_message_bytes)
    return control_wire_errc::malformed;
  into.node = take_word(line);
  const auto kind = take_word(line);
  const auto number = parse_number<std::uint64_t>(take_word(line));
  if (!is_epoch(into.node) || !number || *number == 0)
    return control_wire_errc::malformed;
  into.number = *number;
  const auto rest = bytes.substr(end + 1);
  bool is_good = false;
  if (kind == "c")
    is_good = read_command(line, rest, into);
  else if (kind == "a" && rest.empty())
    is_good = read_answer(line, into);
  return is_good ? control_wire_errc::none : control_wire_errc::malformed;
}

} // namespace canang::cluster
