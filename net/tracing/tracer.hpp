#pragma once

#include "net/tracing/span.hpp"

#include <cstdint>
#include <optional>

namespace canang::net {

/// Who is told the spans of traces. From any thread; never waits. Where nobody is, there is no tracer: a null pointer.
class tracer {
public:
  virtual ~tracer() = default;

  /// For what comes without a trace: a new one, or nothing where it is not to be followed.
  [[nodiscard]] virtual std::optional<trace_context> begin() = 0;

  /// Whether one more would be taken now. To be asked before one is made that takes some making.
  [[nodiscard]] virtual bool has_place() const noexcept = 0;

  /// What comes when too many wait is lost, and counted.
  virtual void record(span&& ended) = 0;

  /// Counts spans as lost that were not even made.
  virtual void lose(std::uint64_t count) noexcept = 0;
};

} // namespace canang::net
