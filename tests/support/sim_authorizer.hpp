#pragma once

#include "net/auth/authorizer.hpp"
#include "tests/support/seeds.hpp"

#include <deque>
#include <string_view>
#include <utility>

namespace canang::sim {

/// Decides by the names of rooms, at once or when the simulation wants it: nobody may join `locked...` or publish
/// to `quiet...`, and of `busy...` nothing can be told.
class sim_authorizer final : public net::authorizer {
public:
  explicit sim_authorizer(chance& any) : any_(any) {}

  void decide(const net::room_question& question, handler decided) override {
    const auto verdict = verdict_of(question);
    if (any_.one_in(2))
      decided(verdict);
    else
      pending_.emplace_back(verdict, std::move(decided));
  }

  [[nodiscard]] std::uint64_t generation() const noexcept override { return generation_; }

  /// From now on all have to ask again.
  void change() { ++generation_; }

  [[nodiscard]] bool has_pending() const noexcept { return !pending_.empty(); }

  /// Decides the question that is oldest, or the one that is youngest.
  void run() {
    const bool is_oldest = any_.one_in(2);
    auto next = std::move(is_oldest ? pending_.front() : pending_.back());
    is_oldest ? pending_.pop_front() : pending_.pop_back();
    next.second(next.first);
  }

private:
  static net::verdict verdict_of(const net::room_question& question) {
    if (question.room.starts_with("busy"))
      return net::verdict::unavailable;
    const std::string_view refused = question.what == net::room_action::subscribe ? "locked"
                                     : question.what == net::room_action::history ? "silent"
                                                                                  : "quiet";
    return question.room.starts_with(refused) ? net::verdict::refused : net::verdict::allowed;
  }

  chance& any_;
  std::deque<std::pair<net::verdict, handler>> pending_;
  std::uint64_t generation_ = 0;
};

} // namespace canang::sim
