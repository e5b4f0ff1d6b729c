#pragma once

#include "app/jwks_poller.hpp"
#include "app/token_options.hpp"
#include "net/auth/token_keys.hpp"

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace canang::app {

/// Owns the keys that tokens are checked with: those of the options, and those of a key set that is fetched. Made,
/// started, changed and destroyed on the main thread; outlives the server, whose loops read `keys`.
class token_key_source {
public:
  explicit token_key_source(const token_options& options, jwks_timing timing = {});

  /// Begins to fetch, where there is a URL. The server does not wait for it: until then there are no keys of it.
  void start();

  /// Other keys, as SIGHUP has them; a key set's URL is asked at once, and its old keys count until it has answered.
  void replace(const token_options& options);

  /// Where whoever checks tokens has the keys from.
  [[nodiscard]] const net::published_token_keys& keys() const noexcept { return published_; }

  /// A token names a key that is not there (`token_fault::unknown_key`, `key_id_of`; empty: it names none): has the key
  /// set fetched sooner. From any thread.
  /// @returns whether the key may yet come: no set has been fetched since it was wanted first.
  bool wanted(std::string_view kid);

  [[nodiscard]] const jwks_counts& fetches() const noexcept { return counts_; }

private:
  void publish();
  void poll();

  const jwks_timing timing_;
  net::published_token_keys published_;
  jwks_counts counts_;
  std::optional<jwks_url> url_; // of the main thread
  std::mutex mutex_;
  net::token_keys own_; // with the mutex, as all below
  net::token_keys fetched_;
  std::deque<std::pair<std::string, jwks_poller::clock::time_point>> missing_; // since when
  std::shared_ptr<jwks_poller> poller_; // last: its thread uses the rest
};

/// How many keys there are and how fetching went, in Prometheus' text format.
[[nodiscard]] std::string token_key_metrics(const token_key_source& source);

} // namespace canang::app
