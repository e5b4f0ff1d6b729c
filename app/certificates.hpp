#pragma once

#include "actors/server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace canang::app {

/// Has the ports that speak TLS take certificates that are replaced while they serve: it looks at the files every
/// second, and reads them once they have stayed the same for one. A bad one leaves the old one in force, with a line
/// in the log. Made, used and destroyed on the main thread; `server` outlives it.
class certificate_watch {
public:
  certificate_watch(boost::asio::io_context& io, actors::server& server);

  /// Reads all of them again, changed or not, as SIGHUP asks for.
  void reload();

private:
  void look_later();

  actors::server& server_;
  boost::asio::steady_timer timer_;
};

} // namespace canang::app
