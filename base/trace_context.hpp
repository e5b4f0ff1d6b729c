#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace canang {

/// A place in a trace: which trace, and which span of it. As in W3C Trace Context (https://www.w3.org/TR/trace-context/).
struct trace_context {
  std::uint64_t trace_high = 0; ///< with `trace_low` the trace's id, which is not 0
  std::uint64_t trace_low = 0;
  std::uint64_t span = 0; ///< the span's id, which is not 0
  bool is_sampled = false;

  friend bool operator==(const trace_context&, const trace_context&) = default;
};

/// Reads `traceparent`: of version 00 strictly, of later ones their first four fields (3.2.2 and 4 there).
/// @returns nothing where it is not well-formed.
[[nodiscard]] std::optional<trace_context> parse_traceparent(std::string_view text) noexcept;

/// As `parse_traceparent` reads it, of version 00.
[[nodiscard]] std::string to_traceparent(const trace_context& at);

/// The trace's id: 32 hexadecimal digits.
[[nodiscard]] std::string trace_id_of(const trace_context& at);

/// A trace of its own, with its first span; ids are random. From any thread.
[[nodiscard]] trace_context new_trace();

/// A new span of the same trace.
[[nodiscard]] trace_context child_of(const trace_context& parent);

} // namespace canang
