#pragma once

#include "cluster/control/relayed_message.hpp"
#include "cluster/control/wire.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace canang::cluster {

/// How relayed messages and what became of them travel on control channels, beside commands: lines as those have, with
/// the kind `m`, the session as the word and the message itself behind the line; and with the kind `o` and the outcome
/// as the word. View of the bytes that were read.
struct relay_envelope {
  struct said {
    std::string_view session;
    std::string_view data;
  };

  std::string_view node; ///< who sends it
  std::uint64_t number = 0;
  std::variant<said, relay_outcome> content{};
};

[[nodiscard]] std::string encode_relayed(std::string_view node, std::uint64_t number,
                                         const relayed_message& message);
[[nodiscard]] std::string encode_outcome(std::string_view node, std::uint64_t number,
                                         relay_outcome outcome);

/// `foreign` where it is neither of the two: it may be a command.
[[nodiscard]] control_wire_errc read_relayed(std::string_view bytes, relay_envelope& into);

} // namespace canang::cluster
