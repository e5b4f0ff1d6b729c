#include "cluster/redis/tls.hpp"

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>
#include <openssl/x509v3.h>

namespace canang::cluster {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

std::optional<ssl::context> make_tls_context(const redis_options& options, std::string& why) {
  ssl::context context{ssl::context::tls_client};
  context.set_options(ssl::context::default_workarounds | ssl::context::no_tlsv1
                      | ssl::context::no_tlsv1_1);
  error_code ec;
  const auto fails = [&](const char* what, const std::string& file) {
    if (!ec)
      return false;
    why = fmt::format("{} {} can't be used: {}", what, file, ec.message());
    return true;
  };
  context.set_verify_mode(ssl::verify_peer, ec);
  // An encrypted key would be asked for on the terminal.
  context.set_password_callback([](std::size_t, ssl::context::password_purpose) { return ""; }, ec);
  if (options.ca_file.empty())
    context.set_default_verify_paths(ec);
  else
    context.load_verify_file(options.ca_file, ec);
  if (fails("the CA file", options.ca_file))
    return std::nullopt;
  if (options.cert_file.empty() && options.key_file.empty())
    return context;

  context.use_certificate_chain_file(options.cert_file, ec);
  if (fails("the certificate file", options.cert_file))
    return std::nullopt;
  const auto& key_file = options.key_file.empty() ? options.cert_file : options.key_file;
  context.use_private_key_file(key_file, ssl::context::pem, ec);
  if (fails("the key file", key_file))
    return std::nullopt;
  return context;
}

bool expect_server(SSL* session, const std::string& host, std::string& why) {
  error_code ec;
  boost::asio::ip::make_address(host, ec);
  const bool is_address = !ec;
  auto* const parameters = SSL_get0_param(session);
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const bool is_set = is_address
                        ? X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str()) == 1
                        : X509_VERIFY_PARAM_set1_host(parameters, host.data(), host.size()) == 1
                            && SSL_set_tlsext_host_name(session, host.c_str()) == 1;
  if (!is_set)
    why = "no certificate can be for this host";
  return is_set;
}

std::string why_untrusted(SSL* session) {
  const auto result = SSL_get_verify_result(session);
  return result == X509_V_OK ? std::string{} : X509_verify_cert_error_string(result);
}

} // namespace canang::cluster
