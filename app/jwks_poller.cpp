#include "app/jwks_poller.hpp"

#include "net/log_text.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <random>
#include <utility>
#include <variant>

namespace canang::app {

namespace {

/// Between 0 and 1.
double chance() {
  static thread_local std::minstd_rand random{std::random_device{}()};
  return std::uniform_real_distribution<>{}(random);
}

} // namespace

jwks_poller::jwks_poller(jwks_url url, jwks_timing timing,
                         std::function<void(net::token_keys)> take, jwks_counts& counts)
  : url_(std::move(url)), timing_(timing), take_(std::move(take)), counts_(counts) {
  if (!url_.is_safe)
    spdlog::warn("{} is not fetched with TLS: whoever is on the way can put keys in", url_.shown);
  thread_ = std::thread{[this] { run(); }};
}

jwks_poller::~jwks_poller() {
  {
    const std::lock_guard lock{mutex_};
    is_ending_ = true;
    if (running_ != nullptr)
      running_->stop();
  }
  changed_.notify_one();
  thread_.join();
}

void jwks_poller::refresh() {
  {
    const std::lock_guard lock{mutex_};
    is_due_ = true;
  }
  changed_.notify_one();
}

void jwks_poller::wanted() {
  if (is_wanted_.exchange(true))
    return;
  {
    const std::lock_guard lock{mutex_}; // it looks at the flag, or waits for the notice
  }
  changed_.notify_one();
}

std::optional<jwks_poller::clock::time_point> jwks_poller::last_good() const {
  const std::lock_guard lock{mutex_};
  return last_good_;
}

void jwks_poller::run() {
  for (;;) {
    const auto began = clock::now();
    fetch();
    wait_until_due(began);
    const std::lock_guard lock{mutex_};
    if (is_ending_)
      return;
    is_due_ = false;
    is_wanted_ = false;
  }
}

void jwks_poller::fetch() {
  jwks_fetch request;
  const auto began = clock::now();
  {
    const std::lock_guard lock{mutex_};
    if (is_ending_)
      return;
    running_ = &request;
  }
  auto outcome = request.run(url_, timing_.timeout);
  {
    const std::lock_guard lock{mutex_};
    running_ = nullptr;
    if (is_ending_)
      return;
  }
  take(std::move(outcome), began);
}

void jwks_poller::take(jwks_fetch::outcome outcome, clock::time_point began) {
  if (const auto* const fault = std::get_if<std::string>(&outcome)) {
    ++failures_;
    ++counts_.failed;
    if (reason_ != *fault)
      spdlog::warn("no keys of {}: {}; {}", url_.shown, net::log_line(*fault),
                   known_ ? "those that it had stay" : "it will be asked again");
    reason_ = *fault;
    return;
  }
  auto& keys = std::get<net::token_keys>(outcome);
  if (reason_ || known_ != keys.size())
    spdlog::info("{} has {} keys", url_.shown, keys.size());
  known_ = keys.size();
  failures_ = 0;
  reason_.reset();
  take_(std::move(keys));
  {
    const std::lock_guard lock{mutex_};
    last_good_ = began;
  }
  ++counts_.succeeded;
}

jwks_poller::clock::duration jwks_poller::pause() const {
  using milliseconds = std::chrono::duration<double, std::milli>;
  if (failures_ == 0)
    return std::chrono::duration_cast<clock::duration>(milliseconds{timing_.refresh}
                                                       * (0.9 + 0.2 * chance()));
  const auto pause =
    std::min(timing_.most_backoff, timing_.least_backoff * (1U << std::min(failures_ - 1, 16U)));
  return std::chrono::duration_cast<clock::duration>(milliseconds{pause} * (0.5 + 0.5 * chance()));
}

void jwks_poller::wait_until_due(clock::time_point began) {
  const auto due = clock::now() + pause();
  const auto soonest = began + timing_.least_between;
  std::unique_lock lock{mutex_};
  while (!is_ending_ && !is_due_) {
    const auto until = is_wanted_ ? std::min(due, soonest) : due;
    if (clock::now() >= until)
      return;
    changed_.wait_until(lock, until);
  }
}

} // namespace canang::app
