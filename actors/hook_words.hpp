#pragma once

#include "net/hooks/hook_answer.hpp"
#include "net/protocol/commands.hpp"

#include <cstdint>
#include <variant>

/// What came of a question to the operator's program, for a connection. Private to its files.

namespace canang::actors {

[[nodiscard]] inline const net::hook_refusal*
refusal_of(const net::hook_outcome& outcome) noexcept {
  return std::get_if<net::hook_refusal>(&outcome);
}

[[nodiscard]] inline bool is_without_answer(const net::hook_outcome& outcome) noexcept {
  return std::holds_alternative<net::hook_fault>(outcome);
}

/// Where operators let clients in as long as nobody is there to be asked.
[[nodiscard]] inline bool is_absent(const net::hook_outcome& outcome) noexcept {
  const auto* const fault = std::get_if<net::hook_fault>(&outcome);
  return fault != nullptr && fault->is_absent;
}

/// A yes whose time is over is a no, in Centrifugo's words.
/// @param now_s Unix time in seconds
inline void refuse_if_over(net::hook_outcome& outcome, std::int64_t now_s) {
  const auto* const told = std::get_if<net::hook_result>(&outcome);
  if (told != nullptr && told->expires_at && *told->expires_at <= now_s)
    outcome = net::hook_refusal{.code = 110, .text = "expired"};
}

[[nodiscard]] inline bool is_disconnect(const net::hook_outcome& outcome) noexcept {
  const auto* const refusal = refusal_of(outcome);
  return refusal != nullptr && refusal->is_disconnect;
}

/// Without an answer it is what Centrifugo's clients try again.
[[nodiscard]] inline net::worded_fault words_of(const net::hook_outcome& outcome) noexcept {
  if (const auto* const refusal = refusal_of(outcome))
    return {.code = refusal->code, .text = refusal->text, .is_temporary = refusal->is_temporary};
  return {.code = 100, .text = "internal server error", .is_temporary = true};
}

/// For protocols that have no words for errors.
[[nodiscard]] inline net::command_fault fault_of_words(const net::worded_fault& worded) noexcept {
  return worded.is_temporary ? net::command_fault::unavailable : net::command_fault::not_allowed;
}

} // namespace canang::actors
