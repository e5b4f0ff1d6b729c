#pragma once

#include "base/trace_context.hpp"
#include "net/auth/identity.hpp"
#include "net/hooks/hook_kind.hpp"
#include "net/hooks/hook_origin.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// What the operator's program answers, in the format of Centrifugo's proxies (https://centrifugal.dev/docs/server/proxy,
/// internal/proxyproto/proxy.proto of Centrifugo).

namespace canang::net {

/// Longest body of an answer, in bytes: as much as a message may have by default, and nothing that is decided needs
/// more.
inline constexpr std::size_t max_hook_answer_bytes = 64 * 1024;

/// Deepest nesting of its JSON.
inline constexpr std::size_t max_hook_depth = 64;

/// Longest reason of a disconnect in bytes, which is what a close frame has room for (RFC 6455, 5.5.1).
inline constexpr std::size_t max_hook_reason_bytes = 123;

/// Yes. What a kind of question has no use for is not read.
struct hook_result {
  std::string user{};      ///< of connect
  expiry expires_at{};     ///< none: never
  bool is_expired = false; ///< of the refreshes: it is to go
  std::string info{};      ///< what others are told of it: JSON in one line, or nothing
  bool says_info = false;  ///< of the refreshes: else the info stays
  hook_data_ptr data{};    ///< for the client; of publish: what is published instead. Null: none
  std::vector<std::string> rooms{}; ///< of connect: that it is put in
  std::vector<token_grant>
    grants{};         ///< of connect: what it may do beyond what the rooms' settings allow
  std::string meta{}; ///< of connect: comes with all that is asked later. JSON, or nothing
  std::optional<trace_context> trace{}; ///< what comes of it goes on there; none: is not followed
};

/// No, in the words of the operator's program.
struct hook_refusal {
  std::uint32_t code = 0;
  std::string text{};
  bool is_temporary = false;  ///< of an error: the client may try again
  bool is_disconnect = false; ///< the connection is to end
  std::string wrong{};        ///< with how it is said, in one line for the log; empty: nothing
};

/// There is no answer: none came in time, or none that can be read.
struct hook_fault {
  bool is_absent = false; ///< nobody was there to ask: no connection, no time, or only a proxy
};

/// What came of a question.
using hook_outcome = std::variant<hook_result, hook_refusal, hook_fault>;

/// What is wrong with an answer, in one line.
using bad_hook_answer = std::string;

/// Reads the body of an answer with status 200. Strict where Centrifugo's reader is: a number in quotes is none. Of
/// members of one name the last counts, those that are not known may be anything, and `null` is as if it were not there.
/// A disconnect counts before an error, an error before a result; without any of them it is none. Names are compared
/// without case, as Centrifugo's reader does. What is meant for a no is one, also where it is said wrongly; and a refresh
/// that says nothing, or not how long the client may stay, is the end, as in Centrifugo.
[[nodiscard]] std::variant<hook_result, hook_refusal, bad_hook_answer>
parse_hook_answer(hook_kind what, std::string_view body);

} // namespace canang::net
