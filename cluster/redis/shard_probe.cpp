// The probe of a shard: whether what is published comes back, and whether anything could be published.

#include "cluster/redis/shard_impl.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <utility>

namespace canang::cluster {

void redis_shard::impl::begin_probing() {
  probe_.begin(redis_clock::now());
  is_probing_ = true;
  is_last_chance_ = false;
  if (is_probe_subscribed_)
    probe();
  else
    watch_probe();
}

void redis_shard::impl::probe() {
  auto payload = probe_.send(redis_clock::now());
  watch_probe();
  if (!publish_probe_) {
    prove_delivery(payload);
    return;
  }
  publish_probe_(probe_channel_, payload,
                 [this, payload](redis_errc error, const redis_reply& reply) {
                   if (error != redis_errc::none || !is_probing_)
                     return;
                   note_publishing(reply.is_error() ? reply.text() : std::string_view{});
                   if (reply.is_error())
                     prove_delivery(payload);
                 });
}

/// A bare PUBLISH: Redis takes it where it takes no writes.
void redis_shard::impl::prove_delivery(const std::string& payload) {
  command(std::array<std::string_view, 3>{"PUBLISH", probe_channel_, payload},
          [this](redis_errc, const redis_reply& reply) {
            if (reply.is_error() && is_probing_)
              rebuild(fmt::format("not reachable: the probe is refused: {}", reply.text()), false);
          });
}

/// Whether rooms could publish now; `refusal` is Redis' word that they could not, or empty.
void redis_shard::impl::note_publishing(std::string_view refusal) {
  metrics_.publishing.set(refusal.empty() ? 1 : 0);
  if (refusal.empty()) {
    if (!metrics_.why_refused.get().empty())
      spdlog::info("{}: publishing is possible again", name());
    metrics_.why_refused.set({});
    refused_probes_.clear();
    return;
  }
  const auto line = fmt::format("{}: publishing is refused: {}", name(), refusal);
  metrics_.why_refused.set(line);
  if (const auto unsaid = refused_probes_.note(refusal, redis_clock::now()))
    spdlog::warn("{} ({} more probes since the last such line)", line, *unsaid);
}

void redis_shard::impl::watch_probe() {
  // A node that was stopped itself finds its timer due before it has read what came meanwhile.
  probe_timer_.expires_at(is_last_chance_ ? redis_clock::now() + std::chrono::milliseconds{100}
                                          : probe_.next_check());
  probe_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& ec) {
    if (!ec && self->is_probing_ && !self->is_stopped_)
      self->on_probe_timer();
  });
}

void redis_shard::impl::on_probe_timer() {
  const auto now = redis_clock::now();
  if (probe_.is_overdue(now)) {
    if (std::exchange(is_last_chance_, true)) {
      rebuild(fmt::format("no probe came back for {} s",
                          std::chrono::ceil<std::chrono::seconds>(options_.probe_timeout).count()),
              false);
      return;
    }
  } else if (is_probe_subscribed_ && probe_.is_due(now)) {
    probe();
    return;
  }
  watch_probe();
}

} // namespace canang::cluster
