#pragma once

#include "base/memory_cost.hpp"
#include "cluster/epoch.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace canang::cluster {

/// How a payload was framed by its publisher, and is framed again for the members.
enum class payload_type : std::uint8_t { text, binary };

/// What a publication tells: something that a member said, or that a member came or went.
enum class publication_kind : std::uint8_t { message, joined, left };

/// Who said something, as members of the room are told.
struct publication_author {
  std::string user;        ///< may be empty
  std::string client;      ///< as in the presence
  std::string info{};      ///< what the token of its connection has others know: JSON, or nothing
  std::string room_info{}; ///< likewise that of the room

  /// Bytes of text.
  [[nodiscard]] std::size_t size() const noexcept {
    return user.size() + client.size() + info.size() + room_info.size();
  }

  friend bool operator==(const publication_author&, const publication_author&) = default;
};

/// What a publication is marked with by its publisher: a name and a value.
using publication_tag = std::pair<std::string, std::string>;

/// Longest name and value of a tag, in bytes, and tags of one publication.
inline constexpr std::size_t max_tag_name_bytes = 255;
inline constexpr std::size_t max_tag_value_bytes = 1024;
inline constexpr std::size_t max_tags = 32;

/// What members are told of a publication beside what it says, where their protocol has words for it.
struct publication_notes {
  std::optional<publication_author> author{};
  std::vector<publication_tag> tags{};

  /// Bytes of text.
  [[nodiscard]] std::size_t size() const noexcept;

  /// Bytes of memory.
  [[nodiscard]] std::size_t cost() const noexcept;

  friend bool operator==(const publication_notes&, const publication_notes&) = default;
};

/// One message of a room. Built by the publisher's connection, then given its offset by the broker;
/// from there on it is shared between threads and never changes.
struct publication {
  std::uint64_t offset = 0;
  /// Id of the publishing connection on this node, or 0 when it came from elsewhere.
  std::uint64_t publisher = 0;
  /// When the node read it, for latency figures; of no meaning on other nodes.
  std::chrono::steady_clock::time_point received_at;
  std::string data;                                 ///< of a `joined` or `left`: the member as JSON
  std::unique_ptr<const publication_notes> notes{}; ///< null: there are none
  epoch_text epoch;
  payload_type type = payload_type::text;
  publication_kind kind = publication_kind::message;
  /// False: not to be delivered to the publisher.
  bool echo = true;

  /// Bytes of what it says, and of what is told beside it.
  [[nodiscard]] std::size_t size() const noexcept {
    return data.size() + (notes ? notes->size() : 0);
  }

  /// Bytes of memory that it takes where it is kept; without its place in a list.
  [[nodiscard]] std::size_t cost() const noexcept;
};

/// Of `std::make_shared`, which makes it in one block: a table of functions and two counts.
inline constexpr std::size_t control_block_cost = 2 * sizeof(void*);

inline std::size_t publication::cost() const noexcept {
  return allocated(sizeof(publication) + control_block_cost) + heap_of(data)
         + (notes ? notes->cost() : 0);
}

inline std::size_t publication_notes::size() const noexcept {
  auto bytes = author ? author->size() : 0;
  for (const auto& [name, value] : tags)
    bytes += name.size() + value.size();
  return bytes;
}

inline std::size_t publication_notes::cost() const noexcept {
  auto bytes = allocated(sizeof(*this));
  if (author)
    bytes += heap_of(author->user) + heap_of(author->client) + heap_of(author->info)
             + heap_of(author->room_info);
  if (!tags.empty())
    bytes += allocated(tags.capacity() * sizeof(publication_tag));
  for (const auto& [name, value] : tags)
    bytes += heap_of(name) + heap_of(value);
  return bytes;
}

using publication_ptr = std::shared_ptr<const publication>;

/// Where a room stands. Offsets are consecutive from 1; a new epoch begins when the history of the old
/// one is gone (offsets from 1 again) or may have lost its end (offsets go on from there).
struct position {
  std::string epoch;
  std::uint64_t offset = 0;

  friend bool operator==(const position&, const position&) = default;
};

} // namespace canang::cluster
