#pragma once

#include <cstddef>
#include <string_view>

namespace canang::cluster {

/// The rooms that a broker keeps though nobody subscribes to them, for those who may come back: as seen by
/// whoever has to keep a node's rooms and memory within their limits. On the broker's thread.
class room_keeper {
public:
  /// Whether it keeps anything of the room, without a subscriber. If so somebody comes back to it and will
  /// subscribe: it is not forgotten until then.
  [[nodiscard]] virtual bool claim(std::string_view room) = 0;

  /// Whether it knows the room at all.
  [[nodiscard]] virtual bool keeps(std::string_view room) const noexcept = 0;

  /// Rooms that are kept without a subscriber.
  [[nodiscard]] virtual std::size_t idle_count() const noexcept = 0;

  /// Forgets some of them: those of which nothing can be recovered first, then those that were longest
  /// without a publication or a subscriber.
  /// @returns how many, `most` or all that there are.
  virtual std::size_t forget_rooms(std::size_t most) = 0;

  /// The same until so many bytes of memory are free.
  /// @returns bytes freed.
  virtual std::size_t shed(std::size_t bytes) = 0;

protected:
  ~room_keeper() = default;
};

} // namespace canang::cluster
