#include "actors/node/memory_pressure.hpp"

#include <utility>

namespace canang::actors {

std::uint64_t memory_pressure::to_shed(std::uint64_t used_bytes, std::uint64_t let_go,
                                       clock::time_point now) noexcept {
  if (limit_bytes_ == 0 || now < next_)
    return 0;
  next_ = now + interval;
  const auto of_last_interval = let_go - std::exchange(let_go_before_, let_go);
  if (used_bytes < limit_bytes_)
    return 0;
  const auto excess = used_bytes - limit_bytes_ + limit_bytes_ / 16;
  return excess > of_last_interval ? excess - of_last_interval : 0;
}

} // namespace canang::actors
