#pragma once

#include "net/hooks/hook_source.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace canang::test {

/// Notes what it is asked and told.
struct fake_hooks final : net::hook_source {
  std::vector<net::hook_kind> kinds; ///< that somebody is asked or told
  std::vector<std::string> headers;
  std::vector<net::hook_order> orders;
  std::vector<net::hook_event> events;
  bool is_open = false;

  [[nodiscard]] bool has(net::hook_kind what) const noexcept override {
    return std::find(kinds.begin(), kinds.end(), what) != kinds.end();
  }
  void ask(net::hook_order&& order) override { orders.push_back(std::move(order)); }
  void tell(net::hook_event&& event) override { events.push_back(std::move(event)); }
  [[nodiscard]] bool fails_open() const noexcept override { return is_open; }
  [[nodiscard]] const std::vector<std::string>& passed_headers() const noexcept override {
    return headers;
  }
};

} // namespace canang::test
