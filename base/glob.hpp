#pragma once

#include <string_view>

namespace canang {

/// Whether `text` is what `glob` describes: `*` is any number of bytes, `?` one. In a time of at most their lengths'
/// product.
[[nodiscard]] bool matches_glob(std::string_view glob, std::string_view text) noexcept;

} // namespace canang
