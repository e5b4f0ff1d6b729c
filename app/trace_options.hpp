#pragma once

#include "net/tracing/trace_settings.hpp"

#include <string>

namespace canang::app {

class option_adder;

/// Whom traces are told, and which.
void add_trace_options(option_adder& adder, net::trace_settings& into);

/// What an operator should know about these settings; empty if nothing.
[[nodiscard]] std::string trace_warning(const net::trace_settings& of);

} // namespace canang::app
