#pragma once

#include <cstddef>

namespace canang::net {

/// A connection that may hold memory for its client. Lives on one loop.
class memory_holder {
public:
  /// What it holds at present, in bytes.
  [[nodiscard]] virtual std::size_t held_bytes() const noexcept { return 0; }

  /// Is to let go of that, by ending the connection.
  virtual void give_up() {}

protected:
  ~memory_holder() = default;
};

} // namespace canang::net
