// The two links of a shard: channels, up and down.

#include "cluster/redis/shard_impl.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <utility>

namespace canang::cluster {

// --- channels -----------------------------------------------------------------------------------

void redis_shard::impl::subscribe(std::string_view channel) {
  channels_.want(channel);
  send_channels_soon();
}

void redis_shard::impl::unsubscribe(std::string_view channel) {
  channels_.unwant(channel);
  send_channels_soon();
}

// A turn's channels go out together.
void redis_shard::impl::send_channels_soon() {
  if (is_stopped_ || std::exchange(is_sending_channels_, true))
    return;
  boost::asio::post(io_, [self = shared_from_this()] {
    self->is_sending_channels_ = false;
    self->send_channels();
  });
}

void redis_shard::impl::send_channels() {
  while (!is_stopped_ && subscription_ != nullptr && subscription_->is_ready()) {
    const auto batch = channels_.next();
    if (batch.empty())
      return;
    if (!send_names("SUBSCRIBE", batch.subscribe)
        || !send_names("UNSUBSCRIBE", batch.unsubscribe)) {
      rebuild("too much waits to be written to the subscription link", false);
      return;
    }
    for (const auto channel : batch.confirmed) {
      if (is_stopped_)
        return;
      observer_.on_subscribed(channel);
    }
  }
}

bool redis_shard::impl::send_names(std::string_view verb,
                                   const std::vector<std::string_view>& names) {
  if (names.empty())
    return true;
  std::vector<std::string_view> arguments{verb};
  arguments.insert(arguments.end(), names.begin(), names.end());
  return subscription_->connection().push(arguments);
}

void redis_shard::impl::on_link_push(redis_link& link, const redis_reply& reply) {
  const auto kind = reply[0].text();
  if (&link == subscription_.get() && kind == "message") {
    on_message(reply[1].text(), reply[2].text());
    return;
  }
  if (&link == subscription_.get() && (kind == "subscribe" || kind == "unsubscribe")) {
    on_confirmed(reply[1].text());
    return;
  }
  const auto self = shared_from_this();
  if (&link == subscription_.get())
    note_refusal(reply, "subscribe", nullptr);
  const std::string why =
    reply.is_error() ? std::string{reply.text()} : "it sends a reply that nobody asked for";
  link.rebuild(false);
  if (!is_stopped_)
    on_link_lost(link, why);
}

void redis_shard::impl::on_confirmed(std::string_view channel) {
  if (channel == probe_channel_) {
    is_probe_subscribed_ = true;
    if (is_probing_)
      probe();
    return;
  }
  if (!channels_.confirm(channel))
    return;
  observer_.on_subscribed(channel);
  check_up();
}

void redis_shard::impl::on_message(std::string_view channel, std::string_view payload) {
  if (channel != probe_channel_) {
    if (!channels_.is_wanted(channel))
      return;
    observer_.on_message(channel, payload);
    return;
  }
  if (!probe_.saw(payload))
    return;
  is_last_chance_ = false;
  const auto now = redis_clock::now().time_since_epoch();
  metrics_.last_probe_ns.store(std::chrono::nanoseconds{now}.count(), std::memory_order_relaxed);
  check_up();
}

void redis_shard::impl::pause_messages(bool paused) {
  if (!is_stopped_ && subscription_ != nullptr && subscription_->is_ready())
    subscription_->connection().pause_reading(paused);
}

void redis_shard::impl::on_link_read_end(redis_link& link) {
  if (&link != subscription_.get())
    return;
  observer_.on_messages_end();
  send_channels(); // more, when some have been confirmed
}

void redis_shard::impl::on_link_refusal(redis_link& /*link*/, std::string_view command,
                                        const redis_reply& reply) {
  note_refusal(reply, command, nullptr);
}

// --- links --------------------------------------------------------------------------------------

void redis_shard::impl::on_link_ready(redis_link& link) {
  if (&link == commands_.get()) {
    load_scripts();
  } else {
    is_probe_subscribed_ = false;
    channels_.begin();
    send_names("SUBSCRIBE", {probe_channel_});
    send_channels();
  }
  if (is_stopped_ || !commands_->is_ready() || !subscription_->is_ready())
    return;
  // The Sentinels named another between one link and the other.
  if (commands_->address() != subscription_->address()) {
    (&link == commands_.get() ? subscription_ : commands_)->rebuild(true);
    return;
  }
  begin_probing();
}

void redis_shard::impl::on_link_lost(redis_link& link, const std::string& why) {
  is_probing_ = false;
  probe_timer_.cancel();
  go_down(fmt::format("redis {}: not reachable: {} ({} link)", name_of(link), why,
                      &link == commands_.get() ? "command" : "subscription"),
          why);
}

// The handlers of pending commands may do anything, stopping included.
void redis_shard::impl::rebuild(const std::string& why, bool at_once) {
  const auto self = shared_from_this();
  is_probing_ = false;
  probe_timer_.cancel();
  const auto line = fmt::format("{}: {}", name(), why);
  for (const auto& link : {subscription_, commands_})
    if (!is_stopped_)
      link->rebuild(at_once);
  if (!is_stopped_)
    go_down(line, why);
}

void redis_shard::impl::suspect_master() {
  if (is_stopped_ || commands_ == nullptr || std::exchange(is_suspected_, true))
    return;
  boost::asio::post(io_, [self = shared_from_this()] {
    self->is_suspected_ = false;
    if (!self->is_stopped_)
      self->rebuild("not reachable: it takes no writes, looking for the master", false);
  });
}

// --- up and down --------------------------------------------------------------------------------

void redis_shard::impl::check_up() {
  if (is_stopped_ || is_up_ || !is_probing_ || !probe_.is_back() || !channels_.is_settled())
    return;
  is_up_ = true;
  why_down_.clear();
  reasons_.clear();
  metrics_.why_down.set({});
  metrics_.up.set(1);
  spdlog::info("{}: connected", name());
  observer_.on_up();
}

/// `line` is what is logged; `reason` is the part of it that tells one trouble from another.
void redis_shard::impl::go_down(const std::string& line, std::string_view reason) {
  why_down_ = line;
  metrics_.why_down.set(line);
  metrics_.publishing.set(0);
  const auto unsaid =
    reasons_.note(reason, redis_clock::now()); // each attempt goes to the debug log
  if (unsaid && *unsaid == 0)
    spdlog::warn("{}; connecting again", line);
  else if (unsaid)
    spdlog::warn("{}; connecting again ({} more failures since the last such line)", line, *unsaid);
  if (!std::exchange(is_up_, false))
    return;
  metrics_.up.set(0);
  observer_.on_down(line);
}

std::string redis_shard::impl::name() const { return fmt::format("redis {}", name_of(*commands_)); }

std::string redis_shard::impl::name_of(const redis_link& link) const {
  if (target_.master_name.empty() || link.address().host.empty())
    return identity_;
  return fmt::format("{} ({})", to_text(link.address()), identity_);
}

std::string redis_shard::impl::reason() const {
  if (is_up_)
    return {};
  if (is_probing_)
    return fmt::format("{}: connecting: the probe has not come back yet", name());
  if (!why_down_.empty())
    return why_down_;
  return commands_ == nullptr ? fmt::format("redis {}: connecting", identity_)
                              : fmt::format("{}: connecting", name());
}

} // namespace canang::cluster
