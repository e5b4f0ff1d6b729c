#pragma once

#include <string_view>

/// The scripts that Redis runs, from cluster/rooms/scripts/*.lua: what they take and answer is said there.

namespace canang::cluster::scripts {

extern const std::string_view publish;
extern const std::string_view read;
extern const std::string_view positions;
extern const std::string_view presence;
extern const std::string_view leave;
extern const std::string_view reap;
extern const std::string_view lease;
extern const std::string_view sweep;
extern const std::string_view bury;
extern const std::string_view release;
extern const std::string_view unordered;
extern const std::string_view history;
extern const std::string_view remove;
extern const std::string_view acts_read;
extern const std::string_view acts_write;

} // namespace canang::cluster::scripts
