#pragma once

#include "base/name_hash.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace canang {

/// A map by a name that a client chose: of a room, a user, an idempotency key. It is searched with a
/// view, without making a string of it.
template <class Value>
using name_map = std::unordered_map<std::string, Value, name_hash, std::equal_to<>>;

/// The same of names that are kept elsewhere as long as the map is there.
template <class Value>
using name_view_map = std::unordered_map<std::string_view, Value, name_hash, std::equal_to<>>;

/// Likewise a set.
using name_set = std::unordered_set<std::string, name_hash, std::equal_to<>>;

} // namespace canang
