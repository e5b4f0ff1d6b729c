#include "net/readiness.hpp"

#include "net/limits.hpp"

#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <system_error>
#include <utility>

namespace canang::net {

readiness::readiness()
  : set_(::epoll_create1(EPOLL_CLOEXEC)),
    events_(max_events_a_poll),
    scratch_(std::make_unique_for_overwrite<char[]>(scratch_bytes)) {
  if (set_ < 0)
    throw std::system_error{errno, std::generic_category(), "epoll_create1"};
}

readiness::~readiness() {
  release_removed();
  for (auto& place : slots_) {
    if (auto* const who = std::exchange(place.who, nullptr))
      who->on_removed();
  }
  ::close(set_);
}

std::span<char> readiness::scratch() noexcept { return {scratch_.get(), scratch_bytes}; }

bool readiness::add(std::uint32_t place, int descriptor, listener& who) {
  if (place >= slots_.size())
    slots_.resize(place + std::size_t{1});
  auto& at = slots_[place];
  assert(at.who == nullptr);
  at = {&who, ++generations_};
  epoll_event event{};
  event.events = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = std::uint64_t{at.generation} << 32U | place;
  if (::epoll_ctl(set_, EPOLL_CTL_ADD, descriptor, &event) == 0)
    return true;
  at.who = nullptr;
  return false;
}

void readiness::remove(std::uint32_t place) {
  auto* const who = std::exchange(slots_[place].who, nullptr);
  assert(who != nullptr);
  removed_.push_back(who);
}

void readiness::again(std::uint32_t place) { due_.push_back({place, slots_[place].generation}); }

bool readiness::is_next_charged() const noexcept { return cost_of_next_ >= max_cost_a_turn / 2; }

std::size_t readiness::poll() {
  cost_left_ = max_cost_a_turn - std::min(std::exchange(cost_of_next_, 0), max_cost_a_turn / 2);
  release_removed();
  auto told = tell_due();
  told += tell_events();
  release_removed();
  return told;
}

/// Those that asked to go on, until half of the turn is used up; the others first in the next one.
std::size_t readiness::tell_due() {
  telling_.swap(due_);
  const auto for_others = cost_left_ / 2;
  std::size_t told = 0;
  while (told < telling_.size() && cost_left_ > for_others) {
    const auto& item = telling_[told++];
    tell(item.place, item.generation, 0);
  }
  if (told < telling_.size())
    due_.insert(due_.begin(), telling_.begin() + static_cast<std::ptrdiff_t>(told), telling_.end());
  telling_.clear();
  return told;
}

std::size_t readiness::tell_events() {
  if (next_event_ == event_count_) {
    next_event_ = 0;
    const int count = ::epoll_wait(set_, events_.data(), static_cast<int>(events_.size()), 0);
    event_count_ = static_cast<std::size_t>(std::max(count, 0));
  }
  std::size_t told = 0;
  while (next_event_ < event_count_ && cost_left_ > 0) {
    const auto& event = events_[next_event_++];
    const auto place = static_cast<std::uint32_t>(event.data.u64);
    tell(place, static_cast<std::uint32_t>(event.data.u64 >> 32U), event.events);
    ++told;
  }
  return told;
}

/// Tells the one at `place`, unless it is not there any more.
void readiness::tell(std::uint32_t place, std::uint32_t generation, std::uint32_t events) {
  const auto at = slots_[place]; // a copy: whoever is told may add others
  if (at.who == nullptr || at.generation != generation)
    return;
  charge(cost_of_event);
  at.who->on_ready(events);
}

void readiness::release_removed() {
  while (!removed_.empty()) { // one that goes may take others with it
    auto* const who = removed_.back();
    removed_.pop_back();
    who->on_removed();
  }
}

readiness_waker::readiness_waker(boost::asio::io_context& io, const readiness& set)
  : descriptor_(io.get_executor(), set.descriptor()) {}

readiness_waker::~readiness_waker() { descriptor_.release(); } // it is the set's

void readiness_waker::arm() {
  if (is_armed_)
    return;
  is_armed_ = true;
  descriptor_.async_wait(descriptor_.wait_read,
                         [this](const boost::system::error_code&) { is_armed_ = false; });
}

} // namespace canang::net
