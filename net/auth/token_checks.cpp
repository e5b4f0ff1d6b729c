#include "net/auth/token_checks.hpp"

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include <chrono>
#include <exception>
#include <optional>
#include <utility>

namespace canang::net {

token_checks::token_checks(const published_token_keys& keys, token_rules rules,
                           std::function<bool(std::string_view)> on_unknown_key)
  : keys_(keys), rules_(std::move(rules)), on_unknown_key_(std::move(on_unknown_key)) {}

void token_checks::stop() {
  if (!worker_.joinable())
    return;
  worker_.request_stop();
  worker_.join();
}

std::optional<token_result> token_checks::check_now(std::string_view token) const {
  const auto keys = keys_.get();
  auto result = check_token(token, *keys, rules_, std::chrono::system_clock::now());
  if (auto* const claims = std::get_if<token_claims>(&result);
      claims != nullptr && claims->expires_at)
    *claims->expires_at += rules_.leeway.count(); // as it counted for so long
  const auto* const fault = std::get_if<token_fault>(&result);
  if (fault != nullptr && *fault == token_fault::unknown_key && on_unknown_key_
      && on_unknown_key_(key_id_of(token)))
    return std::nullopt;
  return result;
}

/// Without memory for it, nothing can be told.
std::optional<token_result> token_checks::check_safely(std::string_view token) const noexcept {
  try {
    return check_now(token);
  } catch (const std::exception& fault) {
    spdlog::error("a token could not be checked: {}", fault.what());
  }
  return std::nullopt;
}

/// What no key can have signed costs nothing.
void token_checks::check(std::string_view token, lane of, boost::asio::io_context& home,
                         handler done) {
  if (!is_costly(token, *keys_.get())) {
    done(check_now(token));
    return;
  }
  {
    const std::lock_guard lock{mutex_};
    auto& waiting = waiting_[static_cast<std::size_t>(of)];
    if (waiting.size() < max_waiting) {
      waiting.push_back({std::string{token}, home, std::move(done)});
      if (!worker_.joinable())
        worker_ = std::jthread{[this](const std::stop_token& ends) { work(ends); }};
      changed_.notify_one();
      return;
    }
  }
  done(std::nullopt);
}

std::deque<token_checks::waiting_check>* token_checks::next_lane() noexcept {
  for (auto& one : waiting_)
    if (!one.empty())
      return &one;
  return nullptr;
}

void token_checks::work(const std::stop_token& ends) {
  std::unique_lock lock{mutex_};
  while (changed_.wait(lock, ends, [this] { return next_lane() != nullptr; })
         && !ends.stop_requested()) {
    auto& from = *next_lane();
    auto next = std::move(from.front());
    from.pop_front();
    lock.unlock();
    boost::asio::post(next.home,
                      [done = std::move(next.done), result = check_safely(next.token)]() mutable {
                        done(std::move(result));
                      });
    lock.lock();
  }
}

} // namespace canang::net
