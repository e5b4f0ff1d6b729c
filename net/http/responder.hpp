#pragma once

#include "net/address_counts.hpp"
#include "net/http/rejection.hpp"
#include "net/http/types.hpp"
#include "net/loop_context.hpp"
#include "net/socket/client_socket.hpp"

#include <functional>
#include <string>

namespace canang::net {

/// Takes an answer that comes later: once, from any thread; may be copied and dropped on any thread. What is
/// said twice, or after `late_answer_timeout`, is dropped. When the last copy goes and nothing was said, the
/// client gets 503.
using late_responder = std::function<void(page_response&&)>;

/// A connection that is HTTP no more.
struct taken_connection {
  client_socket socket;        ///< in the loop's `io_context`; nothing waits on it
  http_request_header request; ///< the one that it was taken with
  std::string already_read;    ///< bytes that came right behind it
  address_ticket ticket;       ///< to be kept as long as the connection is there
};

/// Answers one request, once, in one of four ways. A reference to be used on the loop's thread, during the
/// handler's call only. A handler that does nothing of all this, or throws, is answered for with 500.
class responder {
public:
  virtual void reply(page_response&& response) = 0;

  /// Refuses, counts why in `canang_handshakes_rejected_total`, and closes. For what is asked to become a
  /// session.
  virtual void refuse(rejection&& wrong) = 0;

  /// For an answer that is not known yet. The client gets 503 where none comes within `late_answer_timeout`.
  [[nodiscard]] virtual late_responder reply_later() = 0;

  /// Takes the connection away from HTTP, to be answered and closed by the caller. The request is gone
  /// afterwards: its fields are in what is returned.
  [[nodiscard]] virtual taken_connection take_over() = 0;

protected:
  ~responder() = default;
};

} // namespace canang::net
