#pragma once

#include "cluster/redis/reply.hpp"
#include "cluster/redis/url.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace canang::cluster {

/// How the links to Redis behave; every figure is an option of the operator's.
struct redis_options {
  std::string prefix = "canang";
  std::string ca_file;   ///< PEM; empty: the system's authorities
  std::string cert_file; ///< PEM; empty: no client certificate
  std::string key_file;
  std::chrono::milliseconds connect_timeout{2000};
  std::chrono::milliseconds command_timeout{2000};
  std::chrono::milliseconds probe_interval{2000};
  std::chrono::milliseconds probe_timeout{5000};
  std::chrono::milliseconds least_backoff{100};
  std::chrono::milliseconds most_backoff{5000};
};

/// What a shard counts. Written on its thread, read by a scrape from any.
struct redis_metrics; // cluster/redis/metrics.hpp

/// Why a command has no reply.
enum class redis_errc : std::uint8_t {
  none,
  not_connected, ///< never sent
  lost, ///< the link went away (or timed out) after it was sent: it may have been executed, or not
};

/// A script, known to Redis by the SHA-1 of its text.
class redis_script {
public:
  explicit redis_script(std::string_view text, std::string_view name = "without a name");
  [[nodiscard]] std::string_view text() const noexcept { return text_; }
  [[nodiscard]] std::string_view sha() const noexcept { return sha_; }

  /// For logs.
  [[nodiscard]] std::string_view name() const noexcept { return name_; }

private:
  std::string_view text_; // these two are literals
  std::string_view name_;
  std::string sha_;
};

/// Who uses a shard. All calls come on the shard's thread, never from inside a call into it.
class redis_observer {
public:
  /// Commands work, every wanted channel is subscribed to, and the probe has come back. What was
  /// published while it was not so was missed: positions have to be checked.
  virtual void on_up() = 0;

  /// One of the two links is gone, or the probe did not come back in time; the links are being rebuilt.
  virtual void on_down(std::string_view why) = 0;

  /// Redis has confirmed the subscription: what is published from now on arrives. Once after each
  /// `subscribe`, and again after each reconnect.
  virtual void on_subscribed(std::string_view channel) = 0;

  /// Views are valid during the call only.
  virtual void on_message(std::string_view channel, std::string_view payload) = 0;

  /// All that one read of the subscription link brought has been handed on.
  virtual void on_messages_end() = 0;

protected:
  ~redis_observer() = default;
};

/// One Redis (or the master that Sentinels name) as a node uses it: a link for commands, pipelined, and
/// one for subscriptions, both rebuilt for ever with jittered backoff, and the probe that proves that
/// what is published comes back. Owned by a bridge, on its loop's thread only.
class redis_shard {
public:
  using reply_handler = std::function<void(redis_errc error, const redis_reply& reply)>;

  redis_shard(boost::asio::io_context& io, redis_target target, redis_options options,
              std::string_view node_id, redis_metrics& metrics, redis_observer& observer);
  redis_shard(const redis_shard&) = delete;
  redis_shard& operator=(const redis_shard&) = delete;
  ~redis_shard();

  void start();

  /// Closes the links; pending commands end with `lost` or `not_connected` inside this call, and nothing
  /// is called after. The destructor does the same but destroys their handlers uncalled.
  void stop();

  /// Sends a command on the command link. The handler is called exactly once, in the order of the
  /// commands, and never from inside this call.
  void command(std::span<const std::string_view> arguments, reply_handler handler);

  /// EVALSHA; after NOSCRIPT once more with EVAL. Order with other commands is kept as long as the
  /// script is known (all that `preload` named are loaded when the link comes up). The script outlives
  /// the shard.
  void run(const redis_script& script, std::span<const std::string_view> keys,
           std::span<const std::string_view> arguments, reply_handler handler);

  /// Scripts that are loaded whenever the command link comes up. Before `start`.
  void preload(std::span<const redis_script* const> scripts);

  /// How a probe is published: as its user publishes, so that it fails where that does. While the handler
  /// gets errors, the probe goes out a second time by a bare PUBLISH, which proves delivery alone; and
  /// `redis_metrics::why_refused` tells of it. Before `start`; without it there is only the bare one.
  using probe_function =
    std::function<void(std::string_view channel, std::string_view payload, reply_handler)>;
  void probe_by(probe_function publish);

  /// Wants a channel; kept over reconnects until `unsubscribe`.
  void subscribe(std::string_view channel);
  void unsubscribe(std::string_view channel);

  /// Stops or resumes the reading of messages: meanwhile they wait in the kernel, then in Redis up to its limit for
  /// subscribers. Ends with the link: one that was rebuilt reads.
  void pause_messages(bool paused);

  /// A reply said READONLY, or LOADING or MASTERDOWN: look for the master again, rebuild both links.
  void suspect_master();

  [[nodiscard]] bool is_up() const noexcept;

  /// Whether the command link is connected and authenticated (before the probe has come back too).
  [[nodiscard]] bool can_command() const noexcept;

  [[nodiscard]] const std::string& identity() const noexcept;

  /// The number of the database, which channels know nothing of.
  [[nodiscard]] std::uint32_t database() const noexcept;

  /// Why it is not up, a line that names the host: "redis HOST:PORT/0: connecting", "...: not reachable:
  /// ...", "...: no probe came back for 5 s". Empty when it is up.
  [[nodiscard]] std::string reason() const;

private:
  class impl;
  std::shared_ptr<impl> impl_;
};

/// Connects once and says what an operator has done wrong, for the start: a refused password or user, a
/// file that can't be read, a certificate that is not trusted, a database that does not exist. Blocks up to the connect timeout.
/// @returns an empty string when all is well or Redis can't be reached (that is no mistake: pods start in
/// any order), else a line with the host and without the password.
[[nodiscard]] std::string check_redis(const redis_target& target, const redis_options& options);

} // namespace canang::cluster
