#pragma once

#include "cluster/control/wire.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace canang::cluster {

/// The first line of what nodes tell each other, which has words: the version, the sender's run, the kind, a number, and
/// what the kind says. Without its end.
[[nodiscard]] inline std::string begin_line(std::string_view node, char kind, std::uint64_t number,
                                            std::string_view word) {
  auto line = std::to_string(control_version);
  line += ' ';
  line += node;
  line += ' ';
  line += kind;
  line += ' ';
  line += std::to_string(number);
  line += ' ';
  line += word;
  return line;
}

/// Takes a word of such a line; it may be the last one.
[[nodiscard]] inline std::string_view take_word(std::string_view& line) {
  const auto end = line.find(' ');
  const auto word = line.substr(0, end);
  line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  return word;
}

} // namespace canang::cluster
