#include "cluster/redis/shard.hpp"

#include "cluster/redis/command.hpp"
#include "cluster/redis/shard_impl.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <utility>

namespace canang::cluster {

// --- what is behind it: commands ----------------------------------------------------------------

redis_shard::impl::impl(boost::asio::io_context& io, redis_target target, redis_options options,
                        std::string_view node_id, redis_metrics& metrics, redis_observer& observer)
  : io_(io),
    target_(std::move(target)),
    options_(std::move(options)),
    identity_(target_.identity()),
    node_id_(node_id),
    metrics_(metrics),
    observer_(observer),
    probe_(options_.probe_interval, options_.probe_timeout),
    probe_channel_(fmt::format("{}:probe:{}", options_.prefix, node_id)),
    probe_timer_(io.get_executor()) {}

void redis_shard::impl::start() {
  const auto locator = [this](redis_link::located_handler handler) { locate(std::move(handler)); };
  if (!target_.master_name.empty()) {
    sentinels_ =
      std::make_shared<redis_sentinels>(io_, target_, options_, [this](const host_port& master) {
        rebuild(fmt::format("the master is {} now", to_text(master)), true);
      });
    sentinels_->start();
  }
  commands_ =
    std::make_shared<redis_link>(io_, login("commands"), options_, locator, metrics_.commands_link,
                                 static_cast<redis_link_owner&>(*this));
  subscription_ =
    std::make_shared<redis_link>(io_, login("subscription"), options_, locator,
                                 metrics_.subscription_link, static_cast<redis_link_owner&>(*this));
  commands_->start();
  subscription_->start();
}

void redis_shard::impl::stop(bool tells_pending) {
  if (std::exchange(is_stopped_, true))
    return;
  const auto self = shared_from_this();
  probe_timer_.cancel();
  if (sentinels_ != nullptr)
    sentinels_->stop();
  if (subscription_ != nullptr)
    subscription_->stop(false);
  if (commands_ != nullptr)
    commands_->stop(tells_pending);
  if (tells_pending)
    end_failed();
  failed_.clear();
  if (is_up_)
    metrics_.up.set(0);
  metrics_.publishing.set(0);
  is_up_ = false;
}

redis_login redis_shard::impl::login(std::string_view link_name) const {
  redis_login result;
  if (target_.master_name.empty())
    result.address = target_.hosts.front();
  result.uses_tls = target_.uses_tls;
  result.user = target_.user;
  result.password = target_.password;
  result.database = target_.database;
  result.client_name = fmt::format("canang-{}-{}", node_id_, link_name);
  for (auto& c : result.client_name)
    if (c <= ' ' || c > '~')
      c = '_'; // Redis takes no others
  return result;
}

void redis_shard::impl::locate(redis_link::located_handler handler) {
  if (sentinels_ != nullptr)
    sentinels_->locate(std::move(handler));
  else
    handler(&target_.hosts.front(), {});
}

bool redis_shard::impl::can_command() const noexcept {
  return !is_stopped_ && !is_suspected_ && commands_ != nullptr && commands_->is_ready();
}

void redis_shard::impl::command(std::span<const std::string_view> arguments,
                                reply_handler handler) {
  if (!can_command()) {
    fail_later(std::move(handler));
    return;
  }
  metrics_.commands.add(1);
  commands_->connection().command(
    arguments, [this, verb = std::string{arguments.front()},
                handler = std::move(handler)](redis_errc error, const redis_reply& reply) {
      note_refusal(reply, verb, nullptr);
      handler(error, reply);
    });
}

void redis_shard::impl::run(const redis_script& script, std::span<const std::string_view> keys,
                            std::span<const std::string_view> arguments, reply_handler handler) {
  if (!can_command()) {
    fail_later(std::move(handler));
    return;
  }
  // What is the same in EVALSHA and EVAL is kept, encoded, for the case of NOSCRIPT.
  std::string rest;
  append_redis_string(rest, std::to_string(keys.size()));
  for (const auto key : keys)
    append_redis_string(rest, key);
  for (const auto argument : arguments)
    append_redis_string(rest, argument);
  const auto count = 3 + keys.size() + arguments.size();

  metrics_.commands.add(1);
  auto& connection = commands_->connection();
  // The connection takes what it needs of `rest` before the handler takes it over.
  auto kept = std::make_shared<std::string>(std::move(rest));
  connection.command("EVALSHA", script.sha(), *kept, count,
                     [this, &script, kept, count,
                      handler = std::move(handler)](redis_errc error, const redis_reply& reply) {
                       if (!reply.is_error()) {
                         handler(error, reply);
                       } else if (!reply.text().starts_with("NOSCRIPT")) {
                         note_refusal(reply, "evalsha", &script);
                         handler(error, reply);
                       } else if (can_command()) {
                         run_text(script, *kept, count, handler);
                       } else {
                         fail_later(handler);
                       }
                     });
}

/// Where Redis does not know the script any more.
void redis_shard::impl::run_text(const redis_script& script, std::string_view rest,
                                 std::size_t count, const reply_handler& handler) {
  metrics_.commands.add(1);
  commands_->connection().command(
    "EVAL", script.text(), rest, count,
    [this, &script, handler](redis_errc error, const redis_reply& reply) {
      note_refusal(reply, "eval", &script);
      handler(error, reply);
    });
}

void redis_shard::impl::note_refusal(const redis_reply& reply, std::string_view command,
                                     const redis_script* script) {
  if (reply.is_error() && is_acl_refusal(reply.text()))
    refusals_.note(identity_, reply.text(), command, script);
}

void redis_shard::impl::preload(std::span<const redis_script* const> scripts) {
  for (const auto* const script : scripts)
    scripts_.push_back(script->text());
}

void redis_shard::impl::load_scripts() {
  for (const auto text : scripts_)
    command(std::array<std::string_view, 3>{"SCRIPT", "LOAD", text},
            [this](redis_errc, const redis_reply& reply) {
              if (reply.is_error() && !is_acl_refusal(reply.text())) // EVAL may still do
                spdlog::warn("{}: a script is not taken: {}", name(), reply.text());
            });
}

// Never from inside the call, and in the order of the calls.
void redis_shard::impl::fail_later(reply_handler handler) {
  if (is_stopped_)
    return;
  failed_.push_back(std::move(handler));
  if (failed_.size() == 1)
    boost::asio::post(io_, [self = shared_from_this()] { self->end_failed(); });
}

void redis_shard::impl::end_failed() {
  for (const auto& handler : std::exchange(failed_, {}))
    handler(redis_errc::not_connected, {});
}

// --- the shard itself ---------------------------------------------------------------------------

redis_shard::redis_shard(boost::asio::io_context& io, redis_target target, redis_options options,
                         std::string_view node_id, redis_metrics& metrics, redis_observer& observer)
  : impl_(std::make_shared<impl>(io, std::move(target), std::move(options), node_id, metrics,
                                 observer)) {}

redis_shard::~redis_shard() { impl_->stop(false); }

void redis_shard::start() { impl_->start(); }
void redis_shard::stop() { impl_->stop(true); }

void redis_shard::command(std::span<const std::string_view> arguments, reply_handler handler) {
  impl_->command(arguments, std::move(handler));
}

void redis_shard::run(const redis_script& script, std::span<const std::string_view> keys,
                      std::span<const std::string_view> arguments, reply_handler handler) {
  impl_->run(script, keys, arguments, std::move(handler));
}

void redis_shard::preload(std::span<const redis_script* const> scripts) { impl_->preload(scripts); }
void redis_shard::probe_by(probe_function publish) { impl_->probe_by(std::move(publish)); }
void redis_shard::subscribe(std::string_view channel) { impl_->subscribe(channel); }
void redis_shard::unsubscribe(std::string_view channel) { impl_->unsubscribe(channel); }
void redis_shard::suspect_master() { impl_->suspect_master(); }
void redis_shard::pause_messages(bool paused) { impl_->pause_messages(paused); }
bool redis_shard::is_up() const noexcept { return impl_->is_up(); }
bool redis_shard::can_command() const noexcept { return impl_->can_command(); }
const std::string& redis_shard::identity() const noexcept { return impl_->identity(); }
std::uint32_t redis_shard::database() const noexcept { return impl_->database(); }
std::string redis_shard::reason() const { return impl_->reason(); }

} // namespace canang::cluster
