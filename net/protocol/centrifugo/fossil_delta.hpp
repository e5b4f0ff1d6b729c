#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// Deltas of the Fossil format (https://fossil-scm.org/home/doc/tip/www/delta_format.wiki): what makes one text of
/// another, as copies of its parts and as what is new.

namespace canang::net::centrifugo {

/// Where a target may be cut.
enum class delta_cuts : std::uint8_t {
  anywhere,
  between_characters, ///< of UTF-8, which the delta of two such texts then is too
};

/// Appends the delta that makes `target` of `source`, if it is shorter than `target`. Both are shorter than 1 GiB.
/// The time is proportional to the length of both, whatever is in them; the memory is the thread's, and is kept
/// for the next call unless it is large.
/// @returns false when there is none: then `out` is as it was.
[[nodiscard]] bool append_fossil_delta(std::string& out, std::string_view source,
                                       std::string_view target, delta_cuts cuts);

} // namespace canang::net::centrifugo
