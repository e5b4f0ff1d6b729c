#include "actors/server.hpp"

#include "actors/cluster_pages.hpp"
#include "actors/node/memory_owners.hpp"
#include "actors/runtime/failures.hpp"
#include "cluster/epoch.hpp"
#include "net/http/target.hpp"
#include "net/json.hpp"
#include "net/metrics_text.hpp"

#include <caf/actor_registry.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <random>
#include <utility>
#include <vector>

namespace canang::actors {

namespace {

/// A loop that has not turned for so long is stuck; it ticks every 100 ms.
constexpr std::chrono::seconds stuck_after{5};

/// How often it is looked how much memory is used; at 5,000 connections a second 5 MB come in between.
constexpr std::chrono::milliseconds memory_interval{200};

/// Without a probe that came back for so long, what is published elsewhere may not arrive here.
constexpr std::chrono::seconds unproven_after{10};

/// What a room that is kept without members and without a history takes, about.
constexpr std::uint64_t least_room_memory_bytes = 400;

/// `part` of `all` in the proportion of `whole`, rounded up.
std::uint64_t share_of(std::uint64_t whole, std::uint64_t part, std::uint64_t all) {
  return static_cast<std::uint64_t>(static_cast<double>(whole) * static_cast<double>(part)
                                    / static_cast<double>(all))
         + 1;
}

/// The settings that flat options make.
std::shared_ptr<cluster::room_settings_source> settings_of(const server_options& options) {
  auto table = std::make_shared<cluster::room_settings_table>();
  table->rooms = options.loops.history;
  table->rules = options.cluster.rules;
  return std::make_shared<cluster::room_settings_source>(std::move(table));
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
    admission_(options_.admission),
    addresses_(options_.admission.connections_per_address),
    outbox_budget_(options_.outbox_budget_bytes),
    rooms_(options_.max_rooms),
    pressure_(options_.admission.max_memory_bytes),
    start_time_seconds_(std::chrono::duration_cast<std::chrono::seconds>(
                          std::chrono::system_clock::now().time_since_epoch())
                          .count()) {
  identity_.id = cluster::make_epoch();
  std::random_device source;
  identity_.origin = std::uint64_t{source()} << 32U | source();
  auto& presence = options_.loops.presence;
  presence = {identity_.id, describe_member};
  if (!options_.settings)
    options_.settings = settings_of(options_);
  for (const auto& target : options_.cluster.shards) {
    shards_.push_back(std::make_unique<shard_status>());
    shards_.back()->identity = target.identity();
  }
  divide_history_budget();
}

void server::divide_history_budget() {
  const auto part = [all = options_.history_budget_bytes](std::size_t parts) {
    return all == 0 ? std::numeric_limits<std::size_t>::max()
                    : static_cast<std::size_t>(all) / std::max<std::size_t>(parts, 1);
  };
  options_.loops.keeping.total_bytes = part(options_.workers);
  options_.cluster.rooms.window_total_bytes = part(shards_.size());
  options_.cluster.rooms.max_rooms = options_.max_rooms;
}

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
  for (const auto& linked : bridges_.by_shard)
    caf::anon_send_exit(linked, caf::exit_reason::user_shutdown);
  if (!homes_.empty())
    system_.await_all_actors_done();
  for (auto& home : homes_)
    home->stop();
  cast_.clear(); // read by actors, and by bridges' handlers, until their threads have ended
  bridges_.by_shard.clear();
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
    homes_.push_back(std::make_unique<loop_home>(system_, i, options_.loops, cast_, bridges_,
                                                 status_, admission_, outbox_budget_, rooms_,
                                                 *options_.settings));
  auto internal_limits = options_.loops.limits;
  internal_limits.max_http_connections = net::max_internal_connections;
  internal_loop_ = std::make_unique<loop>(system_, options_.workers, internal_limits);
  watch_memory();
  own_description_.emplace(description());
  open_internal_port();
  net::routes paths;
  paths.page = page_;
  paths.handshakes = options_.handshakes;
  if (options_.admission.connections_per_address != 0)
    paths.addresses = &addresses_;
  node_ = system_.spawn<node>(node_parts{
    homes_, cast_, bridges_, [this](std::size_t shard) { return parts_of_bridge(shard); }, shards_,
    status_, public_, std::move(paths), options_.drain, identity_.id,
    options_.cluster.rebalance_after});
  node_->attach_functor(
    [on_end = std::move(on_end)](const caf::error& reason) { on_end(!reason); });
}

void server::open_internal_port() {
  const bool is_loopback = internal_.endpoint.address().is_loopback();
  if (!is_loopback && options_.internal_access.key.empty())
    spdlog::warn("the internal port is open beyond loopback without --internal-key: it answers "
                 "/healthz, /readyz and /metrics only");
  internal_routes_.guard = [access = net::internal_access{options_.internal_access, is_loopback}](
                             const net::page_request& request) { return access.refusal(request); };
  internal_routes_.page = [this](const net::page_request& request) {
    return internal_page(request);
  };
  internal_routes_.action = [this](const net::page_request& request) {
    return internal_action(request);
  };
  internal_routes_.slow_page = [this](const net::page_request& request,
                                      net::page_responder respond) {
    return ask_room(request, std::move(respond));
  };
  internal_listener_ = std::make_unique<net::listener>(internal_loop_->context(), internal_routes_,
                                                       internal_.descriptors.front(),
                                                       internal_.endpoint.address().is_v6());
  internal_loop_->post([this] { internal_listener_->start(); });
  internal_loop_->start();
}

/// The internal loop has the time to read files.
void server::watch_memory() {
  if (!options_.memory_used)
    return;
  look_at_memory();
  internal_loop_->on_tick(
    [this, next = loop::clock::time_point{}](loop::clock::time_point now) mutable {
      if (now < next)
        return;
      next = now + memory_interval;
      look_at_memory();
      relieve_memory(now);
    });
}

/// Lets what is kept for who may come back give way when memory is over its limit: each loop and bridge
/// its share.
void server::relieve_memory(loop::clock::time_point now) {
  if (status_ == node_phase::starting) // the cast is not complete
    return;
  std::vector<std::pair<std::uint64_t, const caf::actor*>> keepers; // what each could let go
  std::uint64_t all = 0;
  std::uint64_t let_go = 0;
  const auto add = [&](std::uint64_t bytes, const caf::actor& keeper) {
    keepers.emplace_back(bytes, &keeper);
    all += bytes;
  };
  for (std::size_t i = 0; i < homes_.size(); ++i) {
    const auto& of_loop = homes_[i]->metrics();
    let_go += of_loop.shed_bytes_total.value();
    add(of_loop.idle_history_memory_bytes.value()
          + of_loop.idle_rooms.value() * least_room_memory_bytes,
        cast_[i].directory);
  }
  for (std::size_t i = 0; i < bridges_.by_shard.size(); ++i) {
    const auto& of_shard = shards_[i]->metrics;
    let_go += of_shard.shed_bytes.value();
    add(of_shard.windows_memory_bytes.value(), bridges_.by_shard[i]);
  }
  const auto wanted = pressure_.to_shed(admission_.memory_used_bytes(), let_go, now);
  for (const auto& [bytes, keeper] : keepers)
    if (wanted > 0 && bytes > 0)
      caf::anon_send(*keeper, shed_memory{share_of(wanted, bytes, all)});
}

/// Above the limit nobody is let in, and those who are there may hold less.
void server::look_at_memory() {
  const auto used = options_.memory_used();
  admission_.set_memory_used(used);
  outbox_budget_.set_memory(used, admission_.limits().max_memory_bytes);
}

bridge_parts server::parts_of_bridge(std::size_t shard) const {
  const auto& cluster = options_.cluster;
  bridge_parts parts{
    cluster.shards[shard], cluster.links,
    cluster.rooms,         identity_,
    *options_.settings,    options_.loops.presence,
    *shards_[shard],       [describe = description()]() mutable { return describe(); }};
  parts.rooms.publish_buffer_bytes /= shards_.size();
  for (cluster::partition_id partition = 0; partition < cluster::partition_count; ++partition)
    if (bridges_.partitions->shard_of(partition) == shard)
      parts.rooms.partitions.push_back(partition);
  return parts;
}

std::vector<const net::loop_metrics*> server::loops() const {
  std::vector<const net::loop_metrics*> all;
  for (const auto& home : homes_)
    all.push_back(&home->metrics());
  return all;
}

node_description server::description() const {
  const auto& given = options_.cluster.advertise;
  return {identity_.id,     given.empty() ? net::to_text(internal_.endpoint) : given,
          options_.version, start_time_seconds_,
          loops(),          status_};
}

/// `/rooms/NAME` and `/rooms/NAME/presence`: asks who knows, and answers later.
bool server::ask_room(const net::page_request& request, net::page_responder respond) {
  static constexpr std::string_view prefix = "/rooms/";
  static constexpr std::string_view members_suffix = "/presence";
  if (!request.path.starts_with(prefix))
    return false;
  auto path = request.path.substr(prefix.size());
  const bool with_members = path.ends_with(members_suffix);
  if (with_members)
    path.remove_suffix(members_suffix.size());
  const auto room = net::percent_decode(path);
  if (!room || !net::is_room_name(*room)) {
    respond(net::text_response(400, std::string{net::room_name_rule}));
    return true;
  }
  if (status_ == node_phase::starting) { // the cast is not complete
    respond(json_response(503, R"({"reason":"starting"})"));
    return true;
  }
  const auto& knows =
    bridges_.is_clustered() ? bridges_.of(*room) : cast_[home_of(*room, cast_.size())].directory;
  caf::anon_send(knows, room_query{*room, with_members,
                                   [name = *room, with_members,
                                    respond = std::move(respond)](cluster::room_report&& report) {
                                     respond(room_page(name, with_members, report));
                                   }});
  return true;
}

std::string server::cluster_fault() const {
  const std::chrono::nanoseconds now = loop::clock::now().time_since_epoch();
  for (const auto& shard : shards_) {
    const std::chrono::nanoseconds last{shard->metrics.last_probe_ns.load()};
    if (last.count() != 0 && now - last <= unproven_after)
      continue;
    auto why = shard->metrics.why_down.get();
    if (why.empty())
      why = fmt::format("redis {}: not reachable", shard->identity);
    if (last.count() == 0)
      return why;
    return fmt::format("{}; delivery was last proved {} s ago", why,
                       std::chrono::duration_cast<std::chrono::seconds>(now - last).count());
  }
  return {};
}

/// Nodes that are all unready at once help nobody, so this does not make one unready.
std::string server::publishing_fault() const {
  for (const auto& shard : shards_) {
    const auto& metrics = shard->metrics;
    auto why = metrics.up.value() != 0 ? metrics.why_refused.get() : metrics.why_down.get();
    if (!why.empty())
      return why;
  }
  return {};
}

void server::shut_down(bool with_grace) { caf::anon_send(node_, actors::shut_down{with_grace}); }

/// The answer tells of what has begun; `/metrics` and the log tell how it goes on.
std::optional<net::page_response> server::internal_action(const net::page_request& request) {
  if (request.path != "/drain")
    return std::nullopt;
  if (status_ == node_phase::starting)
    return json_response(503, R"({"reason":"starting"})");
  shut_down();
  return json_response(
    202, fmt::format(R"({{"draining":true,"connections":{}}})", admission_.open_connections()));
}

net::page_response server::internal_page(const net::page_request& request) {
  if (request.path == "/healthz")
    return health();
  if (request.path == "/readyz")
    return readiness();
  if (request.path == "/metrics")
    return metrics();
  if (request.path == "/nodes")
    return nodes();
  if (request.path == "/drain") {
    auto wrong = net::text_response(405, "POST to this path drains the node");
    wrong.headers.emplace_back("Allow", "POST");
    return wrong;
  }
  return net::text_response(404, "there are /healthz, /readyz, /metrics, /nodes, /drain and "
                                 "/rooms/NAME[/presence] here");
}

net::page_response server::nodes() {
  const auto fault = cluster_fault();
  if (fault.empty())
    return nodes_page(identity_.id, (*own_description_)(), shards_);
  std::string body = R"({"reason":)";
  net::append_json_string(body, fault);
  return json_response(503, body + '}');
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
  auto reason = phase == node_phase::ready ? cluster_fault() : std::string{to_string(phase)};
  const bool is_ready = reason.empty();
  if (is_ready)
    reason = publishing_fault();
  if (reason.empty())
    return json_response(200, R"({"ready":true})");
  std::string body =
    is_ready ? R"({"ready":true,"publishing":false,"reason":)" : R"({"ready":false,"reason":)";
  net::append_json_string(body, reason);
  return json_response(is_ready ? 200 : 503, body + '}');
}

net::page_response server::metrics() {
  net::process_figures figures;
  net::read_process_figures(figures);
  figures.internal = &internal_loop_->context().metrics;
  figures.actors = system_.registry().running();
  figures.actor_failures = failure_count();
  figures.start_time_seconds = start_time_seconds_;
  figures.draining = status_ == node_phase::draining || status_ == node_phase::closing;
  figures.ready = status_ == node_phase::ready && cluster_fault().empty();
  figures.version = options_.version;
  figures.headroom = admission_.headroom();
  figures.connections_limit = admission_.limits().max_connections;
  figures.memory_limit_bytes = admission_.limits().max_memory_bytes;
  figures.memory_used_bytes = admission_.memory_used_bytes();
  figures.rooms_limit = rooms_.most();
  figures.history_budget_bytes = options_.history_budget_bytes;
  figures.memory = memory_by_owner(loops(), shards_);
  figures.outbox_budget_bytes = outbox_budget_.bytes();
  net::page_response response;
  response.content_type = net::metrics_content_type;
  response.body = net::metrics_text(loops(), figures)
                  + shard_metrics(shards_, loop::clock::now().time_since_epoch(), unproven_after);
  return response;
}

} // namespace canang::actors
