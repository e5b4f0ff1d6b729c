#pragma once

#include "net/frame.hpp"
#include "net/protocol/centrifugo/codes.hpp"
#include "net/protocol/centrifugo/request.hpp"
#include "net/protocol/centrifugo/scratch.hpp"
#include "net/protocol/commands.hpp"
#include "net/protocol/protocol.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace canang::net::centrifugo {

/// What a client asked for with its subscription, and is told whether it has it.
namespace subscription_note {
inline constexpr std::uint8_t positioned = 1;
inline constexpr std::uint8_t recoverable = 2;
inline constexpr std::uint8_t recovering = 4;
inline constexpr std::uint8_t changes = 8;
} // namespace subscription_note

/// The answer to `connect`.
struct connect_result {
  std::string_view client;
  std::string_view node;
  std::uint32_t ping_s = 0;                    ///< pings come so often, and are to be answered
  std::string_view session{};                  ///< see `session::secret`; empty: there is none
  std::string_view rooms{};                    ///< what `entered` has said
  std::optional<std::uint32_t> expires_in_s{}; ///< unless it is refreshed; none: never
  told_data data{};                            ///< what the operator's program has the client told
};

/// One of the protocol's two formats: appends messages, each of which is a whole payload. `id` is the command's.
/// Stateless, one object a format.
class reply_words {
public:
  [[nodiscard]] virtual frame_type type() const noexcept = 0;
  [[nodiscard]] virtual request_reader& reader() const = 0;

  virtual void error(std::string& out, std::uint32_t id, const centrifugo::error& why) const = 0;
  virtual void connected(std::string& out, std::uint32_t id, const connect_result& is) const = 0;

  /// The place that it names is the one *before* what was recovered: SDKs go on from there with each publication,
  /// so one that is cut off among them misses none.
  virtual void subscribed(std::string& out, const join_reply& reply) const = 0;

  /// Appends a subscription that the server has begun, for the answer to `connect`.
  virtual void entered(std::string& rooms, const join_reply& reply) const = 0;

  /// The push that the server has subscribed the client. What was recovered follows it as publications.
  virtual void subscribed_by_server(std::string& out, const join_reply& reply) const = 0;

  /// The answer to `rpc`.
  virtual void called(std::string& out, const call_answer& is) const = 0;

  /// A result without fields, of `what`.
  virtual void done(std::string& out, std::uint32_t id, method what) const = 0;

  /// The answer to `refresh` and `sub_refresh`; without a request the push.
  virtual void refreshed(std::string& out, const net::refreshed& is) const = 0;

  virtual void presence(std::string& out, const members_answer& is) const = 0;
  virtual void presence_stats(std::string& out, const counts_answer& are) const = 0;
  virtual void history(std::string& out, const history_reply& is) const = 0;

  /// See `protocol::encode_change`.
  virtual void change(std::string& out, const outgoing_publication& before,
                      const outgoing_publication& next) const = 0;

  virtual void publication(std::string& out, const outgoing_publication& is) const = 0;

  /// Somebody came, or went.
  virtual void moved(std::string& out, std::string_view room, bool came,
                     const member_view& who) const = 0;

  virtual void unsubscribed(std::string& out, std::string_view room, const ending& why) const = 0;

  /// The end of the connection, where the wire has no close codes of its own.
  virtual void disconnected(std::string& out, const ending& why) const = 0;

protected:
  ~reply_words() = default;
};

[[nodiscard]] const reply_words& json_words() noexcept;
[[nodiscard]] const reply_words& protobuf_words() noexcept;

/// Appends the message that `write` appends, as it goes over the wire.
template <class Write>
void append_message(const reply_words& words, const framing& frames, std::string& out,
                    Write write) {
  const scratch payload{scratch::level::payload};
  write(payload.text());
  frames.append(out, words.type(), payload.text());
}

[[nodiscard]] inline bool is_message(const outgoing_publication& one) noexcept {
  return one.what == outgoing_publication::kind::message;
}

} // namespace canang::net::centrifugo
