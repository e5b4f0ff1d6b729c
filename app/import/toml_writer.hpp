#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace canang::app {

/// A text as TOML's basic string, with its quotes (TOML 1.0, "String"). `text` is UTF-8.
[[nodiscard]] std::string toml_text(std::string_view text);

/// Whether a text may stand in the file as it is: it has neither control characters nor more bytes or dots than
/// a line may have.
[[nodiscard]] bool is_writable(std::string_view text);

/// Writes a configuration file from top to bottom.
class toml_writer {
public:
  /// A comment, in as many lines as it takes. Whatever is not for the eye in it is escaped.
  void note(std::string_view text);

  /// `key = literal`, and where that is `from`.
  void line(std::string_view key, std::string_view literal, std::string_view from);

  /// A list of texts; one alone is written as a text.
  void list(std::string_view key, const std::vector<std::string>& items, std::string_view from);

  void blank() { text_ += '\n'; }

  /// Begins a table, of which `name` is the last part of the name.
  void table(std::string_view before, std::string_view name);

  [[nodiscard]] const std::string& text() const noexcept { return text_; }

private:
  void end_line(std::string_view from);

  std::string text_;
};

} // namespace canang::app
