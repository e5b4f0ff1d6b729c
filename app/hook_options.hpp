#pragma once

#include "net/hooks/hook_settings.hpp"

#include <string>

namespace canang::app {

class option_adder;

/// Adds the options of what the operator's program is asked about clients.
void add_hook_options(option_adder& adder, net::hook_settings& into);

/// A line for the log, where a program is asked in a way that others can see or change; else nothing.
[[nodiscard]] std::string hook_warning(const net::hook_settings& of);

} // namespace canang::app
