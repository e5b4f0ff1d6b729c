#pragma once

#include <string>

namespace canang::app {

/// Logs go to standard output through a background thread; when it cannot keep up, the oldest lines
/// are lost rather than a loop held up.
/// @param format "text" or "json"; a line of the latter is an object with `ts`, `level` and `msg`.
void set_up_logging(const std::string& level, const std::string& format);

/// Writes what is queued and ends the background thread. Nobody may log any more.
void end_logging();

/// Waits a moment for what is queued to be written, for an end in which other threads still log.
void drain_logging();

} // namespace canang::app
