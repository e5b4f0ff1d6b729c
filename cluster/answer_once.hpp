#pragma once

#include "cluster/broker.hpp"

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace canang::cluster {

/// A handler for an answer of a broker's that travels in messages: called once, with what it is given first, or with
/// `unavailable` when nobody can answer any more, since its last copy is gone: of a message that came to an actor
/// that has ended. That may be on any thread, and within the call that sends the message; else it is on the one who
/// answers. Not to be called from several threads at once.
template <class Answer>
class answer_once {
public:
  using handler = std::function<void(Answer&&)>;

  answer_once() = default;

  template <class Function>
  requires(std::is_invocable_v<
             Function&, Answer&&> && !std::is_same_v<std::remove_cvref_t<Function>, answer_once>)
    // NOLINTNEXTLINE(google-explicit-constructor,bugprone-forwarding-reference-overload): as a handler is
    answer_once(Function&& function)
    : state_(std::make_shared<state>(handler(std::forward<Function>(function)))) {}

  void operator()(Answer&& answer) const {
    if (state_)
      state_->call(std::move(answer));
  }

private:
  struct state {
    explicit state(handler first) : function(std::move(first)) {}
    state(const state&) = delete;
    state& operator=(const state&) = delete;

    ~state() {
      Answer nothing;
      nothing.error = broker_errc::unavailable;
      call(std::move(nothing));
    }

    void call(Answer&& answer) {
      if (const auto once = std::exchange(function, nullptr))
        once(std::move(answer));
    }

    handler function;
  };

  std::shared_ptr<state> state_;
};

} // namespace canang::cluster
