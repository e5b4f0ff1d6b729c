#pragma once

#include "app/jwks_fetch.hpp"
#include "app/jwks_url.hpp"
#include "net/auth/token_keys.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace canang::app {

/// When a key set is fetched. Tests have less patience.
struct jwks_timing {
  std::chrono::milliseconds timeout{10'000};  ///< of one request
  std::chrono::milliseconds refresh{300'000}; ///< after a success: a tenth more or less, at random
  std::chrono::milliseconds least_backoff{1'000}; ///< after a failure: doubled with each
  std::chrono::milliseconds most_backoff{300'000};
  std::chrono::milliseconds least_between{10'000}; ///< of two requests that unknown keys ask for
};

/// How fetching went. From any thread.
struct jwks_counts {
  std::atomic<std::uint64_t> succeeded{0};
  std::atomic<std::uint64_t> failed{0};
};

/// Fetches a key set again and again, on a thread of its own, which ends with it. Says in the log when what it finds
/// or why it finds nothing changes. Made and destroyed on one thread.
class jwks_poller {
public:
  using clock = std::chrono::steady_clock;

  /// @param take gets each key set, on the poller's thread; a fetch that fails takes nothing away.
  /// @param counts outlives it.
  jwks_poller(jwks_url url, jwks_timing timing, std::function<void(net::token_keys)> take,
              jwks_counts& counts);
  jwks_poller(const jwks_poller&) = delete;
  jwks_poller& operator=(const jwks_poller&) = delete;
  ~jwks_poller();

  /// Somebody wants to know now. From any thread.
  void refresh();

  /// A token names a key that is not there; at most every `least_between` it leads to a request. From any thread, and
  /// costs next to nothing when asked again.
  void wanted();

  /// When the last request began that brought keys; nothing before the first one. From any thread.
  [[nodiscard]] std::optional<clock::time_point> last_good() const;

private:
  void run();
  void fetch();
  void take(jwks_fetch::outcome outcome, clock::time_point began);
  [[nodiscard]] clock::duration pause() const;
  void wait_until_due(clock::time_point began);

  const jwks_url url_;
  const jwks_timing timing_;
  const std::function<void(net::token_keys)> take_;
  jwks_counts& counts_;

  // Of the thread alone.
  std::optional<std::string>
    reason_; // of the last failure, as the log has it; nothing after a success
  std::optional<std::size_t> known_; // keys that were taken last
  unsigned failures_ = 0;            // since the last success

  std::atomic<bool> is_wanted_{false};
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<clock::time_point> last_good_; // with the mutex
  bool is_due_ = false;                        // with the mutex, as all below
  bool is_ending_ = false;
  jwks_fetch* running_ = nullptr;
  std::thread thread_;
};

} // namespace canang::app
