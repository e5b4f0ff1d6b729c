#pragma once

#include "bench/load/dialect.hpp"
#include "bench/load/payload.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace canang::load {

/// Notes what a dialect finds.
struct found final : dialect_events {
  std::vector<std::string> publications;
  std::vector<std::string> replies;
  std::string refused;
  int joined = 0;

  void on_publication(std::string_view payload) override { publications.emplace_back(payload); }
  void on_joined() override { ++joined; }
  void on_reply(std::string_view message) override { replies.emplace_back(message); }
  void on_refused(std::string_view why) override { refused = why; }
};

/// A message as canang-load sends it.
inline std::string sample(std::size_t size) {
  payload::reserve_filler(size);
  std::string text;
  payload::encode({0xABCDEF, 7, 3, 12345, 987654321}, size, text);
  return text;
}

} // namespace canang::load
