#pragma once

#include <string>
#include <string_view>

namespace canang::app {

/// A configuration file, or a line that says why there is none.
struct centrifugo_import {
  std::string toml{};
  std::string fault{};
};

/// What a configuration of Centrifugo, version 5 or 6, in JSON means here: a file for `--config` that has each of
/// its keys translated, or in a comment with the reason. Secrets are not in it. Where Canang has nothing that
/// means the same, clients may do less rather than more.
[[nodiscard]] centrifugo_import import_centrifugo(std::string_view json);

/// `canang import-centrifugo FILE`: prints that of a file.
/// @returns the exit code: 0, or 1 with a line on standard error.
[[nodiscard]] int print_centrifugo_import(const std::string& path);

} // namespace canang::app
