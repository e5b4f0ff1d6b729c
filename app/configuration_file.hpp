#pragma once

#include "app/toml_document.hpp"
#include "cluster/room_settings.hpp"

#include <cstddef>
#include <string>

namespace CLI {
class App;
class Option;
} // namespace CLI

namespace canang::app {

/// The file of `--config`: what its top-level keys say becomes what the options of these names were given, what
/// `[rooms]` and `[namespaces.NAME]` say becomes settings of rooms. Whatever is wrong is a `bad_option` that
/// begins with file, line and column.
class configuration_file {
public:
  /// Reads it from the disk.
  explicit configuration_file(std::string path);

  /// Gives an app's options what the file says of them, but for those that have been given something: by a
  /// flag or the environment. They take it at once, as those do when they are parsed.
  void apply_options(CLI::App& app) const;

  /// Reads the tables of rooms over what `table` has.
  void apply_rooms(std::size_t max_message_bytes, cluster::room_settings_table& table) const;

private:
  [[noreturn]] void refuse(const text_fault& fault, int exit_code = 2) const;
  [[noreturn]] void refuse(const toml_entry& entry, const std::string& why) const;
  [[nodiscard]] CLI::Option& option_of(CLI::App& app, const toml_entry& entry) const;
  void give(CLI::Option& option, const toml_entry& entry) const;

  std::string path_;
  toml_value document_;
};

} // namespace canang::app
