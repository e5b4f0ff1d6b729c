// Deltas of any two payloads: applied, they make the one of the other.

#include "net/protocol/centrifugo/fossil_delta.hpp"

#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/utf8.hpp"
#include "tests/support/fossil_apply.hpp"

#include <string>

namespace {

using canang::fuzz::require;
using canang::net::centrifugo::delta_cuts;

void check(std::string_view source, std::string_view target, delta_cuts cuts) {
  std::string delta;
  if (!canang::net::centrifugo::append_fossil_delta(delta, source, target, cuts)) {
    require(delta.empty(), "nothing is left of a delta that is none");
    return;
  }
  require(delta.size() < target.size(), "a delta is shorter than what it makes");
  require(canang::test::apply_fossil_delta(source, delta) == target, "it makes the target");
  if (cuts == delta_cuts::between_characters && canang::fuzz::decode_utf8(target))
    require(canang::fuzz::decode_utf8(delta).has_value(), "the delta of a text is a text");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  canang::fuzz::input in{data, size};
  const auto cut = static_cast<std::size_t>(in.byte() | in.byte() << 8);
  const auto source = canang::fuzz::text_of(in.take(cut));
  const auto target = canang::fuzz::text_of(in.all(16 * 1024));
  for (const auto cuts : {delta_cuts::anywhere, delta_cuts::between_characters}) {
    check(source, target, cuts);
    check(target, source, cuts);
  }
  return 0;
}
