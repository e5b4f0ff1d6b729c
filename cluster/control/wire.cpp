#include "cluster/control/wire.hpp"

#include "base/parse_number.hpp"
#include "cluster/control/first_line.hpp"
#include "cluster/epoch.hpp"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace canang::cluster {

namespace {

constexpr std::string_view disconnect_word = "disconnect";
constexpr std::string_view remove_word = "remove";
// With what older nodes do not know of, which they are not to leave out.
constexpr std::string_view disconnect_some_word = "disconnect-some";
constexpr std::string_view remove_one_word = "remove-one";
constexpr std::string_view add_word = "add";
constexpr std::string_view refresh_word = "refresh";
constexpr std::string_view acts_word = "acts";
constexpr std::string_view count_word = "count";
constexpr std::string_view in_force_word = "in-force";
constexpr std::string_view lifted_word = "lifted";
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

bool is_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= max_control_name_bytes;
}

bool is_client(std::string_view text) noexcept {
  return !text.empty() && text.size() <= max_control_client_bytes
         && text.find(' ') == std::string_view::npos;
}

/// Who a command is about: a user, or one connection.
bool is_about_someone(const std::string& user, const std::string& client) noexcept {
  return (is_name(user) || (user.empty() && !client.empty()))
         && (client.empty() || is_client(client));
}

bool is_valid(const disconnect_user& command) noexcept {
  return is_about_someone(command.user, command.client)
         && command.reason.size() <= max_control_reason_bytes && command.code >= min_control_code
         && command.code <= max_control_code && command.spared.size() <= max_spared_clients
         && std::all_of(command.spared.begin(), command.spared.end(), is_client);
}

bool is_valid(const remove_from_room& command) noexcept {
  return is_about_someone(command.user, command.client) && is_name(command.room);
}

bool is_valid(const add_to_room& command) noexcept {
  return is_about_someone(command.user, command.client) && is_name(command.room)
         && (!command.since || command.since->epoch.size() <= max_control_name_bytes);
}

bool is_valid(const refresh_user& command) noexcept {
  return is_about_someone(command.user, command.client) && command.expires_at.value_or(1) > 0;
}

bool is_valid(const read_acts& command) noexcept {
  return !command.key.empty() && command.key.size() <= max_control_key_bytes
         && command.client.empty();
}

bool is_valid(const count_user& command) noexcept {
  return is_about_someone(command.user, command.client);
}

/// Names without spaces, with one between them.
std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& one : names)
    (out += out.empty() ? "" : " ") += one;
  return out;
}

std::vector<std::string> parts_of(std::string_view names) {
  std::vector<std::string> parts;
  while (!names.empty() && parts.size() <= max_spared_clients) {
    const auto end = std::min(names.find(' '), names.size());
    parts.emplace_back(names.substr(0, end));
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return parts;
}

/// Takes a command that was read, if it is one that can be.
template <class Command>
bool take(Command&& command, control_message& into) {
  const bool is_good = is_valid(command);
  into.content = control_command{std::forward<Command>(command)};
  return is_good;
}

bool read_disconnect(std::span<const std::string_view> fields, bool has_choice,
                     control_message& into) {
  if (fields.size() != (has_choice ? 5U : 3U))
    return false;
  const auto code = parse_number<std::uint16_t>(fields[1]);
  if (!code)
    return false;
  disconnect_user command{
    .user = std::string{fields[0]}, .code = *code, .reason = std::string{fields[2]}};
  if (has_choice) {
    command.client = fields[3];
    command.spared = parts_of(fields[4]);
  }
  return take(std::move(command), into);
}

bool read_remove(std::span<const std::string_view> fields, bool has_choice, control_message& into) {
  if (fields.size() != (has_choice ? 3U : 2U))
    return false;
  remove_from_room command{.user = std::string{fields[0]}, .room = std::string{fields[1]}};
  if (has_choice)
    command.client = fields[2];
  return take(std::move(command), into);
}

/// The last two fields are the position; an empty offset says that there is none.
bool read_add(std::span<const std::string_view> fields, control_message& into) {
  if (fields.size() != 5)
    return false;
  add_to_room command{.user = std::string{fields[0]},
                      .room = std::string{fields[1]},
                      .client = std::string{fields[2]}};
  if (!fields[4].empty()) {
    const auto offset = parse_number<std::uint64_t>(fields[4]);
    if (!offset)
      return false;
    command.since = position{.epoch = std::string{fields[3]}, .offset = *offset};
  }
  return take(std::move(command), into);
}

/// An empty time is none.
bool read_refresh(std::span<const std::string_view> fields, control_message& into) {
  if (fields.size() != 3)
    return false;
  refresh_user command{.user = std::string{fields[0]}, .client = std::string{fields[1]}};
  if (!fields[2].empty()) {
    command.expires_at = parse_number<std::int64_t>(fields[2]);
    if (!command.expires_at)
      return false;
  }
  return take(std::move(command), into);
}

bool read_read_acts(std::span<const std::string_view> fields, control_message& into) {
  if (fields.size() != 3 || (fields[2] != in_force_word && fields[2] != lifted_word))
    return false;
  const auto made_ms = parse_number<std::uint64_t>(fields[1]);
  return made_ms
         && take(read_acts{.key = std::string{fields[0]},
                           .made_ms = *made_ms,
                           .is_lifted = fields[2] == lifted_word},
                 into);
}

bool read_count(std::span<const std::string_view> fields, control_message& into) {
  return fields.size() == 2
         && take(count_user{.user = std::string{fields[0]}, .client = std::string{fields[1]}},
                 into);
}

bool read_command(std::string_view word, std::string_view bytes, control_message& into) {
  const auto fields = take_fields(bytes);
  if (!fields)
    return false;
  if (word == disconnect_word || word == disconnect_some_word)
    return read_disconnect(*fields, word == disconnect_some_word, into);
  if (word == remove_word || word == remove_one_word)
    return read_remove(*fields, word == remove_one_word, into);
  if (word == add_word)
    return read_add(*fields, into);
  if (word == refresh_word)
    return read_refresh(*fields, into);
  if (word == acts_word)
    return read_read_acts(*fields, into);
  if (word == count_word)
    return read_count(*fields, into);
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
  const auto write = [&](std::string_view word, std::initializer_list<std::string_view> fields) {
    auto out = begin_line(node, 'c', number, word);
    out += '\n';
    for (const auto field : fields)
      put_field(out, field);
    return out;
  };
  if (const auto* const add = std::get_if<add_to_room>(&command))
    return write(add_word, {add->user, add->room, add->client, add->since ? add->since->epoch : "",
                            add->since ? std::to_string(add->since->offset) : ""});
  if (const auto* const refresh = std::get_if<refresh_user>(&command))
    return write(refresh_word,
                 {refresh->user, refresh->client,
                  refresh->expires_at ? std::to_string(*refresh->expires_at) : std::string{}});
  if (const auto* const acts = std::get_if<read_acts>(&command))
    return write(acts_word, {acts->key, std::to_string(acts->made_ms),
                             acts->is_lifted ? lifted_word : in_force_word});
  if (const auto* const count = std::get_if<count_user>(&command))
    return write(count_word, {count->user, count->client});
  if (const auto* const remove = std::get_if<remove_from_room>(&command))
    return remove->client.empty()
             ? write(remove_word, {remove->user, remove->room})
             : write(remove_one_word, {remove->user, remove->room, remove->client});
  const auto& disconnect = std::get<disconnect_user>(command);
  const auto code = std::to_string(disconnect.code);
  return disconnect.client.empty() && disconnect.spared.empty()
           ? write(disconnect_word, {disconnect.user, code, disconnect.reason})
           : write(disconnect_some_word, {disconnect.user, code, disconnect.reason,
                                          disconnect.client, joined(disconnect.spared)});
}

std::string encode(std::string_view node, std::uint64_t number, const control_answer& answer) {
  const bool is_done = answer.outcome == control_outcome::done;
  auto out = begin_line(node, 'a', number, is_done ? done_word : unsupported_word);
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
