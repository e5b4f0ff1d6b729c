#pragma once

#include "net/hooks/hook_metrics.hpp"
#include "net/hooks/hook_settings.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace boost::asio::ssl {
class context;
} // namespace boost::asio::ssl

namespace canang::net {

/// A request to the operator's program: POST, with JSON.
struct hook_message {
  std::string body{};
  std::vector<std::pair<std::string, std::string>> headers{}; ///< besides those that each has
};

/// What came of it.
struct hook_reply {
  hook_result_kind result = hook_result_kind::unreachable; ///< ok: a status of 200 to 299
  unsigned status = 0;                                     ///< of HTTP, where there is one
  std::string body{};
  std::string traceparent{}; ///< the header of that name, or nothing
  std::string why{};         ///< one line, where the result is not ok
  bool is_of_program =
    false; ///< it has answered, however: else nobody was there, or only a proxy in front
  bool is_unheard = false; ///< not a byte of an answer had come
};

/// One connection to a server of HTTP/1.1, which carries one request at a time. Connects with the first. On one thread;
/// takes no time limit into account: whoever has one closes it.
class hook_link {
public:
  using handler = std::function<void(hook_reply&&)>;

  virtual ~hook_link() = default;

  /// `done` is called once, in a later turn, unless it is closed before.
  virtual void send(hook_message&& message, const std::string& target, handler done) = 0;

  /// Ends it; nobody is told anything any more.
  virtual void close() = 0;

  /// Whether it can carry another request, as far as can be told: the server has not closed it since.
  [[nodiscard]] virtual bool is_reusable() = 0;
};

/// @param to outlives it, as does `tls`, which is for endpoints with TLS.
[[nodiscard]] std::shared_ptr<hook_link> make_hook_link(boost::asio::io_context& io,
                                                        const hook_endpoint& to,
                                                        boost::asio::ssl::context& tls);

} // namespace canang::net
