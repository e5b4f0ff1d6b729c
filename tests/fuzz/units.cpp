// Durations, sizes and addresses of the configuration.

#include "app/units.hpp"

#include "tests/fuzz/fuzz_input.hpp"

#include <sstream>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using canang::fuzz::require;
  canang::fuzz::input in{data, size};
  const auto text = canang::fuzz::text_of(in.all(256));
  if (const auto duration = canang::app::parse_duration(text)) {
    require(duration->count() >= 0 && duration->count() <= 315'360'000'000, "ten years at most");
    const auto again = canang::app::parse_duration(std::to_string(duration->count()) + "ms");
    require(again == duration, "a duration in milliseconds is the same");
  }
  if (const auto bytes = canang::app::parse_size(text); bytes && *bytes <= UINT32_MAX)
    require(canang::app::parse_size(std::to_string(*bytes)) == bytes,
            "a size in bytes is the same");
  if (const auto endpoint = canang::app::parse_address(text)) {
    std::ostringstream shown;
    shown << *endpoint;
    require(canang::app::parse_address(shown.str()) == endpoint, "an address as shown is the same");
  }
  return 0;
}
