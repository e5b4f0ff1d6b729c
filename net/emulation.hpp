#pragma once

#include "base/name_map.hpp"
#include "base/siphash.hpp"
#include "net/metrics.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

/// Clients that hear the server through a response without end, and say what they have to say in requests of their
/// own (Centrifugo calls it emulation): how such a request finds its session.

namespace canang::net {

/// Called once at most, from any thread; may be copied and dropped.
using emulation_answer = std::function<void(emulation_outcome)>;

/// What a request asks for.
struct emulation_request {
  std::string node;    ///< that has the session
  std::string session; ///< its secret
  std::string message; ///< of the client's protocol
};

/// A session that hears its client through other requests. On its loop.
class emulated_session {
public:
  /// The client has said something. It is answered at once: the session has it, or it is not read at present and can't
  /// keep more until it is.
  virtual void take(std::string&& message, emulation_answer answer) = 0;

protected:
  ~emulated_session() = default;
};

/// By which nodes tell a secret of their own from one that somebody made up. Drawn by each node, told to the others.
using emulation_key = siphash_key;

/// As 32 hexadecimal digits, and back; nothing where it is not that.
[[nodiscard]] std::string text_of(const emulation_key& key);
[[nodiscard]] std::optional<emulation_key> read_emulation_key(std::string_view text) noexcept;

/// The sessions of a loop that hear their clients through other requests, by their secrets. A secret is 32 hexadecimal
/// digits, with the number of the loop behind them: 96 bits from the kernel's generator, and 32 bits of a MAC of these
/// and the loop, which nobody without the key can guess either. Part of the loop, on its thread.
class emulated_sessions {
public:
  /// Longest secret, in characters.
  static constexpr std::size_t max_secret_size = 32 + 10;

  /// Once, before the first session.
  void set_loop(std::uint32_t loop, const emulation_key& key) noexcept {
    loop_ = loop;
    key_ = key;
  }

  /// @returns the session's secret. The session must be there until it is removed.
  [[nodiscard]] std::string add(emulated_session& session);

  void remove(std::string_view secret) noexcept;

  /// Hands a message to the session of this secret.
  void take(std::string_view secret, std::string&& message, const emulation_answer& answer) const;

  [[nodiscard]] std::size_t size() const noexcept { return sessions_.size(); }

private:
  name_map<emulated_session*> sessions_;
  std::uint32_t loop_ = 0;
  emulation_key key_{};
};

/// The loop of the session that has this secret, if any has; nothing where it cannot be one.
[[nodiscard]] std::optional<std::uint32_t> loop_of_secret(std::string_view secret) noexcept;

/// Whether a secret was made with this key; one that was made up is so one time of 2^32.
[[nodiscard]] bool is_secret_of(std::string_view secret, const emulation_key& key) noexcept;

/// Brings what clients say to their sessions, on whichever loop or node those are. One a loop, on its thread.
class emulation_relay {
public:
  virtual void relay(emulation_request&& request, emulation_answer answer) = 0;

protected:
  ~emulation_relay() = default;
};

} // namespace canang::net
