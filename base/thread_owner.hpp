#pragma once

#include <cassert>
#include <thread>

namespace canang {

/// Whose thread something is used on, where that is checked: in builds with assertions, as debug and sanitizer
/// builds are. Elsewhere it is nothing, and costs nothing.
class thread_owner {
public:
#ifdef NDEBUG
  void bind() noexcept {}
  void unbind() noexcept {}
  [[nodiscard]] static constexpr bool is_here() noexcept { return true; }
#else
  /// From now on it is this thread's.
  void bind() noexcept { owner_ = std::this_thread::get_id(); }

  /// Anybody's: before a loop's thread has begun, and when it has ended.
  void unbind() noexcept { owner_ = {}; }

  [[nodiscard]] bool is_here() const noexcept {
    return owner_ == std::thread::id{} || owner_ == std::this_thread::get_id();
  }

private:
  std::thread::id owner_;
#endif
};

} // namespace canang
