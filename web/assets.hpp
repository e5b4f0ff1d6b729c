#pragma once

#include <span>
#include <string_view>

/// The files of this folder that browsers get, compiled into the binary by embed.cmake.
namespace canang::web {

/// One embedded file. All views point into static storage: they live as long as the program.
struct asset {
  std::string_view path;         ///< URL path, "/" for index.html
  std::string_view content_type; ///< value of Content-Type
  std::string_view etag;         ///< quoted, changes with the body
  std::string_view body;
};

/// All files of the public pages.
std::span<const asset> assets();

/// The file with this URL path ("/" is index.html), nullptr when there is none.
const asset* find_asset(std::string_view path);

/// The same of the console, which the internal port has: "/console" is its index.html, and "/console/..." the others.
std::span<const asset> console_assets();
const asset* find_console_asset(std::string_view path);

} // namespace canang::web
