#pragma once

#include <charconv>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace canang::cluster {

// A command as Redis' protocol has it: an array of strings. Appended straight to a link's buffer,
// where hiredis' formatter would take two arrays, a buffer of its own and a copy.

/// `*3\r\n`, `$3\r\n`
inline void append_redis_header(std::string& out, char type, std::size_t number) {
  char text[24];
  text[0] = type;
  auto* end = std::to_chars(text + 1, text + sizeof text - 2, number).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out.append(text, end);
}

inline void append_redis_string(std::string& out, std::string_view text) {
  append_redis_header(out, '$', text.size());
  out.append(text);
  out.append("\r\n", 2);
}

inline void append_redis_command(std::string& out, std::span<const std::string_view> arguments) {
  append_redis_header(out, '*', arguments.size());
  for (const auto argument : arguments)
    append_redis_string(out, argument);
}

} // namespace canang::cluster
