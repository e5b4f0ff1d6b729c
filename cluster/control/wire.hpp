#pragma once

#include "cluster/control/command.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace canang::cluster {

/// How commands and their answers travel on control channels: a line `VERSION NODE KIND NUMBER WORD...\n`, where NODE is
/// the run of the node that sends it and NUMBER that of the command. A command has the kind `c`, its name as
/// the word, and behind the line its fields, each as 2 bytes length (little endian) and its bytes. An answer has the
/// kind `a`, and as words `done` or `unsupported` and how many connections it was about.

/// The version that this node writes, and the only one that it reads.
inline constexpr std::uint64_t control_version = 1;

/// A command of this version that this node does not know: of a newer release.
struct unknown_command {};

/// What a node answers to a command.
struct control_answer {
  control_outcome outcome = control_outcome::done; ///< or `unsupported`
  std::uint64_t count = 0;

  friend bool operator==(const control_answer&, const control_answer&) = default;
};

/// What came on a control channel.
struct control_message {
  std::string node; ///< who sends it
  std::uint64_t number = 0;
  std::variant<control_command, unknown_command, control_answer> content{};
};

enum class control_wire_errc : std::uint8_t {
  none,
  foreign,   ///< not a control message at all
  version,   ///< of a version that this node does not read
  malformed, ///< it says what cannot be, ends too early, or is too long
};

/// Whether names, reason and code of a command are within their limits.
[[nodiscard]] bool is_valid(const control_command& command) noexcept;

[[nodiscard]] std::string encode(std::string_view node, std::uint64_t number,
                                 const control_command& command);
[[nodiscard]] std::string encode(std::string_view node, std::uint64_t number,
                                 const control_answer& answer);

[[nodiscard]] control_wire_errc read_control_message(std::string_view bytes, control_message& into);

} // namespace canang::cluster
