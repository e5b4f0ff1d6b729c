#pragma once

#include "net/compression.hpp"
#include "net/framing.hpp"
#include "net/protocol/conversation.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace canang::net {

/// A publication on its way to clients. Views are valid during the call.
struct outgoing_publication {
  /// Something that a member said; or that one came or went, then `data` is that member as JSON.
  enum class kind : std::uint8_t { message, joined, left };

  /// How it is told: members that are told changes may be told the whole payload in another way than others.
  enum class telling : std::uint8_t { plainly, whole, change };

  frame_type type = frame_type::text;
  std::string_view data{};
  kind what = kind::message;
  std::string_view epoch{};
  std::uint64_t offset = 0;
  std::string_view room{};
  telling told = telling::plainly;
  std::string_view change{};           ///< of `telling::change`: by `protocol::encode_change`
  std::optional<member_view> author{}; ///< who said it, where that is to be told
  std::span<const std::pair<std::string, std::string>> tags{}; ///< names and values

  /// What skips the history has none in the order.
  [[nodiscard]] bool has_place() const noexcept { return offset != 0; }
};

/// Where a member stands in its room: what it is sent next follows `offset` of `epoch`.
struct room_position {
  std::string_view room;
  std::string_view epoch;
  std::uint64_t offset = 0;
  bool recovered = false; ///< nothing is missing before it
};

/// The answer to a join.
struct join_reply {
  std::uint32_t request = 0; ///< of the join
  std::uint8_t note = 0;     ///< the join's
  room_position at{};
  /// What follows `at`, where the protocol has that inside of its reply; else it comes in messages of its own.
  std::span<const outgoing_publication> recovered{};
  std::uint32_t expires_in_s = 0; ///< the membership ends then unless it is refreshed; 0: never
  told_data data{};               ///< what the client is told with it
};

/// The answer to a question about a room's history.
struct history_reply {
  std::uint32_t request = 0;
  room_position at{}; ///< where the room stands
  std::span<const outgoing_publication> publications{};
};

/// A member's time in a room has ended, and not because it wanted so.
struct unsubscribed {
  std::string_view room;
  std::uint16_t code = 0; ///< the close code where there is no other word for it
  std::string_view text;
};

/// Where a joining member finds what it recovered.
enum class recovered_in : std::uint8_t {
  messages, ///< in messages of their own behind the reply, as if they were live
  reply,    ///< in the reply itself, up to `max_recovered_in_reply_bytes` of them
};

/// What becomes of a member when what follows is not what it expects: something was lost, or the epoch changed.
enum class after_break : std::uint8_t {
  stays,  ///< it is told where it continues, if the protocol has a word for that
  leaves, ///< it is told to come back, as from the room's end on
};

/// What the server says to all clients that speak a language, in the same bytes to all of them. One object for
/// each, shared by all loops, stateless; what is said to one client alone is its `conversation`'s.
class protocol {
public:
  /// What a new connection has to itself.
  [[nodiscard]] virtual conversation_ptr converse() const = 0;

  /// Appends a publication; nothing where the protocol has no word for it.
  virtual void encode(const outgoing_publication& publication, const framing& frames,
                      std::string& out) const = 0;

  /// Whether its members are told a publication as what it changes of the one before it, where that is shorter. They
  /// get their own publications, too.
  [[nodiscard]] virtual bool tells_changes() const noexcept { return false; }

  /// Appends what makes the payload of `next` of that of `before`, as `outgoing_publication::change`; nothing where
  /// that is not shorter.
  virtual void encode_change(const outgoing_publication& /*before*/,
                             const outgoing_publication& /*next*/, std::string&) const {}

  /// Appends the answer to a join; nothing in a protocol that has no positions.
  virtual void encode_join(const join_reply&, const framing&, std::string&) const {}

  [[nodiscard]] virtual recovered_in place_of_recovered() const noexcept {
    return recovered_in::messages;
  }

  /// Appends that what follows continues at `at`, which is not where the member was; `at.recovered`:
  /// only the epoch changed, else publications were lost.
  /// @returns false when the protocol has no word for a loss: then the member has to be disconnected.
  virtual bool encode_break(const room_position& at, const framing&, std::string&) const {
    return at.recovered;
  }

  [[nodiscard]] virtual after_break after_a_break() const noexcept { return after_break::stays; }

  /// Whether a member whose join had this note counts on missing nothing: where something is lost to it alone, it is
  /// told to come back, or disconnected if there is no word for that. Of protocols whose members leave after a break.
  [[nodiscard]] virtual bool counts_on_all(std::uint8_t /*note*/) const noexcept { return false; }

  /// Appends that the client is not in the room any more.
  /// @returns false when the protocol has no word for it: then the client has to be disconnected.
  virtual bool encode_unsubscribed(const unsubscribed&, const framing&, std::string&) const {
    return false;
  }

protected:
  ~protocol() = default;
};

/// A protocol on a wire: clients of the same wire format get the same bytes. One object for each combination
/// that is in use, known by its address.
struct wire_format {
  const protocol& language;
  const framing& frames;
  const compression packing = compression::none; ///< of what a turn brings: `frame_deflater`

  wire_format(const protocol& spoken, const framing& framed)
    : language(spoken),
      frames(framed),
      packed_{std::unique_ptr<wire_format>{new wire_format{*this, compression::deflate}},
              std::unique_ptr<wire_format>{new wire_format{*this, compression::narrow_deflate}}} {}
  wire_format(const wire_format&) = delete;
  wire_format& operator=(const wire_format&) = delete;

  /// The same for clients that agreed on `how`. Of one that is made for those that agreed on nothing, as long as which
  /// it lives; of WebSocket frames only.
  [[nodiscard]] const wire_format& with(compression how) const noexcept {
    return how == compression::none ? *this : *packed_[static_cast<std::size_t>(how) - 1];
  }

  void encode(const outgoing_publication& publication, std::string& out) const {
    language.encode(publication, frames, out);
  }

  /// Appends it to what a turn brings, which `framing::finish` ends.
  void encode_of_turn(const outgoing_publication& publication, std::string& turn) const {
    language.encode(publication, frames.of_turn(), turn);
  }
  void encode_join(const join_reply& reply, std::string& out) const {
    language.encode_join(reply, frames, out);
  }
  [[nodiscard]] bool encode_break(const room_position& at, std::string& out) const {
    return language.encode_break(at, frames, out);
  }
  [[nodiscard]] bool encode_unsubscribed(const unsubscribed& what, std::string& out) const {
    return language.encode_unsubscribed(what, frames, out);
  }

private:
  wire_format(const wire_format& plain, compression how) noexcept
    : language(plain.language), frames(plain.frames), packing(how) {}

  std::array<std::unique_ptr<const wire_format>, compression_count - 1> packed_{};
};

} // namespace canang::net
