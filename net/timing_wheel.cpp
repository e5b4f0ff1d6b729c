#include "net/timing_wheel.hpp"

#include <cassert>

namespace canang::net {

void timing_wheel::entry::cancel() noexcept {
  if (next_ == nullptr)
    return;
  previous_->next_ = next_;
  next_->previous_ = previous_;
  next_ = nullptr;
  previous_ = nullptr;
}

timing_wheel::anchor::anchor() noexcept {
  next_ = this;
  previous_ = this;
}

timing_wheel::anchor::~anchor() {
  while (next_ != this)
    next_->cancel();
}

timing_wheel::timing_wheel(clock::time_point now, std::chrono::milliseconds tick, std::size_t slots)
  : start_(now), tick_(tick), slots_(slots) {
  assert(tick.count() > 0 && slots > 0);
}

timing_wheel::~timing_wheel() = default;

void timing_wheel::link_before(entry& position, entry& item) noexcept {
  item.next_ = &position;
  item.previous_ = position.previous_;
  position.previous_->next_ = &item;
  position.previous_ = &item;
}

std::uint64_t timing_wheel::tick_of(clock::time_point deadline) const {
  const auto since_start = deadline - start_;
  if (since_start.count() <= 0)
    return current_ + 1;
  // rounded up: a deadline never fires early
  const auto ticks = static_cast<std::uint64_t>((since_start + tick_ - clock::duration{1}) / tick_);
  return ticks > current_ ? ticks : current_ + 1;
}

void timing_wheel::schedule(entry& item, clock::time_point deadline) {
  item.cancel();
  item.tick_ = static_cast<std::uint32_t>(tick_of(deadline));
  link_before(slots_[item.tick_ % slots_.size()], item);
}

std::size_t timing_wheel::advance(clock::time_point now) {
  if (now < start_)
    return 0;
  const auto target = static_cast<std::uint64_t>((now - start_) / tick_);
  std::size_t fired = 0;
  // after a long pause (SIGSTOP, suspend) one round visits every slot; more rounds would find nothing
  if (target > current_ + slots_.size())
    current_ = target - slots_.size();
  while (current_ < target) {
    ++current_;
    fired += fire_slot(current_, now);
  }
  return fired;
}

std::size_t timing_wheel::fire_slot(std::uint64_t tick, clock::time_point now) {
  auto& slot = slots_[tick % slots_.size()];
  anchor due;
  for (entry* item = slot.next_; item != &slot;) {
    entry* const following = item->next_;
    if (item->tick_ <= tick) {
      item->cancel();
      link_before(due, *item);
    }
    item = following;
  }
  std::size_t fired = 0;
  while (due.next_ != &due) { // a callback may cancel or destroy any other entry: re-read each time
    entry* const item = due.next_;
    item->cancel();
    ++fired;
    item->on_deadline(now);
  }
  return fired;
}

} // namespace canang::net
