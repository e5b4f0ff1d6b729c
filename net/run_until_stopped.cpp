#include "net/run_until_stopped.hpp"

#include <spdlog/spdlog.h>

#include <exception>

namespace canang::net {

void run_until_stopped(boost::asio::io_context& io, std::string_view whose) {
  for (;;) {
    try {
      io.run();
      return;
    } catch (const std::exception& fault) {
      spdlog::error("a handler of {} failed: {}", whose, fault.what());
    }
  }
}

} // namespace canang::net
