#include "net/http/client.hpp"

#include <fmt/format.h>

namespace canang::net {

namespace ssl = boost::asio::ssl;

std::optional<boost::asio::ip::address> address_of_host(const std::string& host) {
  boost::system::error_code ec;
  const auto address = boost::asio::ip::make_address(host, ec);
  return ec ? std::nullopt : std::optional{address};
}

std::string host_field(std::string_view host, std::string_view port, bool uses_tls) {
  const bool is_v6 = host.find(':') != std::string_view::npos;
  const bool is_default = port == (uses_tls ? "443" : "80");
  return fmt::format("{}{}{}{}{}", is_v6 ? "[" : "", host, is_v6 ? "]" : "", is_default ? "" : ":",
                     is_default ? "" : port);
}

ssl::context make_client_tls(const std::string& ca_file) {
  ssl::context context{ssl::context::tls_client};
  context.set_options(ssl::context::default_workarounds | ssl::context::no_tlsv1
                      | ssl::context::no_tlsv1_1);
  context.set_verify_mode(ssl::verify_peer);
  if (ca_file.empty())
    context.set_default_verify_paths();
  else
    context.load_verify_file(ca_file);
  return context;
}

void name_server(SSL* connection, const std::string& host) {
  if (!address_of_host(host))
    SSL_set_tlsext_host_name(connection, host.c_str());
}

} // namespace canang::net
