#include "actors/server.hpp"

#include "net/metrics_text.hpp"

#include <caf/actor_registry.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

namespace canang::actors {

namespace {

/// A loop that has not turned for so long is stuck; it ticks every 100 ms.
constexpr std::chrono::seconds stuck_after{5};

net::page_response json_response(unsigned status, std::string body) {
  auto response = net::text_response(status, std::move(body));
  response.content_type = "application/json";
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

} // namespace

server::system_config::system_config() {
  // the central queue sleeps on a condition; CAF's default, work stealing, polls a hundred times a
  // second a thread. All that is fast runs on the loops.
  set("scheduler.policy", caf::atom("sharing"));
  set("scheduler.max-threads", std::size_t{1});
}

server::server(const server_options& options, page_function page)
  : options_(options),
    page_(std::move(page)),
    system_(config_),
    start_time_seconds_(std::chrono::duration_cast<std::chrono::seconds>(
                          std::chrono::system_clock::now().time_since_epoch())
                          .count()) {}

server::~server() {
  if (internal_loop_)
    internal_loop_->stop();
  internal_listener_.reset();
  if (node_ && status_ != node_phase::stopped)
    caf::anon_send_exit(node_, caf::exit_reason::kill);
  node_ = nullptr;
  for (const auto& own : cast_) {
    for (const auto& standing : {own.directory, own.heartbeat, own.hub})
      caf::anon_send_exit(standing, caf::exit_reason::user_shutdown);
  }
  cast_.clear();
  if (!homes_.empty())
    system_.await_all_actors_done();
  for (auto& home : homes_)
    home->stop();
  homes_.clear();
}

std::string server::bind() {
  boost::system::error_code ec;
  internal_ = net::listen_on(options_.internal_listen, 1, ec);
  if (ec)
    return fmt::format("--internal-listen {}: {}", net::to_text(options_.internal_listen),
                       ec.message());
  public_ = net::listen_on(options_.listen, options_.workers, ec);
  if (ec)
    return fmt::format("--listen {}: {}", net::to_text(options_.listen), ec.message());
  return {};
}

void server::start(std::function<void(bool)> on_end) {
  spdlog::info("listening on {}", net::to_text(public_.endpoint));
  spdlog::info("internal listening on {}", net::to_text(internal_.endpoint));
  for (std::uint32_t i = 0; i < options_.workers; ++i)
    homes_.push_back(std::make_unique<loop_home>(system_, i, options_.loops, cast_, status_));
  internal_loop_ = std::make_unique<loop>(system_, options_.workers, options_.loops.limits);
  internal_routes_.page = [this](const net::page_request& request) {
    return internal_page(request);
  };
  internal_listener_ = std::make_unique<net::listener>(internal_loop_->context(), internal_routes_,
                                                       internal_.descriptors.front(),
                                                       internal_.endpoint.address().is_v6());
  internal_loop_->post([this] { internal_listener_->start(); });
  internal_loop_->start();
  node_ = system_.spawn<node>(node_parts{homes_, cast_, status_, public_, page_, options_.drain});
  node_->attach_functor(
    [on_end = std::move(on_end)](const caf::error& reason) { on_end(!reason); });
}

void server::shut_down() { caf::anon_send(node_, actors::shut_down{}); }

net::page_response server::internal_page(const net::page_request& request) {
  if (request.path == "/healthz")
    return health();
  if (request.path == "/readyz")
    return readiness();
  if (request.path == "/metrics")
    return metrics();
  return net::text_response(404, "there are /healthz, /readyz and /metrics here");
}

net::page_response server::health() const {
  const auto now = loop::clock::now().time_since_epoch();
  for (std::size_t i = 0; i < homes_.size(); ++i) {
    const std::chrono::nanoseconds last{homes_[i]->metrics().last_turn_ns.load()};
    if (last.count() != 0 && now - last > stuck_after)
      return json_response(
        503, fmt::format(R"({{"healthy":false,"reason":"loop {} has not turned for {} s"}})", i,
                         std::chrono::duration_cast<std::chrono::seconds>(now - last).count()));
  }
  return json_response(200, R"({"healthy":true})");
}

net::page_response server::readiness() const {
  const auto phase = status_.load();
  if (phase == node_phase::ready)
    return json_response(200, R"({"ready":true})");
  return json_response(503, fmt::format(R"({{"ready":false,"reason":"{}"}})", to_string(phase)));
}

net::page_response server::metrics() {
  std::vector<const net::loop_metrics*> loops;
  for (const auto& home : homes_)
    loops.push_back(&home->metrics());
  net::process_figures figures;
  net::read_process_figures(figures);
  figures.actors = system_.registry().running();
  figures.start_time_seconds = start_time_seconds_;
  figures.ready = status_ == node_phase::ready;
  figures.version = options_.version;
  net::page_response response;
  response.content_type = net::metrics_content_type;
  response.body = net::metrics_text(loops, figures);
  return response;
}

} // namespace canang::actors
