#include "net/outbox_budget.hpp"

#include "net/limits.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace canang::net {

namespace {

/// What is to be left after closing some: seven eighths. So the sessions are looked through once for an eighth
/// of a budget, not for each byte.
constexpr std::uint64_t low_part(std::uint64_t bytes) noexcept { return bytes - bytes / 8; }

/// See `outbox_budget`.
constexpr std::uint64_t least_part = 16;

} // namespace

void outbox_budget::set_memory(std::uint64_t used_bytes, std::uint64_t max_bytes) noexcept {
  const bool is_over = max_bytes != 0 && used_bytes > max_bytes;
  lacking_bytes_.store(is_over ? used_bytes - max_bytes : 0, std::memory_order_relaxed);
}

std::uint64_t outbox_budget::bytes() const noexcept {
  if (max_bytes_ == 0)
    return 0;
  const auto least = std::max<std::uint64_t>(max_bytes_ / least_part, 1);
  const auto lacking = lacking_bytes_.load(std::memory_order_relaxed);
  return lacking >= max_bytes_ - least ? least : max_bytes_ - lacking;
}

std::uint64_t outbox_budget::share() const noexcept {
  return bytes() / std::max<std::uint64_t>(loops_.size(), 1);
}

std::uint64_t outbox_budget::excess(const loop_metrics& own) const noexcept {
  if (max_bytes_ == 0)
    return 0;
  const auto of_loop = share();
  const auto here = held_for_clients(own);
  if (here <= of_loop)
    return 0;
  std::uint64_t everywhere = 0;
  for (const auto* each : loops_)
    everywhere += held_for_clients(*each);
  const auto of_node = bytes();
  if (everywhere <= of_node)
    return 0;
  return std::min(here - low_part(of_loop), everywhere - low_part(of_node));
}

/// Looking through all sessions takes milliseconds where there are many, so it is done once in a while, or when
/// an eighth of the loop's share has come on top; or in the next turn, where this one has closed as many as it
/// may.
void budget_keeper::let_go(std::uint64_t excess) {
  const auto& metrics = context_.metrics;
  const auto before = held_for_clients(metrics);
  const auto now = context_.now();
  if (now < next_look_ && before < next_look_bytes_)
    return;
  const auto is_smaller = [](const holder& a, const holder& b) { return a.bytes < b.bytes; };
  auto left = holders();
  std::make_heap(left.begin(), left.end(), is_smaller); // nearly all of them stay: no need to sort
  std::uint64_t closed = 0;
  const auto is_over = [&] { return held_for_clients(metrics) > before - excess; };
  for (; !left.empty() && closed < max_given_up_a_turn && is_over(); ++closed) {
    std::pop_heap(left.begin(), left.end(), is_smaller);
    left.back().who->give_up();
    left.pop_back();
  }
  const auto after = held_for_clients(metrics);
  const bool goes_on = !left.empty() && is_over();
  next_look_ = goes_on ? now : now + budget_look_interval;
  next_look_bytes_ = after + budget_.share() / 8;
  log(closed, before - std::min(before, after));
}

std::vector<budget_keeper::holder> budget_keeper::holders() const {
  std::vector<holder> all;
  const auto add = [&](memory_holder& who) {
    if (const auto held = who.held_bytes(); held > 0)
      all.push_back({held, &who});
  };
  context_.sockets.for_each(add);
  context_.http.for_each(add);
  return all;
}

void budget_keeper::log(std::uint64_t closed, std::uint64_t bytes) {
  closed_ += closed;
  freed_bytes_ += bytes;
  const auto now = context_.now();
  if (closed_ == 0 || now < next_line_)
    return;
  next_line_ = now + budget_log_interval;
  spdlog::warn(
    "over --outbox-budget ({} bytes at present): closed {} connections of this loop that held "
    "most, {} bytes in all",
    budget_.bytes(), closed_, freed_bytes_);
  closed_ = 0;
  freed_bytes_ = 0;
}

} // namespace canang::net
