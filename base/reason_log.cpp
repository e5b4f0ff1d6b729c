#include "base/reason_log.hpp"

#include <utility>

namespace canang {

std::optional<std::uint64_t> reason_log::note(std::string_view reason, clock::time_point now) {
  if (now - counted_from_ >= repeat_after) {
    counted_from_ = now;
    changes_ = 0;
  }
  const bool is_change = reason != current_;
  if (is_change)
    current_ = reason;
  const bool is_new = is_change && changes_ < most_changes;
  if (!is_new && now - said_at_ < repeat_after) {
    ++unsaid_;
    return std::nullopt;
  }
  changes_ += is_change ? 1 : 0;
  said_at_ = now;
  return std::exchange(unsaid_, 0);
}

} // namespace canang
