#pragma once

#include <string_view>

namespace canang::app {

/// Why a key of Centrifugo, in lower case, has no equivalent: a sentence without its end.
[[nodiscard]] std::string_view why_not_translated(std::string_view name) noexcept;

} // namespace canang::app
