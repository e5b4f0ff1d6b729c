#pragma once

#include "cluster/publication.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace canang::cluster {

/// How publications travel through Redis.
///
/// On a channel: a header, `VERSION EPOCH FIRST COUNT\n` as text, then a batch. In a stream: the batch
/// alone, since the entry's id tells its last offset. A batch, little endian: 8 bytes origin, 8 bytes
/// sequence (of that origin), then per publication 1 byte of flags, 8 bytes publisher, 4 bytes length,
/// and so many bytes: where the flags say so what members are told beside it, then the payload. The former is 1 byte,
/// with 1 where there is an author, who then is user and client, each a byte of length and a text, or with 2 where its
/// info and its info of the room follow these, each 2 bytes of length and a text (nodes from before 2 existed cannot
/// read such a batch); and 1 byte with the number of tags, each a byte of length and a name, 2 bytes of length and a
/// value. Scripts put batches together from pieces; of what is in them publish.lua reads the first 16 bytes
/// and the lengths, when it looks whether an earlier try was stored.

///
/// What has no place in the order of its room is on the channel alone: `VERSION COUNT\n`, then a batch.

///
/// Where what is kept of a room was removed, up to an offset: `VERSION EPOCH OFFSET\n`.

/// The versions that this node writes, and all that it reads. Nodes that do not know one skip it, and count it.
inline constexpr std::uint64_t envelope_version = 1;
inline constexpr std::uint64_t unordered_version = 2;
inline constexpr std::uint64_t removal_version = 3;

/// Bytes of origin and sequence.
inline constexpr std::size_t batch_header_bytes = 16;

/// Which run of which node put a batch together, and which of its batches it is.
struct batch_id {
  std::uint64_t origin = 0;
  std::uint64_t sequence = 0;
};

enum class envelope_errc : std::uint8_t {
  none,
  foreign,   ///< not an envelope at all
  version,   ///< of a version that this node does not read
  truncated, ///< it ends too early, or goes on after its end
};

/// Publications with consecutive offsets; or without any, and without an epoch. Or, of a removal, none.
struct batch {
  std::string epoch;
  std::uint64_t first = 0; ///< 0: they have none
  std::vector<std::shared_ptr<publication>> publications;
  bool is_removal = false; ///< of all up to `first`

  [[nodiscard]] std::uint64_t last() const noexcept { return first + publications.size() - 1; }
  [[nodiscard]] bool is_unordered() const noexcept { return first == 0; }
};

void append_batch_header(std::string& out, const batch_id& id);
/// Without what members are told beside it, on demand: older nodes can't read a batch that has that.
void append_publication(std::string& out, const publication& message, bool with_notes = true);

/// Reads a batch whose last publication has the offset `last`. `publisher` of a publication of another
/// origin than `own_origin` is 0: its id would mean someone else here.
[[nodiscard]] envelope_errc read_batch(std::string_view bytes, std::string_view epoch,
                                       std::uint64_t last, std::uint64_t own_origin, batch& into);

/// What goes on a channel for a publication without a place in the order.
[[nodiscard]] std::string unordered_message(const publication& message, const batch_id& id,
                                            bool with_notes = true);

/// Reads what came on a channel.
[[nodiscard]] envelope_errc read_message(std::string_view bytes, std::uint64_t own_origin,
                                         batch& into);

} // namespace canang::cluster
