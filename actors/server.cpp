#include "actors/server.hpp"

#include "base/unix_time.hpp"
#include "cluster/epoch.hpp"
#include "net/hooks/hook_caller.hpp"
#include "net/tracing/otlp_tracer.hpp"

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

/// How often it is looked how much memory is used; at 5,000 connections a second 5 MB come in between.
constexpr std::chrono::milliseconds memory_interval{200};

/// What a room that is kept without members and without a history takes, about.
constexpr std::uint64_t least_room_memory_bytes = 400;

/// `part` of `all` in the proportion of `whole`, rounded up.
std::uint64_t share_of(std::uint64_t whole, std::uint64_t part, std::uint64_t all) {
  return static_cast<std::uint64_t>(static_cast<double>(whole) * static_cast<double>(part)
                                    / static_cast<double>(all))
         + 1;
}

} // namespace

server::system_config::system_config() {
  // the central queue sleeps on a condition; CAF's default, work stealing, polls a hundred times a
  // second a thread. All that is fast runs on the loops.
  set("scheduler.policy", caf::atom("sharing"));
  set("scheduler.max-threads", std::size_t{1});
}

server::server(const server_options& options, server_endpoints endpoints)
  : options_(options),
    system_(config_),
    room_settings_(std::make_shared<cluster::room_settings_table>(options_.room_settings)),
    api_keys_(std::move(options_.api_keys)),
    tokens_(options_.tokens.keys == nullptr ? no_keys_ : *options_.tokens.keys,
            options_.tokens.rules, options_.tokens.on_unknown_key),
    hooks_(options_.hooks.are_any() ? std::make_unique<net::hook_caller>(options_.hooks) : nullptr),
    admission_(options_.admission),
    addresses_(options_.admission.connections_per_address),
    outbox_budget_(options_.outbox_budget_bytes),
    tls_(options_.tls),
    internal_tls_(options_.internal_tls),
    internal_arrivals_{.tls = options_.internal_tls.empty() ? nullptr : &internal_tls_},
    rooms_(options_.max_rooms),
    pressure_(options_.admission.max_memory_bytes),
    endpoints_(std::move(endpoints)),
    port_{
      .add_endpoints = endpoints_.add_public,
      .handshakes = options_.handshakes,
      .arrivals =
        {
          .addresses = options_.admission.connections_per_address != 0 ? &addresses_ : nullptr,
          .proxies = options_.proxies.trusted.empty() ? nullptr : &options_.proxies,
          .tls = options_.tls.empty() ? nullptr : &tls_,
        },
    },
    start_time_seconds_(unix_s()) {
  reloads_.last_good_seconds = start_time_seconds_;
  identity_.id = cluster::make_epoch();
  std::random_device source;
  identity_.origin = std::uint64_t{source()} << 32U | source();
  if (options_.tracing.collector)
    tracer_ = std::make_unique<net::otlp_tracer>(
      options_.tracing, net::trace_resource{.service = options_.tracing.service,
                                            .version = options_.version,
                                            .instance = identity_.id});
  if (hooks_)
    hooks_->trace_to(tracer_.get());
  auto& presence = options_.loops.presence;
  presence = {identity_.id, describe_member};
  for (auto& word : options_.loops.emulation_key)
    word = std::uint64_t{source()} << 32U | source();
  for (const auto& target : options_.cluster.shards) {
    shards_.push_back(std::make_unique<shard_status>());
    shards_.back()->identity = target.identity();
  }
  divide_history_budget();
  if (shards_.empty()) // there is nobody to ask
    moderation_.source.set_known();
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
  if (control_)
    caf::anon_send_exit(control_, caf::exit_reason::user_shutdown);
  for (const auto& linked : bridges_.by_shard)
    caf::anon_send_exit(linked, caf::exit_reason::user_shutdown);
  if (!homes_.empty())
    system_.await_all_actors_done();
  for (auto& home : homes_)
    home->stop();
  tokens_.stop(); // it tells loops
  if (hooks_)
    hooks_->stop(); // likewise
  cast_.clear();    // read by actors, and by bridges' handlers, until their threads have ended
  bridges_.by_shard.clear();
  control_ = nullptr;
  homes_.clear();
  if (tracer_)
    tracer_->stop(); // what the last of them have told
  net::remove_socket_file(options_.listen_unix.path, public_);
}

net::tracer* server::tracer() const noexcept { return tracer_.get(); }

const net::trace_metrics* server::trace_metrics() const noexcept {
  return tracer_ ? &tracer_->metrics() : nullptr;
}

const net::hook_metrics* server::hook_metrics() const noexcept {
  return hooks_ ? &hooks_->metrics() : nullptr;
}

std::vector<net::tls_source*> server::certificates() {
  std::vector<net::tls_source*> all;
  for (auto* const source : {&tls_, &internal_tls_})
    if (!source->files().empty())
      all.push_back(source);
  return all;
}

std::string server::bind() {
  for (auto* const source : certificates())
    if (auto fault = source->load(); !fault.empty())
      return fault;
  boost::system::error_code ec;
  internal_ = net::listen_on(options_.internal_listen, 1, ec);
  if (ec)
    return fmt::format("--internal-listen {}: {}", net::to_text(options_.internal_listen),
                       ec.message());
  return bind_public();
}

std::string server::bind_public() {
  boost::system::error_code ec;
  const auto& path = options_.listen_unix.path;
  public_ = path.empty() ? net::listen_on(options_.listen, options_.workers, ec)
                         : net::listen_on(options_.listen_unix, options_.workers, ec);
  if (ec)
    return fmt::format("--listen {}: {}",
                       path.empty() ? net::to_text(options_.listen) : "unix:" + path, ec.message());
  return {};
}

void server::start(std::function<void(bool)> on_end) {
  const auto& path = options_.listen_unix.path;
  spdlog::info("listening on {}", path.empty() ? net::to_text(public_.endpoint) : "unix:" + path);
  spdlog::info("internal listening on {}", net::to_text(internal_.endpoint));
  for (std::uint32_t i = 0; i < options_.workers; ++i)
    homes_.push_back(std::make_unique<loop_home>(
      system_, i, options_.loops, cast_, bridges_, status_, admission_, outbox_budget_, rooms_,
      room_settings_, moderation_, tokens_, hooks_.get(), tracer_.get(), control_));
  auto internal_limits = options_.loops.limits;
  internal_limits.max_http_connections = net::max_internal_connections;
  internal_loop_ = std::make_unique<loop>(system_, options_.workers, internal_limits);
  watch_memory();
  own_description_.emplace(description());
  open_internal_port();
  node_ = system_.spawn<node>(node_parts{
    homes_, cast_, bridges_, control_, control_metrics_, moderation_,
    [this](std::size_t shard) { return parts_of_bridge(shard); }, shards_, status_, public_, port_,
    internal_loop_->context(), options_.drain, identity_.id, options_.cluster.rebalance_after});
  node_->attach_functor(
    [on_end = std::move(on_end)](const caf::error& reason) { on_end(!reason); });
  // Not sooner: who sees the node ready, on any thread, sends to `node_`.
  caf::anon_send(node_, start_node{});
}

void server::open_internal_port() {
  endpoints_.add_internal(internal_paths_, *this);
  internal_listener_ = std::make_unique<net::listener>(
    internal_loop_->context(), internal_paths_, internal_.descriptors.front(),
    internal_.endpoint.address().is_v6(), &internal_arrivals_);
  internal_loop_->on_tick([this](loop::clock::time_point now) {
    for (const auto& task : internal_ticks_)
      task(now);
  });
  internal_loop_->post([this] { internal_listener_->start(); });
  internal_loop_->start();
}

/// The internal loop has the time to read files.
void server::watch_memory() {
  if (!options_.memory_used)
    return;
  look_at_memory();
  on_internal_tick([this, next = loop::clock::time_point{}](loop::clock::time_point now) mutable {
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

bridge_parts server::parts_of_bridge(std::size_t shard) {
  const auto& cluster = options_.cluster;
  bridge_parts parts{cluster.shards[shard],
                     cluster.links,
                     cluster.rooms,
                     identity_,
                     room_settings_,
                     options_.loops.presence,
                     *shards_[shard],
                     moderation_.metrics,
                     [describe = description(), own = own_announcement()]() mutable {
                       return announce(describe(), own);
                     }};
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
  return {identity_.id,
          given.empty() ? net::to_text(internal_.endpoint) : given,
          options_.version,
          start_time_seconds_,
          loops(),
          status_,
          [this] { return condition(); }};
}

node_condition server::condition() const {
  const auto phase = this->phase();
  node_condition now;
  now.fault = phase == node_phase::ready ? cluster_fault(shards_) : std::string{to_string(phase)};
  if (now.fault.empty() && !moderation_.source.is_known())
    now.fault = "who is banned has not been read from Redis yet";
  now.is_ready = now.fault.empty();
  if (now.is_ready)
    now.fault = publishing_fault(shards_);
  const auto add = [&now](std::string_view name, std::uint64_t used, std::uint64_t limit) {
    if (limit > 0)
      now.used.emplace_back(name, static_cast<double>(used) / static_cast<double>(limit));
  };
  add("connections", admission_.open_connections(), admission_.limits().max_connections);
  add("memory", admission_.memory_used_bytes(), admission_.limits().max_memory_bytes);
  std::uint64_t rooms = 0; // that cannot give way: those without members can
  std::uint64_t held = 0;
  for (const auto* const of_loop : loops()) {
    const auto idle = of_loop->idle_rooms.value();
    rooms += std::max(of_loop->known_rooms.value(), idle) - idle;
    held += net::held_for_clients(*of_loop);
  }
  add("rooms", rooms, rooms_.most());
  add("waiting", held, outbox_budget_.bytes());
  return now;
}

announcement server::own_announcement() const {
  return {.key = options_.loops.emulation_key, .reads_notes = true};
}

caf::actor server::keeper_of(std::string_view room) const {
  if (phase() == node_phase::starting) // the cast is not complete
    return {};
  return actors::keeper_of(room, cast_, bridges_);
}

std::vector<caf::actor> server::keepers() const {
  if (phase() == node_phase::starting)
    return {};
  if (bridges_.is_clustered())
    return bridges_.by_shard;
  std::vector<caf::actor> directories;
  for (const auto& there : cast_)
    directories.push_back(there.directory);
  return directories;
}

void server::ask_room(std::string room, bool with_members,
                      std::function<void(cluster::room_report&&)> answer) const {
  const auto keeper = keeper_of(room);
  caf::anon_send(keeper, room_query{std::move(room), with_members, std::move(answer)});
}

bool server::order(control_order&& command) const {
  if (status_ == node_phase::starting) // its actors are not complete
    return false;
  caf::anon_send(control_, std::move(command));
  return true;
}

bool server::moderate(moderation_order&& order) const {
  if (status_ == node_phase::starting)
    return false;
  caf::anon_send(control_, std::move(order));
  return true;
}

bool server::ask_acts(acts_query&& query) const {
  if (status_ == node_phase::starting)
    return false;
  caf::anon_send(control_, std::move(query));
  return true;
}

void server::shut_down(bool with_grace, std::function<void()> when_begun) {
  caf::anon_send(node_, actors::shut_down{with_grace, std::move(when_begun)});
}

} // namespace canang::actors
