// JWK Sets: whatever they say, the keys that come of them are few, and hold nothing that is not signed.

#include "net/auth/jwks.hpp"

#include "net/auth/token_limits.hpp"
#include "tests/fuzz/fuzz_input.hpp"

#include <string>

namespace {

using namespace canang::net;
using canang::fuzz::require;

void look_at(const token_key& key) {
  require(key.id().size() <= max_key_id_bytes, "a kid is short");
  int served = 0;
  for (std::size_t i = 0; i < token_algorithm_count; ++i) {
    const auto algorithm = static_cast<token_algorithm>(i);
    if (!key.serves(algorithm))
      continue;
    ++served;
    const auto size = facts_of(algorithm).signature_size;
    require(!key.holds(algorithm, "text", std::string(size == 0 ? 256 : size, '\1')),
            "a made-up signature does not hold");
  }
  require(served >= 1 && served <= 3, "a key serves the algorithms of one kind");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  canang::fuzz::input in{data, size};
  const auto read = parse_jwks(canang::fuzz::text_of(in.all(max_key_set_bytes + 1)));
  if (const auto* const fault = std::get_if<std::string>(&read)) {
    require(!fault->empty() && fault->find('\n') == std::string::npos, "a refusal is one line");
    return 0;
  }
  const auto& set = std::get<jwk_set>(read);
  require(!set.keys.empty() && set.keys.size() <= max_token_keys, "keys are some and few");
  for (const auto& key : set.keys)
    look_at(key);
  return 0;
}
