// Request targets: splitting, percent encoding, queries, room names.

#include "net/http/target.hpp"

#include "net/log_text.hpp"
#include "net/protocol/plain.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/utf8.hpp"

namespace {

using namespace canang::net;
using canang::fuzz::require;

std::string percent_encode(std::string_view text) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    encoded += {'%', digits[byte / 16], digits[byte % 16]};
  }
  return encoded;
}

bool may_be_user(std::string_view name) {
  if (name.empty() || name.size() > 255)
    return false;
  const auto points = canang::fuzz::decode_utf8(name);
  if (!points)
    return false;
  for (const auto point : *points)
    if (point < 0x20 || (point >= 0x7F && point <= 0x9F))
      return false;
  return true;
}

bool may_be_room(std::string_view name) { return name != "." && name != ".." && may_be_user(name); }

/// What is written to a log is one field of one line, whatever it was.
void check_log_text(std::string_view text) {
  const auto field = log_field(text);
  require(field.size() >= 2 && field.front() == '"' && field.back() == '"', "a field is quoted");
  const auto points = canang::fuzz::decode_utf8(field);
  require(points.has_value(), "a field is UTF-8");
  bool is_escaped = false;
  for (std::size_t i = 1; i + 1 < points->size(); ++i) {
    const auto point = (*points)[i];
    require(point >= 0x20 && point != 0x7F && point != 0x2028 && point != 0x202E, "all is shown");
    require(point != '"' || is_escaped, "a quote in a field is escaped");
    is_escaped = point == '\\' && !is_escaped;
  }
  require(!is_escaped, "the last quote is not escaped");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  canang::fuzz::input in{data, size};
  const auto text = canang::fuzz::text_of(in.all(2048));

  const auto parts = split_target(text);
  const bool has_query = text.find('?') != std::string_view::npos;
  require(std::string{parts.path} + (has_query ? "?" : "") + std::string{parts.query} == text,
          "a split loses nothing");
  require(parts.path.find('?') == std::string_view::npos, "a path has no question mark");

  if (const auto target = read_target(text)) {
    require(target->authority.size() + target->query.size() <= text.size(), "parts of the target");
    require(target->path == "*" || target->path.starts_with('/'), "a path is one");
  }
  check_log_text(text);

  require(percent_decode(percent_encode(text)) == text, "what is encoded is decoded");
  const auto decoded = percent_decode(text);
  if (decoded) {
    require(decoded->size() <= text.size(), "decoding does not lengthen");
    require(text.find('%') != std::string_view::npos || *decoded == text, "only % is special");
    require(percent_decode(percent_encode(*decoded)) == decoded, "it decodes again");
  }

  require(is_room_name(text) == may_be_room(text), "a room name is what it is said to be");
  require(is_user_name(text) == may_be_user(text), "a user name is what it is said to be");

  for (const std::string_view name : {"echo", "history", ""})
    if (const auto value = query_value(parts.query, name))
      require(value->size() <= parts.query.size(), "a value is a part of its query");

  if (parts.path == "/ws" || parts.path.starts_with("/ws/")) {
    const auto parsed = parse_plain_target(parts.path, parts.query);
    if (const auto* const parameters = std::get_if<connection_parameters>(&parsed))
      require(may_be_room(parameters->room), "the room of a URL is one");
    else
      require(!std::get<std::string>(parsed).empty(), "a refusal says why");
  }
  return 0;
}
