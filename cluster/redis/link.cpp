#include "cluster/redis/link.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace canang::cluster {

redis_link::redis_link(boost::asio::io_context& io, redis_login login, const redis_options& options,
                       locator locate, redis_metrics::of_link& counters, redis_link_owner& owner)
  : io_(io),
    login_(std::move(login)),
    options_(options),
    locate_(std::move(locate)),
    counters_(counters),
    owner_(&owner),
    timer_(io.get_executor()) {}

redis_link::~redis_link() { stop(false); }

void redis_link::start() { attempt(); }

void redis_link::stop(bool tells_pending) {
  owner_ = nullptr;
  ++attempt_;
  timer_.cancel();
  if (const auto connection = std::exchange(connection_, nullptr))
    connection->close(tells_pending);
}

void redis_link::rebuild(bool at_once) {
  if (owner_ == nullptr || (connection_ == nullptr && !at_once))
    return; // stopped, or on its way already
  const auto attempt = ++attempt_;
  note_end();
  if (const auto connection = std::exchange(connection_, nullptr))
    connection->close(true);
  if (owner_ == nullptr || attempt != attempt_) // what a handler did
    return;
  if (at_once) {
    failures_ = 0; // they were another server's
    wait({});
  } else {
    retry_later();
  }
}

void redis_link::attempt() {
  const auto attempt = ++attempt_;
  locate_([weak = weak_from_this(), attempt](const host_port* address, const std::string& why) {
    const auto self = weak.lock();
    if (self == nullptr || self->attempt_ != attempt)
      return;
    if (address != nullptr)
      self->connect(*address);
    else
      self->on_closed(redis_failure::unreachable, why);
  });
}

void redis_link::connect(const host_port& address) {
  login_.address = address;
  spdlog::debug("redis {}: connecting ({})", to_text(address), login_.client_name);
  connection_ = std::make_shared<redis_connection>(io_, login_, options_, counters_,
                                                   static_cast<redis_connection_owner&>(*this));
  connection_->open();
}

void redis_link::on_ready() {
  if (std::exchange(was_ready_, true))
    counters_.reconnects.add(1);
  ready_since_ = redis_clock::now();
  owner_->on_link_ready(*this);
}

void redis_link::on_closed(redis_failure /*kind*/, const std::string& why) {
  const auto self = shared_from_this();
  spdlog::debug("redis {}: {} ({})", to_text(login_.address), why, login_.client_name);
  note_end();
  connection_.reset();
  const auto attempt = ++attempt_;
  owner_->on_link_lost(*this, why);
  if (owner_ != nullptr && attempt == attempt_) // else the owner has stopped or rebuilt it
    retry_later();
}

void redis_link::on_push(const redis_reply& reply) { owner_->on_link_push(*this, reply); }

void redis_link::on_read_end() { owner_->on_link_read_end(*this); }

void redis_link::on_refusal(std::string_view command, const redis_reply& reply) {
  owner_->on_link_refusal(*this, command, reply);
}

void redis_link::note_end() {
  if (is_ready() || ready_since_ != redis_clock::time_point{}) {
    if (redis_clock::now() - ready_since_ >= good_after)
      failures_ = 0;
    ready_since_ = {};
  }
}

// "Full jitter": anywhere up to the bound, so that the nodes of a cluster do not come all at once.
void redis_link::retry_later() {
  const auto bound =
    std::min(options_.most_backoff, options_.least_backoff * (1U << std::min(failures_, 16U)));
  ++failures_;
  const auto most_us = std::chrono::microseconds{bound}.count();
  wait(std::chrono::microseconds{std::uniform_int_distribution<std::int64_t>{
    1000, std::max<std::int64_t>(most_us, 1000)}(random_)});
}

void redis_link::wait(redis_clock::duration delay) {
  timer_.expires_after(delay);
  timer_.async_wait(
    [weak = weak_from_this(), attempt = attempt_](const boost::system::error_code& ec) {
      const auto self = weak.lock();
      if (!ec && self != nullptr && self->owner_ != nullptr && self->attempt_ == attempt)
        self->attempt();
    });
}

} // namespace canang::cluster
