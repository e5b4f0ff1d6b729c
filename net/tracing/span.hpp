#pragma once

#include "base/trace_context.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace canang::net {

/// On which side of what a span stands; the numbers are those of OTLP.
enum class span_kind : std::uint8_t { server = 2, client = 3, producer = 4, consumer = 5 };

/// A name that lives as long as the program, and a value.
using span_attribute = std::pair<std::string_view, std::variant<std::int64_t, std::string>>;

/// A step of a trace: what took from when to when.
struct span {
  using clock = std::chrono::steady_clock;

  trace_context at{};       ///< itself
  std::uint64_t parent = 0; ///< the span that it is a part of; 0: none
  span_kind kind = span_kind::server;
  std::string name{};
  clock::time_point began{};
  clock::time_point ended{};
  std::vector<span_attribute> attributes{};
  std::string fault{}; ///< in a few words; empty: none
};

} // namespace canang::net
