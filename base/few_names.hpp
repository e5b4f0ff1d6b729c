#pragma once

#include "base/name_map.hpp"

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

namespace canang {

/// The names that were added last, up to a number of them.
class few_names {
public:
  explicit few_names(std::size_t most) : most_(most) {}

  void insert(std::string_view name) {
    if (contains(name))
      return;
    if (in_order_.size() >= most_) {
      names_.erase(in_order_.front());
      in_order_.pop_front();
    }
    names_.emplace(name);
    in_order_.emplace_back(name);
  }

  [[nodiscard]] bool contains(std::string_view name) const { return names_.contains(name); }
  [[nodiscard]] std::size_t size() const noexcept { return in_order_.size(); }

private:
  std::size_t most_;
  name_set names_;
  std::deque<std::string> in_order_; // the oldest first
};

} // namespace canang
