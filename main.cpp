// The composition root: reads the options, builds the server, waits for a signal or its end.

#include "actors/server.hpp"
#include "app/admin/console.hpp"
#include "app/admin/endpoints.hpp"
#include "app/allocator.hpp"
#include "app/certificates.hpp"
#include "app/console_pages.hpp"
#include "app/hook_metrics_text.hpp"
#include "app/hook_options.hpp"
#include "app/identity_options.hpp"
#include "app/import/import_centrifugo.hpp"
#include "app/logging.hpp"
#include "app/memory_budget.hpp"
#include "app/operator_client.hpp"
#include "app/options.hpp"
#include "app/pages.hpp"
#include "app/reload.hpp"
#include "app/token_command.hpp"
#include "app/token_key_source.hpp"
#include "app/trace_metrics_text.hpp"
#include "app/trace_options.hpp"
#include "net/protocol/centrifugo_endpoints.hpp"
#include "net/protocol/plain_endpoints.hpp"
#include "net/protocol/sse_endpoints.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>

namespace {

/// The first signal drains, a second one ends the process at once.
void await_signal(boost::asio::signal_set& signals, canang::actors::server& server,
                  bool is_draining) {
  signals.async_wait([&, is_draining](const boost::system::error_code& ec, int signal) {
    if (ec)
      return;
    if (is_draining) {
      spdlog::warn("second signal: ending at once");
      canang::app::drain_logging(); // the other threads are still at work, and log
      std::_Exit(128 + signal);
    }
    server.shut_down(signal != SIGINT); // who presses Ctrl-C has no balancer in front
    await_signal(signals, server, true);
  });
}

/// Each SIGHUP has the configuration and the certificates read again.
void await_hangup(boost::asio::signal_set& hangups, canang::app::configuration_reload& reload,
                  canang::app::certificate_watch& certificates, canang::actors::server& server) {
  hangups.async_wait([&](const boost::system::error_code& ec, int) {
    if (ec)
      return;
    reload.run(server);
    certificates.reload();
    await_hangup(hangups, reload, certificates, server);
  });
}

/// What only shows when one tries: a refused password, a file that cannot be read.
std::string check_shards(const canang::actors::cluster_options& cluster) {
  for (const auto& shard : cluster.shards) {
    if (auto fault = canang::cluster::check_redis(shard, cluster.links); !fault.empty())
      return fault;
  }
  return {};
}

/// What the public port answers, on each loop.
void add_public_endpoints(canang::net::router& paths, const canang::net::session_door& door) {
  canang::net::add_plain_endpoints(paths, door);
  canang::net::add_sse_endpoints(paths, door);
  canang::net::add_centrifugo_endpoints(paths, door);
  canang::app::add_public_pages(paths);
}

/// The parts of `main` that outlive `serve`.
struct process {
  int argc;
  const char* const* argv;
  boost::asio::io_context& io;
  boost::asio::signal_set& hangups; // queued since before the options were read
};

int serve(const process& own, canang::app::options& options) {
  const auto limits = canang::app::settle_limits(options.server);
  if (!limits.fault.empty()) {
    std::cerr << "canang: " << limits.fault << '\n';
    return 1;
  }
  auto& memory_used = options.server.memory_used;
  memory_used =
    canang::app::without_kept(std::move(memory_used), canang::app::bytes_kept_by_allocator);
  const auto identities = canang::app::settle_identities(options);
  if (!identities.fault.empty()) {
    std::cerr << "canang: " << identities.fault << '\n';
    return 1;
  }
  if (const auto fault = check_shards(options.server.cluster); !fault.empty()) {
    std::cerr << "canang: " << fault << '\n';
    return 1;
  }
  canang::app::token_key_source token_keys{options.tokens};
  options.server.tokens = {
    .keys = &token_keys.keys(),
    .rules = options.tokens.rules,
    .on_unknown_key = [&token_keys](std::string_view kid) { return token_keys.wanted(kid); }};
  canang::actors::server server{
    options.server,
    {.add_public = add_public_endpoints,
     .add_internal = [&token_keys, &options, &hooks = options.server.hooks](auto& paths,
                                                                            auto& node) {
       canang::admin::add_internal_endpoints_with(paths, node, [&token_keys, &hooks, &node] {
         return canang::app::token_key_metrics(token_keys)
                + canang::app::hook_metrics_text(hooks, node.hook_metrics())
                + canang::app::trace_metrics_text(node.trace_metrics());
       });
       canang::admin::add_console(paths, node, options.console);
       canang::app::add_console_pages(paths, !options.server.internal_access.key.empty());
     }}};
  if (const auto fault = server.bind(); !fault.empty()) {
    std::cerr << "canang: " << fault << '\n';
    return 1;
  }
  canang::app::set_up_logging(options.log_level, options.log_format);
  if (!limits.warning.empty())
    spdlog::warn(limits.warning);
  if (!identities.warning.empty())
    spdlog::warn(identities.warning);
  if (const auto warning = canang::app::hook_warning(options.server.hooks); !warning.empty())
    spdlog::warn(warning);
  if (const auto warning = canang::app::trace_warning(options.server.tracing); !warning.empty())
    spdlog::warn(warning);
  auto& io = own.io;
  boost::asio::signal_set signals{io, SIGTERM, SIGINT};
  canang::app::configuration_reload reload{own.argc, own.argv, options, token_keys};
  token_keys.start();
  canang::app::certificate_watch certificates{io, server};
  server.start([&](bool drained) {
    if (!drained) { // something vital died: nothing here can be trusted to stop in order
      canang::app::drain_logging();
      std::_Exit(1);
    }
    boost::asio::post(io, [&] { io.stop(); });
  });
  await_signal(signals, server, false);
  await_hangup(own.hangups, reload, certificates, server);
  io.run();
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  boost::asio::io_context io{1};
  boost::asio::signal_set hangups{io,
                                  SIGHUP}; // before the file is read, so that no change is missed
  canang::app::options options;
  const auto parsed = canang::app::parse_options(argc, argv, options);
  const canang::app::operator_order order{parsed.url, options.server.internal_listen,
                                          options.server.internal_access.key,
                                          options.server.internal_tls};
  switch (parsed.what) {
  case canang::app::command::leave: return parsed.exit_code;
  case canang::app::command::health: return canang::app::ask_health(order);
  case canang::app::command::drain: return canang::app::order_drain(order);
  case canang::app::command::reload: return canang::app::order_reload(parsed.process_id);
  case canang::app::command::import_centrifugo:
    return canang::app::print_centrifugo_import(parsed.file);
  case canang::app::command::token:
    return canang::app::run_token_command(parsed.token, options.tokens);
  case canang::app::command::serve: break;
  }
  const int exit_code = serve({argc, argv, io, hangups}, options);
  canang::app::end_logging();
  return exit_code;
}
