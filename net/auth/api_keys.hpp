#pragma once

#include "base/shared_value.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::net {

/// Keys that count at the same time, at most: rotation needs two, and each request is compared with all.
inline constexpr std::size_t max_api_keys = 64;

/// The keys of the server API; several of them count at once, so that one can be replaced while its users still
/// have the old one. They may be changed while nodes run. From any thread.
class api_keys {
public:
  explicit api_keys(std::vector<std::string> first) { set(std::move(first)); }

  void set(std::vector<std::string> next) {
    keys_.store(std::make_shared<const std::vector<std::string>>(std::move(next)));
  }

  [[nodiscard]] bool is_empty() const { return keys_.load()->empty(); }

  /// Whether `given` is one of them, in a time that tells nothing of which, nor of how much of one is right.
  [[nodiscard]] bool allow(std::string_view given) const;

private:
  shared_value<std::shared_ptr<const std::vector<std::string>>> keys_;
};

} // namespace canang::net
