#pragma once

#include "base/trace_context.hpp"
#include "cluster/broker.hpp"
#include "cluster/publication.hpp"
#include "net/tracing/span.hpp"

#include <optional>
#include <string>

namespace canang::actors {

/// Has a publication followed wherever it goes: by a tag, where it has a place for one. Before it is shared.
/// @returns the span of its way to the broker, which has just begun.
[[nodiscard]] net::span follow(cluster::publication& message, const std::string& room,
                               const trace_context& parent);

/// The same span, which has just ended.
[[nodiscard]] net::span ended(net::span to_broker, const cluster::publish_outcome& outcome);

/// What a publication is a part of; nothing where it is not followed.
[[nodiscard]] std::optional<trace_context> trace_of(const cluster::publication& message);

} // namespace canang::actors
