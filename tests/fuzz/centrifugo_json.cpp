// Commands of Centrifugo's protocol in JSON, against another parser: the data of each is JSON, and what is taken for
// JSON is the same.

#include "net/json_cursor.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/support/described_request.hpp"

#include <simdjson.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace canang::net;
using namespace canang::net::centrifugo;
using canang::fuzz::require;
using canang::test::described;

bool are_hex_digits(std::string_view text) {
  return text.size() == 4 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return std::isxdigit(c) != 0;
         });
}

/// JSON for a parser that takes only numbers that it can hold, and no half of a surrogate pair: of digits that follow
/// each other the first two, and one character for all that have numbers. What is JSON stays that, what is none stays
/// none.
std::string with_short_numbers(std::string_view json) {
  std::string out;
  std::size_t digits = 0;
  bool is_in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const auto c = json[i];
    if (c == '"')
      is_in_string = !is_in_string;
    digits = !is_in_string && c >= '0' && c <= '9' ? digits + 1 : 0;
    if (digits <= 2)
      out += c;
    if (!is_in_string || c != '\\' || i + 1 == json.size())
      continue;
    out += json[++i];
    if (json[i] == 'u' && are_hex_digits(json.substr(i + 1, 4))) {
      out += "0041";
      i += 4;
    }
  }
  return out;
}

bool is_json(std::string_view text) {
  simdjson::dom::parser parser;
  return parser.parse(simdjson::padded_string{with_short_numbers(text)}).error()
         == simdjson::SUCCESS;
}

std::size_t depth_of(std::string_view json) {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  bool is_in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (json[i] == '"')
      is_in_string = !is_in_string;
    else if (is_in_string)
      i += json[i] == '\\' ? 1U : 0U;
    else if (json[i] == '[' || json[i] == '{')
      deepest = std::max(deepest, ++depth);
    else if (json[i] == ']' || json[i] == '}')
      --depth;
  }
  return deepest;
}

/// The text as one value.
void look_at_value(std::string_view text) {
  json_cursor cursor{text, max_json_depth};
  const auto value = cursor.value();
  const auto is_taken = cursor.is_done() && simdjson::validate_utf8(text.data(), text.size());
  require(value.empty() == (value.data() == nullptr), "a value has characters");
  require(!is_taken || is_json(text), "what is taken is JSON");
  require(is_taken || !is_json(text) || depth_of(text) > max_json_depth,
          "JSON that is not too deep is taken");
}

void look_at_command(const request& said, std::string_view message) {
  const auto is_of_message = [&](std::string_view view) {
    return view.data() >= message.data()
           && view.data() + view.size() <= message.data() + message.size();
  };
  require(said.data.empty() || is_of_message(said.data), "data is where it was sent");
  require(said.data.empty() || is_json(said.data), "data is JSON");
  require(said.data.find('\n') == std::string_view::npos, "and of one line");
  require(depth_of(said.data) + 2 <= max_json_depth, "and not deep");
  for (const auto text :
       {said.channel, said.token, said.name, said.version, said.epoch, said.delta, said.rpc_method})
    require(simdjson::validate_utf8(text.data(), text.size()), "a string is UTF-8");
  require(said.what != method::unknown || said.id != 0, "what is not known is asked by somebody");
}

void look_at_message(std::string_view message) {
  auto& reader = json_requests();
  request said;
  std::size_t commands = 0;
  reader.begin(message);
  auto result = reader.next(said);
  for (; result == read_result::command; result = reader.next(said)) {
    look_at_command(said, message);
    ++commands;
  }
  require(commands <= max_commands_in_message, "there are not too many");
  require(reader.next(said) == result, "the end and a fault stay");
  require(described(reader, message) == described(reader, message), "it says the same again");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  look_at_value(text);
  look_at_message(text);
  return 0;
}
