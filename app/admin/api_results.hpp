#pragma once

#include "actors/node/shards.hpp"
#include "cluster/broker.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace canang::admin {

/// Results of the server API in JSON, as Centrifugo has them. From any thread.

/// Messages that one history has, and what their JSON may take, about: a caller who wants more goes on behind them.
inline constexpr std::size_t max_api_messages = 10'000;
inline constexpr std::size_t max_api_history_bytes = 8 * 1024 * 1024;

/// `presence`: by connection.
[[nodiscard]] std::string presence_result(const cluster::room_report& report);

/// `presence_stats`: all who name no user count as one, as for Centrifugo.
[[nodiscard]] std::string presence_stats_result(const cluster::room_report& report);

/// A history as far as it was read.
struct history_result {
  cluster::position top;
  std::vector<cluster::publication_ptr> messages{};
  std::size_t bytes = 0; ///< of their payload, and of what is around it
  bool is_bare = false;  ///< payloads and tags are left out
};

/// Adds what members said; no joins and leaves.
/// @returns false when there is no room for more: some may be left out.
[[nodiscard]] bool add_messages(history_result& to,
                                std::span<const cluster::publication_ptr> publications);

/// `history`.
[[nodiscard]] std::string to_json(const history_result& result);

/// `"data"`, a member of an object: text that is JSON as it is, other text as a string. Of binary messages (and what is no
/// UTF-8) null, for libraries that want one, and `"b64data"` behind it.
void append_data(std::string& json, const cluster::publication& message);

/// `info`: of nodes that tell of themselves in JSON, at a time in seconds.
[[nodiscard]] std::string info_result(std::span<const std::string> descriptions,
                                      std::int64_t now_seconds);

} // namespace canang::admin
