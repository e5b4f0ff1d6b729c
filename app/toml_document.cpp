#include "app/toml_document.hpp"

#include "net/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

// toml++ is compiled here and nowhere else: its headers take seconds. Without exceptions, as a file that is
// wrong is no exception.
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 8
// Of what it takes for granted some does not hold for a file that is wrong, such as one of "[ = ". It
// finds and says that later, unless it is ended here before, or the compiler is told that it cannot be.
#include <toml++/impl/preprocessor.h>
#undef TOML_ASSERT
#undef TOML_ASSERT_ASSUME
#define TOML_ASSERT(condition) static_assert(true)
#define TOML_ASSERT_ASSUME(condition) static_assert(true)
#include <toml++/toml.h>

namespace canang::app {

namespace {

static_assert(TOML_MAX_NESTED_VALUES == max_nested_values);

/// Tables in each other that are looked at: [namespaces.NAME] is the second, and what is in it the third.
constexpr unsigned deepest_table = 3;

text_place place_of(const toml::source_position& at) {
  return {std::max<std::uint32_t>(at.line, 1), std::max<std::uint32_t>(at.column, 1)};
}

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

text_place place_of(std::string_view text, std::size_t offset) {
  const auto before = text.substr(0, offset);
  const auto line_start = before.rfind('\n') + 1; // 0 where there is none
  return {
    1 + static_cast<std::uint32_t>(std::count(before.begin(), before.end(), '\n')),
    1
      + static_cast<std::uint32_t>(std::count_if(
        before.begin() + static_cast<std::ptrdiff_t>(line_start), before.end(), begins_character))};
}

/// toml++ looks at 32 bytes at once, so its place is only near it.
std::optional<text_fault> find_bad_utf8(std::string_view text) {
  net::utf8_checker checker;
  std::size_t start = 0; // of the character that is being read
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (checker.is_whole())
      start = i;
    if (!checker.feed({text.data() + i, 1}))
      return text_fault{place_of(text, start), "the file is not valid UTF-8 here"};
  }
  if (!checker.is_whole())
    return text_fault{place_of(text, start), "the file ends within a character of UTF-8"};
  return std::nullopt;
}

std::optional<text_fault> find_too_many_dots(std::string_view text) {
  std::size_t start = 0;
  for (std::uint32_t line = 1; start < text.size(); ++line) {
    const auto end = std::min(text.find('\n', start), text.size());
    const auto content = text.substr(start, end - start);
    if (static_cast<std::size_t>(std::count(content.begin(), content.end(), '.')) > max_dots_a_line)
      return text_fault{
        {line, 1},
        fmt::format("more than {} dots in one line: break the list into several", max_dots_a_line)};
    start = end + 1;
  }
  return std::nullopt;
}

/// What stands in quotes in an error of toml++ is a character, or what was read of the text: of that no more
/// than of a character, unless it names a key.
std::string without_values(std::string_view description) {
  static constexpr std::size_t longest_character = 6; // as it escapes them: \u001F
  static constexpr std::string_view preface = "Error while parsing ";
  std::string shown;
  if (description.starts_with(preface))
    description.remove_prefix(preface.size());
  const bool names_key = description.find("redefine") != std::string_view::npos
                         || description.find("insert") != std::string_view::npos;
  while (!names_key) {
    const auto open = description.find('\'');
    const auto close = open == std::string_view::npos ? open : description.find('\'', open + 1);
    if (close == std::string_view::npos)
      break;
    shown += description.substr(0, open + 1);
    if (close - open - 1 <= longest_character)
      shown += description.substr(open + 1, close - open - 1);
    else
      shown += "...";
    shown += '\'';
    description.remove_prefix(close + 1);
  }
  return shown.append(description);
}

std::string_view line_of(std::string_view text, std::uint32_t wanted) {
  for (std::uint32_t line = 1; line < wanted && !text.empty(); ++line)
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  return text.substr(0, text.find('\n'));
}

std::string_view without_leading_blanks(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return text;
}

/// Whether a value of TOML may begin like this, or be a number.
bool may_be_value(std::string_view text) {
  if (text.starts_with("[:")) // an IPv6 address
    return false;
  const auto end = std::min(text.find_first_of(" \t\r#"), text.size());
  return text.empty() || std::string_view{"\"'[{#\r"}.find(text.front()) != std::string_view::npos
         || text.substr(0, end).find_first_not_of("0123456789+-_.eE") == std::string_view::npos;
}

/// The key of a line as files of this service were before they were TOML: `name=value`, the value without
/// quotes. Empty where the line is none.
std::string_view key_of_old_line(std::string_view line) {
  line = without_leading_blanks(line);
  const auto key = line.substr(0, line.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"));
  line = without_leading_blanks(line.substr(key.size()));
  if (key.empty() || !line.starts_with('='))
    return {};
  return may_be_value(without_leading_blanks(line.substr(1))) ? std::string_view{} : key;
}

text_fault fault_of(const toml::parse_error& error, std::string_view text) {
  const auto at = place_of(error.source().begin);
  const auto line = line_of(text, at.line);
  const auto has = [&error](std::string_view part) {
    return error.description().find(part) != std::string_view::npos;
  };
  const auto indent = line.size() - without_leading_blanks(line).size();
  if (has("cannot redefine")) // toml++ tells where its value ends
    return {{at.line, static_cast<std::uint32_t>(1 + indent)},
            without_values(error.description().substr(error.description().find("cannot")))};
  if (const auto key = key_of_old_line(line); !key.empty())
    return {at, fmt::format("not TOML: values are quoted now, as in {} = \"...\"", key)};
  if (has("unescaped control characters") && at.column > line.size())
    return {at, "the text is not closed: a quote is missing at its end"};
  return {at, without_values(error.description())};
}

void fill_table(toml_value& into, const toml::table& from, unsigned depth);

void fill_list(toml_value& into, const toml::array& from) {
  for (const auto& item : from) {
    const auto* const text = item.as_string();
    if (text == nullptr)
      return;
    into.items.push_back(text->get());
  }
  into.what = toml_value::kind::list;
}

toml_value value_of(const toml::node& from, unsigned depth) {
  toml_value value;
  value.at = place_of(from.source().begin);
  if (const auto* const text = from.as_string()) {
    value.what = toml_value::kind::text;
    value.text = text->get();
  } else if (const auto* const integer = from.as_integer()) {
    value.what = toml_value::kind::integer;
    value.text = std::to_string(integer->get());
  } else if (const auto* const boolean = from.as_boolean()) {
    value.what = toml_value::kind::boolean;
    value.text = boolean->get() ? "true" : "false";
  } else if (const auto* const list = from.as_array()) {
    fill_list(value, *list);
  } else if (const auto* const table = from.as_table(); table != nullptr && depth < deepest_table) {
    fill_table(value, *table, depth + 1);
  }
  return value;
}

/// toml++ sorts by key; people read from the top.
void fill_table(toml_value& into, const toml::table& from, unsigned depth) {
  into.what = toml_value::kind::table;
  for (const auto& [key, node] : from)
    into.entries.push_back(
      {std::string{key.str()}, place_of(key.source().begin), value_of(node, depth)});
  std::sort(into.entries.begin(), into.entries.end(),
            [](const toml_entry& a, const toml_entry& b) { return a.at < b.at; });
}

} // namespace

std::variant<toml_value, text_fault> read_toml(std::string_view text) {
  if (text.size() > max_toml_bytes)
    return text_fault{{}, fmt::format("the file has more than {} bytes", max_toml_bytes)};
  if (auto fault = find_bad_utf8(text))
    return std::move(*fault);
  if (auto fault = find_too_many_dots(text))
    return std::move(*fault);
  const auto parsed = toml::parse(text);
  if (!parsed)
    return fault_of(parsed.error(), text);
  toml_value document;
  fill_table(document, parsed.table(), 0);
  return document;
}

} // namespace canang::app
