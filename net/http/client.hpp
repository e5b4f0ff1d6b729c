#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>

#include <optional>
#include <string>
#include <string_view>

/// What everything has in common that asks servers of others over HTTP.

namespace canang::net {

/// A host that needs no look-up; nothing where it is a name.
[[nodiscard]] std::optional<boost::asio::ip::address> address_of_host(const std::string& host);

/// What `Host` says (RFC 9110, 7.2).
/// @param host a name, or an address without brackets
/// @param port in digits
[[nodiscard]] std::string host_field(std::string_view host, std::string_view port, bool uses_tls);

/// TLS of 1.2 and up that checks the server's certificate.
/// @param ca_file the authorities, in PEM; empty: the system's
/// @throws boost::system::system_error where these cannot be read.
[[nodiscard]] boost::asio::ssl::context make_client_tls(const std::string& ca_file = {});

/// Names the server that is asked for, unless it has an address alone. Before the handshake.
void name_server(SSL* connection, const std::string& host);

/// Has the handshake of a stream ask for that server, and fail with another one.
template <class TlsStream>
void expect_server(TlsStream& stream, const std::string& host) {
  stream.set_verify_callback(boost::asio::ssl::host_name_verification{host});
  name_server(stream.native_handle(), host);
}

} // namespace canang::net
