#include "net/tls/tls_source.hpp"

#include <openssl/err.h>
#include <openssl/x509.h>

#include <sys/stat.h>

#include <array>
#include <cstring>
#include <ctime>
#include <string_view>
#include <utility>

namespace canang::net {

namespace {

constexpr const char* tls12_ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
/// No finite fields: of those a client could ask for 8,192 bits.
constexpr const char* groups = "X25519:P-256:P-384";
constexpr unsigned char session_place[] = "canang";
constexpr std::string_view http1 = "http/1.1";

std::string fault_of(std::string_view what, const std::string& file) {
  const auto code = ERR_peek_error();
  const char* const why = ERR_SYSTEM_ERROR(code)
                            ? std::strerror(static_cast<int>(ERR_GET_REASON(code)))
                            : ERR_reason_error_string(code);
  std::string line{what};
  line += " '" + file + "' cannot be used: ";
  line += why != nullptr ? why : "unknown error";
  ERR_clear_error();
  return line;
}

/// Of the protocols that a client offers (RFC 7301): HTTP/1.1, or none.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned size, void*) {
  for (unsigned at = 0; at < size; at += 1U + offered[at]) {
    const std::string_view name{reinterpret_cast<const char*>(offered) + at + 1, offered[at]};
    if (name == http1) {
      *out = offered + at + 1;
      *out_size = offered[at];
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

void set_rules(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION
                                 | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_cipher_list(context, tls12_ciphers);
  SSL_CTX_set1_groups_list(context, groups);
  SSL_CTX_set_read_ahead(context, 1); // a record costs one system call, not two
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_session_id_context(context, session_place, sizeof session_place - 1);
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  // an encrypted key would be asked for on the terminal
  SSL_CTX_set_default_passwd_cb(context, [](char*, int, int, void*) { return 0; });
}

std::string set_files(SSL_CTX* context, const tls_files& files) {
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1)
    return fault_of("the certificate file", files.certificate);
  const auto& key = files.key.empty() ? files.certificate : files.key;
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1
      || SSL_CTX_check_private_key(context) != 1)
    return fault_of("the key file", key);
  if (files.client_ca.empty())
    return {};
  auto* const names = SSL_load_client_CA_file(files.client_ca.c_str());
  if (names == nullptr || SSL_CTX_load_verify_file(context, files.client_ca.c_str()) != 1)
    return fault_of("the file of clients' authorities", files.client_ca);
  SSL_CTX_set_client_CA_list(context, names);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET); // a resumed client would show no certificate
  SSL_CTX_set_num_tickets(context, 0);
  return {};
}

std::int64_t end_of_certificate(SSL_CTX* context) {
  tm end{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(SSL_CTX_get0_certificate(context)), &end) != 1)
    return 0;
  return ::timegm(&end);
}

} // namespace

std::string tls_source::load() {
  seen_ = look();
  has_failed_ = true; // until it is done
  ERR_clear_error();
  const context_ptr next{SSL_CTX_new(TLS_server_method()), &SSL_CTX_free};
  if (!next)
    return fault_of("TLS for", files_.certificate);
  set_rules(next.get());
  if (auto fault = set_files(next.get(), files_); !fault.empty())
    return fault;
  const auto before = current();
  keep_ticket_keys(before.get(), next.get());
  has_failed_ = false;
  const std::lock_guard lock{mutex_};
  current_ = next;
  expires_at_ = end_of_certificate(next.get());
  return {};
}

/// Clients resume across a new certificate, but not for ever: whoever gets hold of the keys reads what was said with
/// tickets of TLS 1.2.
void tls_source::keep_ticket_keys(SSL_CTX* of, SSL_CTX* for_next) {
  std::array<unsigned char, 80> keys;
  if (of == nullptr || has_old_keys()
      || SSL_CTX_get_tlsext_ticket_keys(of, keys.data(), keys.size()) != 1) {
    keys_made_ = std::chrono::steady_clock::now(); // those of `for_next` are new
    return;
  }
  SSL_CTX_set_tlsext_ticket_keys(for_next, keys.data(), keys.size());
  OPENSSL_cleanse(keys.data(), keys.size());
}

bool tls_source::is_stale() {
  auto now = look();
  const bool is_settled = now == looked_;
  looked_ = std::move(now);
  return looked_ != seen_ ? is_settled : !has_failed_ && has_old_keys();
}

bool tls_source::has_old_keys() const noexcept {
  return std::chrono::steady_clock::now() - keys_made_ >= key_lifetime_;
}

std::vector<tls_source::identity> tls_source::look() const {
  std::vector<identity> all;
  for (const auto* const file : {&files_.certificate, &files_.key, &files_.client_ca}) {
    struct stat found {};
    auto& one = all.emplace_back();
    if (file->empty() || ::stat(file->c_str(), &found) != 0)
      continue;
    one = {found.st_dev, found.st_ino, found.st_size,
           found.st_mtim.tv_sec * 1'000'000'000 + found.st_mtim.tv_nsec};
  }
  return all;
}

tls_source::context_ptr tls_source::current() const {
  const std::lock_guard lock{mutex_};
  return current_;
}

std::int64_t tls_source::expires_at() const {
  const std::lock_guard lock{mutex_};
  return expires_at_;
}

} // namespace canang::net
