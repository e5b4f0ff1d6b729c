#pragma once

#include "cluster/redis/connection.hpp"
#include "cluster/redis/link.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace canang::cluster {

/// Knows from the Sentinels which Redis is the master. Asks all of them, and each second again: an answer
/// counts by its configuration epoch, so that a Sentinel which missed a failover can't lead back to the
/// old master. Polled rather than told by +switch-master: a subscription that went wedged says nothing.
/// Owned by a shard, on its thread.
class redis_sentinels final : public std::enable_shared_from_this<redis_sentinels> {
public:
  using switch_handler = std::function<void(const host_port& master)>;

  static constexpr std::chrono::seconds poll_interval{1};
  /// How long the others have once one has answered.
  static constexpr std::chrono::milliseconds settle_time{250};

  /// `on_switch` is called when the master is another than `locate` told last.
  redis_sentinels(boost::asio::io_context& io, const redis_target& target,
                  const redis_options& options, switch_handler on_switch);
  redis_sentinels(const redis_sentinels&) = delete;
  redis_sentinels& operator=(const redis_sentinels&) = delete;
  ~redis_sentinels();

  void start();
  void stop();

  /// Asks them. The handler is not called from inside.
  void locate(redis_link::located_handler handler);

private:
  class peer;

  struct master {
    host_port address;
    std::int64_t epoch = -1;
  };

  void begin_round();
  void on_answer(const redis_reply& reply);
  void on_no_answer(const std::string& why);
  void count_answer();
  void end_round();
  void poll_later();

  std::string master_name_;
  switch_handler on_switch_;
  redis_metrics::of_link counters_; // of the Sentinels: shown nowhere
  std::vector<std::shared_ptr<peer>> peers_;
  std::vector<redis_link::located_handler> waiting_;
  redis_timer poll_timer_;
  redis_timer settle_timer_;
  std::size_t unanswered_ = 0;
  std::uint64_t round_ = 0;
  bool is_asking_ = false;
  bool is_settling_ = false;
  bool is_stopped_ = false;
  master best_;  // of this round
  master known_; // what `locate` told last
  std::string why_;
};

} // namespace canang::cluster
