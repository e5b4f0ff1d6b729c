#include "net/auth/proof.hpp"

#include <array>

namespace canang::net {

std::string_view to_string(proof what) noexcept {
  static constexpr std::array<std::string_view, proof_count> names{"good", "missing", "bad",
                                                                   "expired", "unavailable"};
  return names[static_cast<std::size_t>(what)];
}

} // namespace canang::net
