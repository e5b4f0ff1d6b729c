#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace canang::net {

/// Who a connection is.
struct identity {
  std::string user{};     ///< as it names itself, or as its token does; may be empty
  bool is_proved = false; ///< by a token
};

/// What a client wants to do in a room.
enum class room_action : std::uint8_t { subscribe, publish, presence, history };

/// May it?
enum class verdict : std::uint8_t {
  allowed,
  refused,     ///< it may not
  unavailable, ///< cannot be told at present
};

/// What is asked: may this client do that in this room?
struct room_question {
  const identity& who;
  room_action what;
  std::string_view room;
  bool is_member = false; ///< of the room, or becomes one by the same request
};

/// Decides what clients may do. Used on the loop of the connection that asks.
class authorizer {
public:
  using handler = std::function<void(verdict)>;

  virtual ~authorizer() = default;

  /// `decided` is called once, on the loop that asks: before the call ends, or later. Views in `question` are
  /// valid during the call only.
  virtual void decide(const room_question& question, handler decided) = 0;

  /// Grows when what was decided may be decided otherwise now: a verdict that somebody remembers holds as long
  /// as this is what it was before the question. From any thread.
  [[nodiscard]] virtual std::uint64_t generation() const noexcept { return 0; }
};

} // namespace canang::net
