#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace canang::net {

/// What stands before a token that is offered as a subprotocol, `bearer.TOKEN`: a page can set no other field of a
/// handshake.
inline constexpr std::string_view bearer_subprotocol = "bearer.";

/// Which subprotocols (RFC 6455, 1.9) clients may ask for. The plain protocol means nothing by them: one
/// that was offered is named in the answer, since a browser fails a connection whose answer names none.
/// Immutable; used by all loops.
class subprotocol_rules {
public:
  /// Adds a name, or `*` for any, which is what counts where nothing is said.
  /// @returns false when it is no token (RFC 9110, 5.6.2).
  [[nodiscard]] bool add(std::string_view name);

  /// The first of `offered`, which is in the client's order, that may be asked for; nothing when there is
  /// none.
  [[nodiscard]] std::optional<std::string>
  choose(const std::vector<std::string_view>& offered) const;

private:
  std::vector<std::string> names_; // empty: any
};

} // namespace canang::net
