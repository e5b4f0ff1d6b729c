#pragma once

#include "base/who_may.hpp"

#include <cstdint>
#include <string_view>

namespace canang::net {

/// Who may do what in a room.
struct access_rules {
  who_may subscribe = who_may::anyone;
  who_may publish = who_may::members;
  who_may presence = who_may::members;
  who_may history = who_may::members;
  bool has_users =
    false; ///< users may stand behind a boundary in the room's name, and it is theirs alone
  bool asks_subscribe = false; ///< the operator's program decides instead of `subscribe`
  bool asks_publish = false;   ///< and instead of `publish`
};

/// Where an authorizer has the rules of rooms from: whoever knows the rooms' settings implements it. Used on the
/// loop of the authorizer, but for `generation`.
class access_settings {
public:
  virtual ~access_settings() = default;

  [[nodiscard]] virtual access_rules of(std::string_view room) = 0;

  /// Grows when the rules of any room may have changed. From any thread.
  [[nodiscard]] virtual std::uint64_t generation() const noexcept = 0;
};

} // namespace canang::net
