#pragma once

#include "base/reason_log.hpp"
#include "cluster/redis/channels.hpp"
#include "cluster/redis/link.hpp"
#include "cluster/redis/metrics.hpp"
#include "cluster/redis/probe.hpp"
#include "cluster/redis/refusal.hpp"
#include "cluster/redis/sentinel.hpp"
#include "cluster/redis/shard.hpp"

#include <memory>
#include <string>
#include <vector>

namespace canang::cluster {

/// What is behind a shard. Kept alive by what it has posted; calls nobody once it is stopped.
class redis_shard::impl final : public std::enable_shared_from_this<impl>,
                                private redis_link_owner {
public:
  impl(boost::asio::io_context& io, redis_target target, redis_options options,
       std::string_view node_id, redis_metrics& metrics, redis_observer& observer);

  void start();
  void stop(bool tells_pending);
  void command(std::span<const std::string_view> arguments, reply_handler handler);
  void run(const redis_script& script, std::span<const std::string_view> keys,
           std::span<const std::string_view> arguments, reply_handler handler);
  void run_text(const redis_script& script, std::string_view rest, std::size_t count,
                const reply_handler& handler);
  void preload(std::span<const redis_script* const> scripts);
  void probe_by(probe_function publish) { publish_probe_ = std::move(publish); }
  void subscribe(std::string_view channel);
  void unsubscribe(std::string_view channel);
  void suspect_master();
  void pause_messages(bool paused);

  [[nodiscard]] bool is_up() const noexcept { return is_up_; }
  [[nodiscard]] bool can_command() const noexcept;
  [[nodiscard]] const std::string& identity() const noexcept { return identity_; }
  [[nodiscard]] std::uint32_t database() const noexcept { return target_.database; }
  [[nodiscard]] std::string reason() const;

private:
  [[nodiscard]] redis_login login(std::string_view link_name) const;
  void locate(redis_link::located_handler handler);
  void fail_later(reply_handler handler);
  void end_failed();
  void note_refusal(const redis_reply& reply, std::string_view command, const redis_script* script);
  void load_scripts();

  void on_link_ready(redis_link& link) override;
  void on_link_lost(redis_link& link, const std::string& why) override;
  void on_link_push(redis_link& link, const redis_reply& reply) override;
  void on_link_read_end(redis_link& link) override;
  void on_link_refusal(redis_link& link, std::string_view command,
                       const redis_reply& reply) override;
  void on_confirmed(std::string_view channel);
  void on_message(std::string_view channel, std::string_view payload);

  void send_channels_soon();
  void send_channels();
  bool send_names(std::string_view verb, const std::vector<std::string_view>& names);

  void begin_probing();
  void probe();
  void prove_delivery(const std::string& payload);
  void note_publishing(std::string_view refusal);
  void watch_probe();
  void on_probe_timer();
  void check_up();
  void go_down(const std::string& line, std::string_view reason);
  void rebuild(const std::string& why, bool at_once);
  [[nodiscard]] std::string name() const;
  [[nodiscard]] std::string name_of(const redis_link& link) const;

  boost::asio::io_context& io_;
  redis_target target_;
  redis_options options_;
  std::string identity_;
  std::string node_id_;
  redis_metrics& metrics_;   // these two are not touched
  redis_observer& observer_; // once it is stopped
  std::shared_ptr<redis_sentinels> sentinels_;
  std::shared_ptr<redis_link> commands_;
  std::shared_ptr<redis_link> subscription_;
  std::vector<std::string_view> scripts_; // texts, which are literals

  redis_channels channels_;
  bool is_sending_channels_ = false; // it is posted

  redis_probe probe_;
  probe_function publish_probe_; // as rooms publish; may be null
  reason_log refused_probes_;    // for the log
  std::string probe_channel_;
  bool is_probe_subscribed_ = false;
  redis_timer probe_timer_;
  bool is_probing_ = false;
  bool is_last_chance_ = false;

  std::vector<reply_handler> failed_; // commands that found no connection
  redis_refusals refusals_;
  std::string why_down_; // since it was up; empty: it only has not come up yet
  reason_log reasons_;   // of it, for the log
  bool is_up_ = false;
  bool is_suspected_ = false;
  bool is_stopped_ = false;
};

} // namespace canang::cluster
