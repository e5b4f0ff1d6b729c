#pragma once

#include "cluster/broker.hpp"
#include "cluster/publication.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace canang::cluster {

/// The end of an earlier epoch: a position of it up to `last` belongs to the room's history.
struct epoch_end {
  std::string epoch;
  std::uint64_t last = 0;
};

/// Whether a position is one of the history that stands at `top` and has come by these earlier epochs.
[[nodiscard]] bool is_of_history(const position& at, const position& top,
                                 std::span<const epoch_end> lineage) noexcept;

/// What a read of a room brought: where it stands, and what is kept of it after some offset.
struct stored_page {
  position top;
  std::vector<epoch_end> lineage; ///< oldest first
  /// The last one at `top`, or none. Messages are all there behind `floor`; where offsets are missing among
  /// them, there were joins or leaves that are not kept any more.
  std::vector<publication_ptr> publications;
  std::optional<std::uint64_t> floor; ///< without: they are consecutive

  /// The offset behind which no message is missing.
  [[nodiscard]] std::uint64_t begin() const noexcept {
    if (floor)
      return *floor;
    return publications.empty() ? top.offset : publications.front()->offset - 1;
  }
};

/// What a request wants of a page that has all of it. The page may end before its `top` where that is more than
/// the request's limit.
[[nodiscard]] history_answer answer_of(const history_request& request, stored_page&& page);

} // namespace canang::cluster
