#include "bench/load/checker.hpp"

namespace canang::load {

void oddities::add(const oddities& other) noexcept {
  reordered += other.reordered;
  doubled += other.doubled;
  misrouted += other.misrouted;
  corrupt += other.corrupt;
  foreign += other.foreign;
}

verdict member_checker::accept_odd(std::string_view message) {
  payload::header h;
  if (!payload::decode(message, h) || h.run != rules_->run) {
    ++odd_.foreign;
    return verdict::foreign;
  }
  const bool sound = message.size() == rules_->message_size && h.publisher < rules_->publishers
                     && message.substr(payload::header_size)
                          == std::string_view{payload::filler_text(h.sequence),
                                              message.size() - payload::header_size};
  if (!sound) {
    ++odd_.corrupt;
    return verdict::corrupt;
  }
  if (h.room != rules_->room) {
    ++odd_.misrouted;
    return verdict::misrouted;
  }
  return accept_out_of_turn(h.publisher, h.sequence);
}

verdict member_checker::accept_out_of_turn(std::uint32_t publisher, std::uint32_t sequence) {
  auto& next = next_[publisher];
  if (sequence >= next) {
    missing_count_ += sequence - next;
    if (sequence > next && gaps_.size() < max_gaps)
      gaps_.push_back({publisher, next, sequence});
    next = sequence + 1;
    fold(publisher, sequence);
    ++received_;
    return verdict::after_gap;
  }
  if (!take_missing(publisher, sequence)) {
    ++odd_.doubled;
    return verdict::doubled;
  }
  ++odd_.reordered;
  fold(publisher, sequence);
  ++received_;
  --missing_count_;
  return verdict::late;
}

bool member_checker::take_missing(std::uint32_t publisher, std::uint32_t sequence) {
  for (std::size_t i = gaps_.size(); i-- > 0;) {
    const gap g = gaps_[i];
    if (g.publisher != publisher || sequence < g.from || sequence >= g.to)
      continue;
    gaps_.erase(gaps_.begin() + static_cast<std::ptrdiff_t>(i));
    if (g.from < sequence)
      gaps_.push_back({publisher, g.from, sequence});
    if (sequence + 1 < g.to)
      gaps_.push_back({publisher, sequence + 1, g.to});
    return true;
  }
  return false;
}

std::uint64_t member_checker::behind(std::span<const std::uint32_t> sent) const noexcept {
  std::uint64_t count = 0;
  if (rules_->full) {
    for (std::size_t i = 0; i < sent.size(); ++i)
      if (sent[i] > next_[i])
        count += sent[i] - next_[i];
    return count;
  }
  for (auto s : sent)
    count += s;
  return count > received_ ? count - received_ : 0;
}

} // namespace canang::load
