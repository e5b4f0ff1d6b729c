#include "actors/node/drain_pace.hpp"

#include <algorithm>
#include <random>
#include <utility>

namespace canang::actors {

drain_pace::drain_pace(std::vector<connection_id> who, clock::time_point begin,
                       clock::duration window, std::uint32_t seed)
  : who_(std::move(who)) {
  if (who_.empty())
    return;
  std::mt19937 random{seed};
  std::shuffle(who_.begin(), who_.end(), random);
  const auto count = static_cast<std::int64_t>(who_.size());
  const clock::duration enough = std::chrono::seconds{1} * count / min_rate;
  const auto share = std::min(window, enough) / count;
  std::uniform_int_distribution<clock::rep> within{0, std::max<clock::rep>(share.count() - 1, 0)};
  moments_.reserve(who_.size());
  for (std::int64_t i = 0; i < count; ++i)
    moments_.push_back(begin + share * i + clock::duration{within(random)});
}

} // namespace canang::actors
