#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace canang::net {

/// Names in one pattern, at most.
inline constexpr std::size_t max_path_values = 4;

class path_pattern;

/// What a path has in the places that a pattern names: views into the path, as it stands, still
/// percent-encoded. Takes no memory but its own.
class path_values {
public:
  /// Empty where the pattern does not name `name`.
  [[nodiscard]] std::string_view operator[](std::string_view name) const noexcept;

private:
  friend class path_pattern;

  const path_pattern* of_ = nullptr;
  std::array<std::string_view, max_path_values> values_{};
};

/// The paths that a route is for. Segments are literal (`/nodes`), `{name}`, which is one segment that is
/// not empty, or `{name*}`, which is one segment or more, slashes included, and may be empty: `/ws/{room*}` is
/// for `/ws/`, `/ws/a` and `/ws/a/b`, but not for `/ws`. At most one of those a pattern; others may
/// follow it. Literals are compared with the path as it stands, byte by byte. Immutable.
class path_pattern {
public:
  /// A bad pattern is a programmer's error and throws std::invalid_argument.
  explicit path_pattern(std::string text);

  /// Whether `path` is one of these; then `values` has what it named.
  [[nodiscard]] bool matches(std::string_view path, path_values& values) const noexcept;

  /// Whether this one is asked before `other`: at the first segment where they differ, a literal comes before a
  /// name, and a name before a rest; else the longer one first.
  [[nodiscard]] bool comes_before(const path_pattern& other) const noexcept;

  [[nodiscard]] const std::string& text() const noexcept { return text_; }

private:
  friend class path_values;

  enum class kind : unsigned char { literal, name, rest };

  struct segment {
    kind what;
    std::string text; // literal, or name without braces
  };

  static segment parse_segment(std::string_view text);
  [[nodiscard]] bool take(const segment& wanted, std::string_view found, path_values& values,
                          std::size_t& name) const noexcept;

  std::string text_;
  std::vector<segment> segments_;
  std::vector<std::string> names_;
};

} // namespace canang::net
