#pragma once

#include "cluster/redis/metrics.hpp"
#include "cluster/redis/reader.hpp"
#include "cluster/redis/shard.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

namespace canang::cluster {

using redis_clock = std::chrono::steady_clock;
using redis_executor = boost::asio::io_context::executor_type;
using redis_timer =
  boost::asio::basic_waitable_timer<redis_clock, boost::asio::wait_traits<redis_clock>,
                                    redis_executor>;

/// `127.0.0.1:6379`, `[::1]:6379`
[[nodiscard]] std::string to_text(const host_port& address);

/// Whom a connection goes to, and as whom.
struct redis_login {
  host_port address;
  bool uses_tls = false;
  /// A Sentinel: nothing is said before it is ready. Else user and database are, and it must be a master.
  bool is_sentinel = false;
  std::string user;
  std::string password;
  std::uint32_t database = 0;
  std::string client_name; ///< by which CLIENT LIST shows it
};

/// Why a connection came to its end.
enum class redis_failure : std::uint8_t {
  unreachable, ///< may pass without us: not there, gone, too slow, loading, a replica, in cluster mode
  refused,     ///< the user or the password
  no_database,
  bad_file,  ///< a certificate or key that can't be read
  untrusted, ///< the server's certificate
};

/// Who has a connection. Called on its thread, and not after `close` or `on_closed`.
class redis_connection_owner {
public:
  virtual void on_ready() = 0;

  /// After the pending commands have ended. `why` names neither the host nor the password.
  virtual void on_closed(redis_failure kind, const std::string& why) = 0;

  /// A reply that no command waits for.
  virtual void on_push(const redis_reply& reply) = 0;

  /// All replies that one read brought have been handed on.
  virtual void on_read_end() = 0;

  /// The ACL does not allow a command of the log-in that can be done without.
  virtual void on_refusal(std::string_view /*command*/, const redis_reply& /*reply*/) {}

protected:
  ~redis_connection_owner() = default;
};

/// One connection to Redis, from its start to its end: resolves, connects, TLS, logs in, then pipelines
/// commands. Owned by a link (or whoever asks once), kept alive by its operations; on the thread of `io`.
class redis_connection final : public std::enable_shared_from_this<redis_connection> {
public:
  using reply_handler = redis_shard::reply_handler;

  /// Bytes that may wait to be written; commands over it end with `not_connected`.
  static constexpr std::size_t most_unsent_bytes = 64UL * 1024 * 1024;

  redis_connection(boost::asio::io_context& io, redis_login login, const redis_options& options,
                   redis_metrics::of_link& counters, redis_connection_owner& owner);
  redis_connection(const redis_connection&) = delete;
  redis_connection& operator=(const redis_connection&) = delete;
  ~redis_connection();

  /// Starts; the owner is not called from inside.
  void open();

  /// Ends it without telling the owner. The handlers of pending commands are called, or only destroyed.
  void close(bool tells_pending);

  [[nodiscard]] bool is_ready() const noexcept { return state_ == state::ready; }
  [[nodiscard]] const host_port& address() const noexcept { return login_.address; }

  /// Sends a command. The handler is called exactly once, in order, and not from inside.
  void command(std::span<const std::string_view> arguments, reply_handler handler);

  /// The same with arguments that are encoded: `count` in all, the two first ones and the `rest`.
  void command(std::string_view first, std::string_view second, std::string_view rest,
               std::size_t count, reply_handler handler);

  /// Stops or resumes reading: what the server sends waits in the kernel, then with the server.
  void pause_reading(bool paused);

  /// Sends a command whose answers come to `on_push`.
  /// @returns false when too much waits to be written.
  bool push(std::span<const std::string_view> arguments);

private:
  enum class state : std::uint8_t { connecting, logging_in, ready, closed };
  struct tls; // the stream and its context

  struct pending_command {
    reply_handler handler;
    redis_clock::time_point since;
    std::uint64_t begin;     // where in all the bytes of this connection it begins
    bool is_refused = false; // never sent: only waits for its turn to hear that
  };

  bool has_room(std::size_t size) const noexcept;
  void append_pending(reply_handler handler, std::uint64_t begin);
  void refuse(reply_handler handler);
  void end_refused();
  void end_pending();
  void on_bytes(std::size_t size);
  void on_reply(const redis_reply& reply);
  void fail(redis_failure kind, const std::string& why);
  void shut();

  void log_in();
  void on_auth(const redis_reply& reply);
  void on_hello(const redis_reply& reply);
  void on_select(const redis_reply& reply);
  void on_named(const redis_reply& reply);
  void on_role(const redis_reply& reply);
  void on_ping(const redis_reply& reply);
  void become_ready();

  void watch_pending();
  void on_timer();

  void resolve();
  void connect(const boost::asio::ip::tcp::endpoint& endpoint);
  void on_connected(const boost::system::error_code& ec);
  void set_socket_options();
  bool prepare_tls(std::string& why);
  void shake_hands();
  void on_shaken(const boost::system::error_code& ec);
  void read();
  void on_read(const boost::system::error_code& ec, std::size_t size);
  void write_soon();
  void write();
  void on_written(const boost::system::error_code& ec, std::size_t size);

  redis_login login_;
  redis_options options_;
  redis_metrics::of_link& counters_; // not touched once closed
  redis_connection_owner* owner_;
  state state_ = state::connecting;

  boost::asio::basic_stream_socket<boost::asio::ip::tcp, redis_executor> socket_;
  boost::asio::ip::basic_resolver<boost::asio::ip::tcp, redis_executor> resolver_;
  redis_timer timer_; // until it is ready: the connect timeout; then that of the oldest command
  std::unique_ptr<tls> tls_;

  redis_reader reader_;
  std::array<char, 64 * 1024> input_;
  std::string unsent_;
  std::string writing_;
  std::uint64_t appended_bytes_ = 0; // in all
  std::uint64_t handed_bytes_ = 0;   // of these, given to the socket or on the way to it
  bool is_writing_ = false;
  bool is_write_posted_ = false;
  bool is_reading_paused_ = false;
  bool is_read_due_ = false; // it was put off

  std::deque<pending_command> pending_;
  bool is_watching_ = false;
  bool is_last_chance_ = false;
};

} // namespace canang::cluster
