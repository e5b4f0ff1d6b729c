#pragma once

#include <cstddef>
#include <string_view>

namespace canang::net {

/// Goes through one JSON text (RFC 8259) from left to right and checks all that it passes. What it gives are views of
/// the text: nothing is copied, numbers of any size are taken, and time is linear. The text has to be UTF-8. An
/// escaped surrogate without its other half is JSON. On one thread; the text outlives it.
///
/// The first fault is for good: from then on there are no fields and no values.
class json_cursor {
public:
  /// @param max_depth nesting that is allowed; an object that holds only numbers is 1 deep.
  json_cursor(std::string_view text, std::size_t max_depth) noexcept
    : at_(text.data()), end_(text.data() + text.size()), max_depth_(max_depth) {}

  /// The first character of the next value, or '\0' where there is none. An object's is '{'.
  [[nodiscard]] char peek() noexcept;

  /// Passes the next value, of whatever kind.
  /// @returns it as it stands, a string with its quotes; empty after a fault.
  std::string_view value() noexcept;

  /// Passes `null`, if that is the next value.
  bool skip_null() noexcept;

  /// Goes into the next value, which has to be an object.
  void enter_object() noexcept;

  /// Goes to the next field of the object that was entered last; its value comes next and has to be passed.
  /// @param name as it stands, with its quotes.
  /// @returns false at the end of the object, which is passed then, or after a fault.
  bool next_field(std::string_view& name) noexcept;

  /// For the reader of the values: what it found is a fault.
  bool fail() noexcept;

  [[nodiscard]] bool is_good() const noexcept { return !has_failed_; }

  /// Whether all of the text was passed without a fault.
  [[nodiscard]] bool is_done() noexcept;

private:
  void skip_space() noexcept;
  bool take(char expected) noexcept;
  bool pass_value() noexcept;
  bool pass_object() noexcept;
  bool pass_array() noexcept;
  bool pass_string() noexcept;
  bool pass_escape() noexcept;
  bool pass_escaped_unit() noexcept;
  bool pass_number() noexcept;
  bool pass_digits() noexcept;
  bool pass_word(std::string_view word) noexcept;
  bool go_deeper() noexcept;

  const char* at_;
  const char* end_;
  std::size_t max_depth_;
  std::size_t depth_ = 0;
  bool is_at_first_ = false; ///< an object was entered, and none of its fields was asked for
  bool has_failed_ = false;
};

/// Writes what a string says, of which `raw` is known to be JSON and has its quotes: without them and without escapes.
/// An escaped surrogate without its other half becomes U+FFFD.
/// @param out has room for as many bytes as `raw` has.
/// @returns the end of what was written.
char* unescape_json(std::string_view raw, char* out) noexcept;

} // namespace canang::net
