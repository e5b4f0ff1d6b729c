#pragma once

#include <cstdint>
#include <string_view>

namespace canang::load {

/// What Canang's plain dialect sends with `meta=true` (docs/protocol.md), as far as a client that
/// resumes needs it. The views end with the text.
struct meta_frame {
  enum class kind : std::uint8_t {
    malformed,
    join,
    publication,
    event, ///< someone joined or left: it has a position like a publication
    error, ///< a publish of this client failed
  };

  kind what = kind::malformed;
  std::string_view epoch;
  std::uint64_t offset = 0;
  bool recovered = false;
  std::string_view text; ///< the publication's, an event's, or the error's code
};

/// Reads a frame whose publications need no escapes in JSON, as those of canang-load. Anything else
/// is `malformed`.
meta_frame parse_meta_frame(std::string_view text);

} // namespace canang::load
