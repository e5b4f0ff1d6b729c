#pragma once

#include "app/jwks_url.hpp"
#include "net/auth/token_keys.hpp"

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <chrono>
#include <string>
#include <variant>

namespace canang::app {

/// One request for a key set. Follows no redirect, reads no more than 256 KiB, and checks the server's certificate
/// against the system's authorities. Made, run and destroyed on one thread, which waits for it.
class jwks_fetch {
public:
  /// The keys, or a line that says why there are none.
  using outcome = std::variant<net::token_keys, std::string>;

  /// @param timeout for all of it but looking up the name, which takes as long as the system lets it.
  [[nodiscard]] outcome run(const jwks_url& url, std::chrono::milliseconds timeout);

  /// Ends `run` early, once for all. From any thread, while this lives.
  void stop();

private:
  template <class Start>
  void step(Start start);
  template <class Stream>
  std::string ask(Stream& stream, const jwks_url& url);
  std::string body_of(const jwks_url& url, std::chrono::milliseconds timeout);

  boost::asio::io_context io_{1};
  std::atomic<bool> is_stopped_{false};
};

} // namespace canang::app
