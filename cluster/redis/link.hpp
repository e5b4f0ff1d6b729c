#pragma once

#include "cluster/redis/connection.hpp"

#include <functional>
#include <memory>
#include <random>
#include <string>

namespace canang::cluster {

class redis_link;

/// Who has a link. Called on its thread, never from inside a call into the link.
class redis_link_owner {
public:
  virtual void on_link_ready(redis_link& link) = 0;

  /// It came to its end, or could not be made; the next attempt follows by itself.
  virtual void on_link_lost(redis_link& link, const std::string& why) = 0;

  virtual void on_link_push(redis_link& link, const redis_reply& reply) = 0;
  virtual void on_link_read_end(redis_link& link) = 0;

  /// The ACL does not allow a command of the log-in that can be done without.
  virtual void on_link_refusal(redis_link& link, std::string_view command,
                               const redis_reply& reply) = 0;

protected:
  ~redis_link_owner() = default;
};

/// Keeps one connection to a Redis alive: asks where it is, connects, and after an end does so again,
/// for ever, with jittered backoff. Owned by a shard, on its thread.
class redis_link final : public std::enable_shared_from_this<redis_link>,
                         private redis_connection_owner {
public:
  /// Takes the address, or nullptr and why there is none.
  using located_handler = std::function<void(const host_port* address, const std::string& why)>;
  using locator = std::function<void(located_handler)>;

  /// A connection that was up for so long was a good one: the backoff begins anew after it.
  static constexpr std::chrono::seconds good_after{5};

  redis_link(boost::asio::io_context& io, redis_login login, const redis_options& options,
             locator locate, redis_metrics::of_link& counters, redis_link_owner& owner);
  redis_link(const redis_link&) = delete;
  redis_link& operator=(const redis_link&) = delete;
  ~redis_link();

  void start();

  /// Ends for good. The handlers of pending commands are called, or only destroyed.
  void stop(bool tells_pending);

  /// Gives up the connection, if there is one, and makes another; `at_once`: without backoff.
  /// Pending commands end, the owner is not told.
  void rebuild(bool at_once);

  [[nodiscard]] bool is_ready() const noexcept {
    return connection_ != nullptr && connection_->is_ready();
  }

  /// The connection; only while it is ready.
  [[nodiscard]] redis_connection& connection() noexcept { return *connection_; }

  /// Where it is connected to, or tried to.
  [[nodiscard]] const host_port& address() const noexcept { return login_.address; }

private:
  void attempt();
  void connect(const host_port& address);
  void retry_later();
  void wait(redis_clock::duration delay);
  void note_end();

  void on_ready() override;
  void on_closed(redis_failure kind, const std::string& why) override;
  void on_push(const redis_reply& reply) override;
  void on_read_end() override;
  void on_refusal(std::string_view command, const redis_reply& reply) override;

  boost::asio::io_context& io_;
  redis_login login_;
  redis_options options_;
  locator locate_;
  redis_metrics::of_link& counters_;
  redis_link_owner* owner_;

  std::shared_ptr<redis_connection> connection_;
  redis_timer timer_;
  std::minstd_rand random_{std::random_device{}()};
  std::uint64_t attempt_ = 0; // tells late answers of the locator from the one that is waited for
  unsigned failures_ = 0;     // since the last good connection
  bool was_ready_ = false;    // ever
  redis_clock::time_point ready_since_{};
};

} // namespace canang::cluster
