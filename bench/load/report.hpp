#pragma once

#include "bench/load/options.hpp"
#include "bench/load/results.hpp"

#include <string>
#include <string_view>

namespace canang::load {

/// The results for a person, several lines.
std::string summary(const options& o, const results& r);

/// The results for a program: one JSON object. Times are seconds or microseconds, as the keys say.
std::string json(const options& o, const results& r);

/// Writes text to a file, to stdout when its name is "-"; throws std::runtime_error.
void write_file(const std::string& name, std::string_view text);

} // namespace canang::load
