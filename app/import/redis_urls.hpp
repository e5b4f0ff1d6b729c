#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::app {

/// The URLs for `--redis` that come of Centrifugo's addresses, each one right, without users and passwords.
class redis_urls {
public:
  /// @param database of addresses that do not say one; "0" is the default
  /// @param uses_tls for all of them
  redis_urls(std::string database, bool uses_tls)
    : database_(std::move(database)), uses_tls_(uses_tls) {}

  /// Adds `host:port` or a URL.
  /// @returns why it is not added, or what of it is not; empty when all is well.
  [[nodiscard]] std::string_view add_server(std::string_view address);

  /// Adds one group of Sentinels: `host:port,host:port`.
  /// @returns why it is not added; empty when it is.
  [[nodiscard]] std::string_view add_sentinels(std::string_view hosts, std::string_view master);

  [[nodiscard]] const std::vector<std::string>& all() const noexcept { return urls_; }
  [[nodiscard]] bool have_tls() const noexcept { return have_tls_; }
  [[nodiscard]] bool had_secrets() const noexcept { return had_secrets_; }

private:
  std::string_view add(std::string url, bool lacks_database);

  std::string database_;
  bool uses_tls_;
  bool have_tls_ = false;    // some
  bool had_secrets_ = false; // users or passwords
  std::vector<std::string> urls_;
  std::vector<std::string> identities_;
};

} // namespace canang::app
