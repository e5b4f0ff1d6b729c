#pragma once

#include "net/hooks/hook_link.hpp"
#include "net/hooks/hook_metrics.hpp"
#include "net/hooks/hook_settings.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <list>
#include <memory>
#include <utility>

namespace canang::net {

/// The connections to the operator's program, of all hooks: those that nothing is under way on are kept for the next
/// request to the same server. Owned by `hook_caller::engine`, on the thread of the hooks.
class hook_pool {
public:
  using clock = std::chrono::steady_clock;

  /// Those that are referred to outlive it.
  /// @throws std::runtime_error where the file of authorities cannot be used.
  hook_pool(boost::asio::io_context& io, const hook_settings& settings, hook_metrics& metrics);

  /// One that had carried requests before; null: there is none.
  [[nodiscard]] std::shared_ptr<hook_link> take_old(hook_kind what);

  [[nodiscard]] std::shared_ptr<hook_link> make_new(hook_kind what);

  /// Keeps it, if it can carry another request.
  void give_back(hook_kind what, std::shared_ptr<hook_link> link);

private:
  /// Connections to one host and port, the one used last at the end.
  struct idle_links {
    const hook_endpoint& to;
    std::list<std::pair<std::shared_ptr<hook_link>, clock::time_point>> links;
  };

  [[nodiscard]] idle_links& links_to(hook_kind what);
  void drop_old();

  boost::asio::io_context& io_;
  const hook_settings& settings_;
  hook_metrics& metrics_;
  boost::asio::ssl::context tls_;
  boost::asio::steady_timer sweeps_;
  std::list<idle_links> idle_; // one for each host and port
};

} // namespace canang::net
