#pragma once

#include "base/reason_log.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace canang::cluster {

class redis_script;

/// Whether an error reply says that Redis' ACL does not allow our user something.
[[nodiscard]] bool is_acl_refusal(std::string_view error) noexcept;

/// Which command an ACL refused, in lower case: as the error names it, or as it stands in the line of the
/// script that the error tells (Redis 7.0 does not name it there), else `command`, the one that was sent.
[[nodiscard]] std::string refused_command(std::string_view error, std::string_view command,
                                          std::string_view script);

/// Logs what an ACL refuses: each command and script once, then once a minute with a count. Owned by a
/// shard, on its thread.
class redis_refusals {
public:
  /// Scripts and commands that are kept apart; there are fewer.
  static constexpr std::size_t most_kept = 64;

  /// An error reply to `command`, or to a script.
  void note(std::string_view redis, std::string_view error, std::string_view command,
            const redis_script* script = nullptr);

private:
  std::map<std::string, reason_log> seen_;
};

} // namespace canang::cluster
