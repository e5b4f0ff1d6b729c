#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

/// What a client of Centrifugo's protocol says, whichever of its two formats it says it in
/// (https://github.com/centrifugal/protocol, definitions/client.proto: `Command` and what is in it).

namespace canang::net::centrifugo {

/// Commands that one message may bring. Enough for a client that subscribes to all its rooms at once.
inline constexpr std::size_t max_commands_in_message = 4096;

/// Deepest nesting of a command's JSON.
inline constexpr std::size_t max_json_depth = 64;

enum class method : std::uint8_t {
  none, ///< an empty command: the answer to the server's ping
  connect,
  subscribe,
  unsubscribe,
  publish,
  presence,
  presence_stats,
  history,
  ping,
  send,
  rpc,
  refresh,
  sub_refresh,
  unknown, ///< a method that this server does not know
};

/// A place in a room's order, as a client says it.
struct stream_position {
  std::string_view epoch;
  std::uint64_t offset = 0;
};

/// What a client had of a server-side subscription before it connected anew.
struct server_sub {
  std::string_view channel;
  bool recover = false;
  stream_position at{};
};

/// Of these that a `connect` names, the others are not looked at: more than any client can have had.
inline constexpr std::size_t max_server_subs = 1024;

/// One command. Views are of the message, or of the reader's own memory: valid until the next call to the reader.
/// What the command does not say has its default.
struct request {
  std::uint32_t id = 0;
  method what = method::none;

  std::string_view channel{};
  std::string_view token{};
  std::string_view
    data{}; ///< of connect, subscribe, publish, send, rpc: JSON as it was sent, or bytes

  // connect
  std::string_view name{};
  std::string_view version{};
  std::vector<server_sub> subs{};

  // subscribe
  bool recover = false;
  bool positioned = false;
  bool recoverable = false;
  bool join_leave = false;
  std::string_view epoch{};
  std::uint64_t offset = 0;
  std::string_view delta{};

  // history
  std::int32_t limit = 0; ///< 0: only where the room stands; negative: no limit
  std::optional<stream_position> since{};
  bool reverse = false;

  // rpc
  std::string_view rpc_method{};
};

/// What came of reading one command.
enum class read_result : std::uint8_t {
  command, ///< there is one
  end,     ///< there are no more
  bad,     ///< the message breaks the protocol; nothing of it can be read any more
};

/// Reads the commands of one message after the other.
class request_reader {
public:
  request_reader() = default;
  request_reader(const request_reader&) = delete;
  request_reader& operator=(const request_reader&) = delete;

  /// Begins with a message, which must stay as it is until its last command is read.
  virtual void begin(std::string_view message) = 0;

  /// @param into what is there to be read, if the result is `command`; else unspecified.
  [[nodiscard]] virtual read_result next(request& into) = 0;

  /// What of the message has not been read.
  [[nodiscard]] virtual std::string_view rest() const noexcept = 0;

protected:
  ~request_reader() = default;
};

/// Those of the calling thread: a message is read from its beginning to its end before the next one.
[[nodiscard]] request_reader& json_requests();
[[nodiscard]] request_reader& protobuf_requests();

} // namespace canang::net::centrifugo
