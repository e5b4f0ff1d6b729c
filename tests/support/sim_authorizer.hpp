#pragma once

#include "net/auth/authorizer.hpp"
#include "tests/support/seeds.hpp"

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace canang::sim {

/// Decides by the names of rooms, at once or when the simulation wants it: nobody may join `locked...` or publish
/// to `quiet...`, and of `busy...` nothing can be told. Tokens are `good` or `old`, or bad; good ones say something of
/// their clients to others.
class sim_authorizer final : public net::authorizer {
public:
  explicit sim_authorizer(chance& any) : any_(any) {}

  /// Who has no token is believed at once.
  void identify(net::credentials&& shown, identity_handler decided) override {
    if (shown.token.empty()) {
      decided(net::proof::good, {.who = {.user = std::move(shown.user)}});
      return;
    }
    const auto is = proof_of(shown.token);
    at_once_or_later([is, user = std::move(shown.user), decided = std::move(decided)] {
      decided(is, {.who = {.user = user, .is_proved = true, .info = R"({"by":"token"})"}});
    });
  }

  void decide(const net::room_question& question, handler decided) override {
    at_once_or_later(
      [verdict = verdict_of(question), decided = std::move(decided)] { decided(verdict); });
  }

  void check_pass(const net::pass_question& question, pass_handler decided) override {
    const auto is = proof_of(question.token);
    at_once_or_later([is, room = std::string{question.room}, decided = std::move(decided)] {
      decided(is, {.info = R"({"seat":")" + room + R"("})"});
    });
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
    next();
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

  static net::proof proof_of(std::string_view token) {
    return token == "good"  ? net::proof::good
           : token == "old" ? net::proof::expired
                            : net::proof::bad;
  }

  void at_once_or_later(std::function<void()> decide) {
    if (any_.one_in(2))
      decide();
    else
      pending_.push_back(std::move(decide));
  }

  chance& any_;
  std::deque<std::function<void()>> pending_;
  std::uint64_t generation_ = 0;
};

} // namespace canang::sim
