#pragma once

#include "base/trace_context.hpp"
#include "net/hooks/hook_answer.hpp"
#include "net/hooks/hook_kind.hpp"
#include "net/hooks/hook_origin.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace canang::net {

/// What is asked. What a kind does not have is empty.
struct hook_question {
  std::string_view client{}; ///< as the presence has it
  std::string_view user{};
  std::string_view meta{}; ///< JSON, or nothing
  std::string_view room{};
  std::string_view method{};
  std::string_view data{}; ///< JSON, or bytes
  bool has_data = false;
  std::string_view name{}; ///< of the client's program
  std::string_view version{};
  std::span<const std::string> rooms{};
};

/// A question on its way.
struct hook_order {
  hook_kind what = hook_kind::connect;
  std::string body{}; ///< by `encode_hook_request`
  hook_origin_ptr origin{};
  std::weak_ptr<const void> asker{};       ///< once it has expired, the question costs nothing more
  boost::asio::io_context* home = nullptr; ///< whose thread is told; outlives the source's work
  std::function<void(hook_outcome&&)> done{};
  std::optional<trace_context> trace{}; ///< its span, where it is followed
};

/// Something that the operator's program is told of.
struct hook_event {
  hook_kind what = hook_kind::disconnect; ///< one that `is_event`
  std::string body{};                     ///< an object in JSON
};

/// Who answers what the operator's program is asked about clients. From any thread.
class hook_source {
public:
  virtual ~hook_source() = default;

  /// Whether anybody is asked that.
  [[nodiscard]] virtual bool has(hook_kind what) const noexcept = 0;

  /// Never waits. `done` is called once on the thread of `home`, in a later turn; not when the asker has gone, and not
  /// after the source has stopped.
  virtual void ask(hook_order&& order) = 0;

  /// Never waits. Nobody hears what becomes of it; what comes when too many wait is lost, and counted.
  virtual void tell(hook_event&& event) = 0;

  /// Whether clients may subscribe and publish where there is no answer.
  [[nodiscard]] virtual bool fails_open() const noexcept = 0;

  /// Names of the header fields of clients' requests that are passed on, in lower case.
  [[nodiscard]] virtual const std::vector<std::string>& passed_headers() const noexcept = 0;
};

/// What a program is told of a client that has gone.
struct gone_client {
  std::string_view client{}; ///< as the presence has it
  std::string_view user{};
  std::string_view meta{}; ///< JSON, or nothing
  std::uint16_t code = 0;  ///< as `close_info` has it
  std::string_view reason{};
};

/// The events, as the program gets them. `at` is in milliseconds of Unix time.
[[nodiscard]] std::string encode_disconnect_event(std::int64_t at, const gone_client& of,
                                                  const hook_origin& origin);

/// As those of Centrifugo's channels, with the node that tells it.
[[nodiscard]] std::string encode_room_event(std::int64_t at, std::string_view room,
                                            bool is_occupied, std::string_view node);

/// The body of a request: JSON, as Centrifugo's proxies have it. Data that is no JSON goes as `b64data`, and then
/// `encoding` is `binary`.
[[nodiscard]] std::string encode_hook_request(hook_kind what, const hook_question& question,
                                              const hook_origin& origin);

} // namespace canang::net
