#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace canang::net {

/// Whose web pages may open a WebSocket here (RFC 6455, 10.2). A browser says in Origin whose page it
/// is (RFC 6454); whoever sends no Origin is no browser, and is let in. Immutable; used by all loops.
class origin_rules {
public:
  /// Pages of the host that was asked for: what counts where nothing is said.
  origin_rules() = default;

  /// Adds an item: `https://chat.example.org`, `https://*.example.org` (hosts below it, not itself),
  /// `null` (pages without an origin), `same-host` or `*`.
  /// @returns false when it is none of these.
  [[nodiscard]] bool add(std::string_view item);

  /// `host` is `host[:port]` that the request was for.
  [[nodiscard]] bool allows(std::string_view origin, std::string_view host) const;

private:
  struct pattern {
    std::string scheme; // in lower case, as the host
    std::string host;   // with its leading dot where all hosts below it are meant
    std::uint16_t port = 0;
    bool is_suffix = false;
  };

  static std::optional<pattern> parse(std::string_view text);

  std::vector<pattern> patterns_;
  bool any_ = false;
  bool null_ = false;
  bool same_host_ = false;
  bool is_default_ = true; // nothing was added: `same-host`
};

} // namespace canang::net
