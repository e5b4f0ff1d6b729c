#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace canang::cluster {

struct name_hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view name) const noexcept {
    return std::hash<std::string_view>{}(name);
  }
};

/// A map by name that is searched with a view, without making a string of it.
template <class Value>
using name_map = std::unordered_map<std::string, Value, name_hash, std::equal_to<>>;

} // namespace canang::cluster
