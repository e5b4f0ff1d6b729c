#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace canang::app {

/// Largest configuration file, in bytes: thousands of namespaces, and a slip such as a log's name is refused
/// before it is read into memory.
inline constexpr std::size_t max_toml_bytes = 256 * 1024;

/// Dots in a line, at most. Each may be a table in a table, and the parser takes these apart recursively: a
/// line of dots must not overflow the stack. Lists can be broken into several lines.
inline constexpr std::size_t max_dots_a_line = 200;

/// Arrays and inline tables in each other, at most, for the same reason; no setting has more than two.
inline constexpr std::size_t max_nested_values = 8;

/// Where something stands in a text; both count from 1, columns in characters.
struct text_place {
  std::uint32_t line = 1;
  std::uint32_t column = 1;

  friend auto operator<=>(const text_place&, const text_place&) = default;
};

/// What is wrong with a text, in one line, and where.
struct text_fault {
  text_place at;
  std::string what;
};

struct toml_entry;

/// A value as far as settings have such ones.
struct toml_value {
  enum class kind : std::uint8_t {
    text,
    integer,
    fraction,
    boolean,
    list, ///< of texts
    table,
    unusable, ///< valid TOML that no setting has: a date, a list of something else
  };

  kind what = kind::unusable;
  text_place at;
  std::string text{}; ///< of a text; numbers in decimal digits, booleans as `true` or `false`
  std::vector<std::string> items{}; ///< of a list
  std::vector<toml_entry> entries;  ///< of a table, in the order of the text

  [[nodiscard]] bool is_scalar() const noexcept { return what <= kind::boolean; }
};

struct toml_entry {
  std::string key;
  text_place at;
  toml_value value;
};

/// Reads TOML 1.0 (https://toml.io/en/v1.0.0): what it says, as a table, or what is wrong with it. No text of a
/// value is in a fault's line, since it may be a password. Tables that are deeper than settings go are
/// `unusable`.
[[nodiscard]] std::variant<toml_value, text_fault> read_toml(std::string_view text);

} // namespace canang::app
