#pragma once

#include <boost/asio/io_context.hpp>

#include <string_view>

namespace canang::net {

/// What a thread of its own does, until the context is stopped. A fault of ours costs the handler that has it, and a line
/// in the log; the next one goes on.
/// @param whose for the log: `the hooks`
void run_until_stopped(boost::asio::io_context& io, std::string_view whose);

} // namespace canang::net
