#pragma once

#include "net/limits.hpp"

#include <openssl/ssl.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace canang::net {

/// PEM files of a port that speaks TLS.
struct tls_files {
  std::string certificate{}; ///< with the chain behind it; empty: the port does not speak TLS
  std::string key{};         ///< empty: in the certificate's file
  std::string
    client_ca{}; ///< those whose clients alone are served; empty: clients need no certificate

  [[nodiscard]] bool empty() const noexcept { return certificate.empty(); }
};

/// What TLS connections of a port are made with, of files that may be replaced while it serves: TLS 1.2 and 1.3,
/// ciphers with forward secrecy and authentication, ALPN `http/1.1`, no renegotiation, no compression, no early data.
/// Sessions are resumed with tickets, of which nothing is kept here; where clients show certificates each shows its
/// own every time. Any thread may ask; one loads.
class tls_source {
public:
  using context_ptr = std::shared_ptr<SSL_CTX>;

  /// Tests have their own `key_lifetime`.
  explicit tls_source(tls_files files,
                      std::chrono::steady_clock::duration key_lifetime = tls_ticket_key_lifetime)
    : files_(std::move(files)), key_lifetime_(key_lifetime) {}
  tls_source(const tls_source&) = delete;
  tls_source& operator=(const tls_source&) = delete;

  /// Reads the files. What is wrong with them leaves in force what was before.
  /// @returns a line that says what is wrong, or an empty one.
  [[nodiscard]] std::string load();

  /// Whether there is a reason to load: the files are others than those that were read last, well or not, and have
  /// been so since this was asked before (they come one after the other); or the keys of the tickets are old, and it
  /// is not known that what there is cannot be loaded.
  [[nodiscard]] bool is_stale();

  /// Null before the first load.
  [[nodiscard]] context_ptr current() const;

  /// When the certificate in force ends, in seconds of Unix time.
  [[nodiscard]] std::int64_t expires_at() const;

  [[nodiscard]] const tls_files& files() const noexcept { return files_; }

private:
  /// By what a file is known from another one under its name.
  struct identity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = -1;
    std::int64_t changed_ns = 0;

    bool operator==(const identity&) const = default;
  };

  [[nodiscard]] bool has_old_keys() const noexcept;
  [[nodiscard]] std::vector<identity> look() const;
  void keep_ticket_keys(SSL_CTX* of, SSL_CTX* for_next);

  const tls_files files_;
  const std::chrono::steady_clock::duration key_lifetime_; // of tickets
  mutable std::mutex mutex_;                               // of `current_` and `expires_at_`
  context_ptr current_;
  std::int64_t expires_at_ = 0;
  std::vector<identity> seen_;   // when they were read
  std::vector<identity> looked_; // when it was asked last
  std::chrono::steady_clock::time_point keys_made_{};
  bool has_failed_ = false; // to load what was seen
};

} // namespace canang::net
