#pragma once

#include "net/tracing/span.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace canang::net {

/// Who the spans are of.
struct trace_resource {
  std::string service{};  ///< `service.name`
  std::string version{};  ///< `service.version`
  std::string instance{}; ///< `service.instance.id`
};

/// The body of a request with spans: JSON of OTLP (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding).
/// @param offset_ns Unix time less that of the spans' clock
[[nodiscard]] std::string encode_spans(const trace_resource& resource, std::span<const span> spans,
                                       std::int64_t offset_ns);

/// How many spans a collector did not want, by its answer of status 200; 0 also where that cannot be read.
/// @param why gets what it says of that
[[nodiscard]] std::uint64_t rejected_spans(std::string_view answer, std::string& why);

} // namespace canang::net
