#include "cluster/redis/connection.hpp"
#include "cluster/redis/sentinel.hpp"
#include "cluster/redis/shard.hpp"

#include <fmt/format.h>

#include <memory>

namespace canang::cluster {
namespace {

/// Waits for one connection to be ready, or not to be.
class check final : public redis_connection_owner {
public:
  check(const redis_target& target, const redis_options& options)
    : target_(target), options_(options) {}

  std::string run() {
    const auto sentinels =
      target_.master_name.empty()
        ? nullptr
        : std::make_shared<redis_sentinels>(io_, target_, options_, [](const host_port&) {});
    if (sentinels == nullptr)
      connect(target_.hosts.front());
    else
      sentinels->locate([this](const host_port* address, const std::string&) {
        if (address != nullptr)
          connect(*address);
        else
          io_.stop(); // not reachable, which is no mistake
      });
    io_.run_for(options_.connect_timeout);
    if (connection_ != nullptr)
      connection_->close(false);
    if (sentinels != nullptr)
      sentinels->stop();
    io_.restart();
    io_.poll(); // what was cancelled
    return mistake_;
  }

private:
  void connect(const host_port& address) {
    redis_login login;
    login.address = address;
    login.uses_tls = target_.uses_tls;
    login.user = target_.user;
    login.password = target_.password;
    login.database = target_.database;
    login.client_name = "canang-check";
    connection_ = std::make_shared<redis_connection>(io_, login, options_, counters_,
                                                     static_cast<redis_connection_owner&>(*this));
    connection_->open();
  }

  void on_ready() override { io_.stop(); }

  void on_closed(redis_failure kind, const std::string& why) override {
    if (kind != redis_failure::unreachable)
      mistake_ = fmt::format("redis {}: {}", to_text(connection_->address()), why);
    io_.stop();
  }

  void on_push(const redis_reply& /*reply*/) override {}
  void on_read_end() override {}

  boost::asio::io_context io_{1}; // the first: what uses it goes before it
  redis_target target_;
  redis_options options_;
  redis_metrics::of_link counters_;
  std::string mistake_;
  std::shared_ptr<redis_connection> connection_;
};

} // namespace

std::string check_redis(const redis_target& target, const redis_options& options) {
  return check{target, options}.run();
}

} // namespace canang::cluster
