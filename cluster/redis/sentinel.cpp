#include "cluster/redis/sentinel.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <limits>
#include <utility>

namespace canang::cluster {

/// One Sentinel and the connection to it, which is kept.
class redis_sentinels::peer final : public std::enable_shared_from_this<peer>,
                                    private redis_connection_owner {
public:
  peer(boost::asio::io_context& io, const host_port& address, const redis_options& options,
       redis_sentinels& owner)
    : io_(io), options_(options), owner_(owner) {
    login_.address = address;
    login_.is_sentinel = true;
  }

  void ask() {
    is_asked_ = true;
    if (connection_ == nullptr) {
      connection_ = std::make_shared<redis_connection>(io_, login_, options_, owner_.counters_,
                                                       static_cast<redis_connection_owner&>(*this));
      connection_->open();
    } else if (connection_->is_ready()) {
      send();
    }
  }

  void stop() {
    if (const auto connection = std::exchange(connection_, nullptr))
      connection->close(false);
  }

private:
  void send() {
    connection_->command(std::array<std::string_view, 3>{"SENTINEL", "MASTER", owner_.master_name_},
                         [this](redis_errc error, const redis_reply& reply) {
                           if (error == redis_errc::none && std::exchange(is_asked_, false))
                             owner_.on_answer(reply);
                         });
  }

  void on_ready() override { send(); }

  void on_closed(redis_failure /*kind*/, const std::string& why) override {
    const auto self = shared_from_this();
    connection_.reset();
    if (std::exchange(is_asked_, false))
      owner_.on_no_answer(fmt::format("Sentinel {}: {}", to_text(login_.address), why));
  }

  void on_push(const redis_reply& /*reply*/) override {}
  void on_read_end() override {}

  boost::asio::io_context& io_;
  redis_options options_;
  redis_sentinels& owner_; // which stops it
  redis_login login_;
  std::shared_ptr<redis_connection> connection_;
  bool is_asked_ = false;
};

redis_sentinels::redis_sentinels(boost::asio::io_context& io, const redis_target& target,
                                 const redis_options& options, switch_handler on_switch)
  : master_name_(target.master_name),
    on_switch_(std::move(on_switch)),
    poll_timer_(io.get_executor()),
    settle_timer_(io.get_executor()) {
  for (const auto& host : target.hosts)
    peers_.push_back(std::make_shared<peer>(io, host, options, *this));
}

redis_sentinels::~redis_sentinels() { stop(); }

void redis_sentinels::start() { poll_later(); }

void redis_sentinels::stop() {
  is_stopped_ = true;
  poll_timer_.cancel();
  settle_timer_.cancel();
  for (const auto& each : peers_)
    each->stop();
  waiting_.clear();
}

void redis_sentinels::locate(redis_link::located_handler handler) {
  if (is_stopped_)
    return;
  waiting_.push_back(std::move(handler));
  if (!is_asking_)
    begin_round();
}

void redis_sentinels::begin_round() {
  is_asking_ = true;
  is_settling_ = false;
  ++round_;
  best_ = {};
  why_.clear();
  unanswered_ = peers_.size();
  for (const auto& each : peers_)
    each->ask();
}

void redis_sentinels::on_answer(const redis_reply& reply) {
  const auto self = shared_from_this();
  const auto port = reply.field("port").integer();
  master answer{{std::string{reply.field("ip").text()}, static_cast<std::uint16_t>(port)},
                reply.field("config-epoch").integer()};
  const bool is_good =
    !answer.address.host.empty() && port > 0 && port <= std::numeric_limits<std::uint16_t>::max();
  if (!is_good)
    why_ = reply.is_error() ? std::string{reply.text()} : "a Sentinel's answer makes no sense";
  else if (answer.epoch > best_.epoch)
    best_ = std::move(answer);
  count_answer();
}

void redis_sentinels::on_no_answer(const std::string& why) {
  const auto self = shared_from_this();
  if (why_.empty())
    why_ = why;
  count_answer();
}

void redis_sentinels::count_answer() {
  if (!is_asking_)
    return; // too late for its round
  if (--unanswered_ == 0) {
    end_round();
    return;
  }
  if (best_.epoch < 0 || std::exchange(is_settling_, true))
    return;
  settle_timer_.expires_after(settle_time);
  settle_timer_.async_wait(
    [weak = weak_from_this(), round = round_](const boost::system::error_code& ec) {
      const auto self = weak.lock();
      if (!ec && self != nullptr && !self->is_stopped_ && self->is_asking_ && self->round_ == round)
        self->end_round();
    });
}

void redis_sentinels::end_round() {
  is_asking_ = false;
  settle_timer_.cancel();
  const auto waiting = std::exchange(waiting_, {});
  const auto best = best_;
  const auto why = why_;
  if (best.epoch < 0) {
    for (const auto& handler : waiting)
      handler(nullptr, why);
    return;
  }
  // Who looks for it anew takes what there is; who is connected moves for a later failover only.
  const bool is_switch =
    known_.epoch >= 0 && best.epoch > known_.epoch && best.address != known_.address;
  if (!waiting.empty() || best.epoch > known_.epoch)
    known_ = best;
  for (const auto& handler : waiting)
    handler(&best.address, {});
  if (is_switch && !is_stopped_)
    on_switch_(best.address);
}

void redis_sentinels::poll_later() {
  poll_timer_.expires_after(poll_interval);
  poll_timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& ec) {
    const auto self = weak.lock();
    if (ec || self == nullptr || self->is_stopped_)
      return;
    if (!self->is_asking_)
      self->begin_round();
    self->poll_later();
  });
}

} // namespace canang::cluster
