#pragma once

#include "net/auth/identity.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace canang::net {

/// What a client wants to do in a room.
enum class room_action : std::uint8_t { subscribe, publish, presence, history };

/// May it?
enum class verdict : std::uint8_t {
  allowed,
  refused,     ///< it may not
  ask,         ///< the operator's program decides
  unavailable, ///< cannot be told at present
};

/// What is asked: may this client do that in this room?
struct room_question {
  const identity& who;
  room_action what;
  std::string_view room;
  bool is_member = false; ///< of the room, or becomes one by the same request
};

/// A client shows a token of a room.
struct pass_question {
  const identity& who;
  std::string_view client; ///< as the presence has it
  std::string_view room;
  std::string_view token;
};

/// Decides who clients are, and what they may do. Used on the loop of the connection that asks. Every handler is called
/// once, on that loop: before the call ends, or later. Views in questions are valid during the call only.
class authorizer {
public:
  using handler = std::function<void(verdict)>;
  using identity_handler = std::function<void(proof, client_admission&&)>;
  using pass_handler = std::function<void(proof, room_pass&&)>;

  virtual ~authorizer() = default;

  /// Who is it? With `proof::good` there is an answer.
  virtual void identify(credentials&& shown, identity_handler decided) = 0;

  virtual void decide(const room_question& question, handler decided) = 0;

  /// Is the token good for this client in this room? Then it may subscribe, whatever `decide` says of that.
  virtual void check_pass(const pass_question& question, pass_handler decided) = 0;

  /// Whether there are keys that tokens are checked with, or are to be. From any thread.
  [[nodiscard]] virtual bool are_tokens_expected() const noexcept { return false; }

  /// Grows when what was decided may be decided otherwise now: a verdict that somebody remembers holds as long
  /// as this is what it was before the question. From any thread.
  [[nodiscard]] virtual std::uint64_t generation() const noexcept { return 0; }
};

} // namespace canang::net
