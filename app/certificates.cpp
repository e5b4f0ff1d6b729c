#include "app/certificates.hpp"

#include <fmt/chrono.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <ctime>

namespace canang::app {

namespace {

constexpr std::chrono::seconds interval{1};

void say_validity(const net::tls_source& source) {
  const auto end = source.expires_at();
  const auto text =
    fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(end)));
  if (end <= std::time(nullptr))
    spdlog::warn("the certificate {} expired at {}", source.files().certificate, text);
  else
    spdlog::info("the certificate {} is in force, until {}", source.files().certificate, text);
}

void load(net::tls_source& source) {
  if (const auto fault = source.load(); fault.empty())
    say_validity(source);
  else
    spdlog::error("the certificate stays as it was: {}", fault);
}

} // namespace

certificate_watch::certificate_watch(boost::asio::io_context& io, actors::server& server)
  : server_(server), timer_(io) {
  for (const auto* const source : server_.certificates())
    say_validity(*source);
  if (!server_.certificates().empty())
    look_later();
}

void certificate_watch::reload() {
  for (auto* const source : server_.certificates())
    load(*source);
}

void certificate_watch::look_later() {
  timer_.expires_after(interval);
  timer_.async_wait([this](const boost::system::error_code& ec) {
    if (ec)
      return;
    for (auto* const source : server_.certificates())
      if (source->is_stale())
        load(*source);
    look_later();
  });
}

} // namespace canang::app
