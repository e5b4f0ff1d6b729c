#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace canang {

/// Some things of which there is one nearly always: the first lies inside, the others on the heap. Kept once a
/// connection, so it is as small as that: one `Thing` and a pointer. A `Thing` that was made without arguments
/// is nothing, and says so (`explicit operator bool`). In no order; adding and erasing moves them.
template <class Thing>
class one_or_more {
public:
  [[nodiscard]] bool empty() const noexcept { return !first_; }

  [[nodiscard]] std::size_t size() const noexcept {
    return first_ ? 1 + (more_ ? more_->size() : 0) : 0;
  }

  /// Some one of them. There is one.
  [[nodiscard]] Thing& front() noexcept { return first_; }

  /// Valid until the next `add` or `erase`.
  Thing& add(Thing one) {
    if (!first_)
      return first_ = std::move(one);
    if (!more_)
      more_ = std::make_unique<std::vector<Thing>>();
    return more_->emplace_back(std::move(one));
  }

  /// Of these.
  void erase(Thing& one) {
    if (!more_) {
      one = Thing{};
      return;
    }
    if (&one != &more_->back())
      one = std::move(more_->back());
    more_->pop_back();
    if (more_->empty())
      more_.reset();
  }

  void clear() noexcept {
    first_ = Thing{};
    more_.reset();
  }

  /// The one for which `is_it` says so; null where there is none.
  template <class Predicate>
  [[nodiscard]] Thing* find_if(Predicate is_it) {
    if (!first_)
      return nullptr;
    if (is_it(std::as_const(first_)))
      return &first_;
    if (more_)
      for (auto& one : *more_)
        if (is_it(std::as_const(one)))
          return &one;
    return nullptr;
  }

  template <class Function>
  void for_each(Function function) const {
    visit(*this, function);
  }

  /// As above; things must stay things.
  template <class Function>
  void for_each(Function function) {
    visit(*this, function);
  }

private:
  template <class Self, class Function>
  static void visit(Self& self, Function& function) {
    if (!self.first_)
      return;
    function(self.first_);
    if (self.more_)
      for (auto& one : *self.more_)
        function(one);
  }

  Thing first_{};
  std::unique_ptr<std::vector<Thing>> more_;
};

} // namespace canang
