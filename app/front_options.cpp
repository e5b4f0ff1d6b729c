#include "app/front_options.hpp"

#include "app/bad_option.hpp"

#include <charconv>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace canang::app {

namespace {

void take_proxies(const std::vector<std::string>& given, net::address_ranges& into) {
  net::address_ranges ranges;
  for (const auto& item : split_list(given))
    if (!ranges.add(item))
      refuse_option(
        "--trusted-proxies",
        fmt::format("'{}' is not an address, a range such as 10.0.0.0/8 or fd00::/8, or unix",
                    item));
  into = std::move(ranges);
}

std::optional<net::proxy_header_mode> header_mode_of(const std::string& text) {
  if (text == "off")
    return net::proxy_header_mode::off;
  if (text == "accept")
    return net::proxy_header_mode::accept;
  if (text == "require")
    return net::proxy_header_mode::require;
  return std::nullopt;
}

std::optional<net::forwarded_field> forwarded_field_of(const std::string& text) {
  if (text == "off")
    return net::forwarded_field::off;
  if (text == "x-forwarded-for")
    return net::forwarded_field::x_forwarded_for;
  if (text == "forwarded")
    return net::forwarded_field::forwarded;
  return std::nullopt;
}

/// An address, or `unix:` and a path.
std::optional<net::tcp_endpoint> take_listen(const std::string& text,
                                             actors::server_options& into) {
  static const std::string mark = "unix:";
  constexpr std::size_t longest_path = 107; // of a sockaddr_un, with its zero
  if (!text.starts_with(mark)) {
    into.listen_unix.path.clear();
    return parse_address(text);
  }
  const auto path = text.substr(mark.size());
  if (path.empty() || path.size() > longest_path)
    return std::nullopt;
  into.listen_unix.path = path;
  return into.listen;
}

/// Octal, as of `chmod`.
std::optional<unsigned> parse_mode(const std::string& text) {
  unsigned mode = 0;
  const auto* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, mode, 8);
  if (error != std::errc{} || stop != end || mode > 0777)
    return std::nullopt;
  return mode;
}

} // namespace

void add_listen_options(option_adder& adder, actors::server_options& into) {
  into.listen = *parse_address("0.0.0.0:8000");
  adder.add(
    "--listen", into.listen, [&into](const std::string& text) { return take_listen(text, into); },
    "an address such as 0.0.0.0:8000 or [::]:8000, or unix:/run/canang.sock", "0.0.0.0:8000",
    "public: chat page and WebSocket; port 0 takes a free one; or unix:PATH");
  adder.add("--listen-mode", into.listen_unix.mode, parse_mode, "a mode such as 0660", "0660",
            "permissions of the file where --listen is a Unix-domain socket");
}

void add_front_options(option_adder& adder, actors::server_options& into) {
  auto& proxies = into.proxies;
  adder.group("Proxies in front");
  adder.list(
    "--trusted-proxies", [&proxies](const auto& given) { take_proxies(given, proxies.trusted); },
    "none", "proxies in front, whose word on the address of a client counts: 10.0.0.0/8, unix");
  adder.add("--proxy-protocol", proxies.header, header_mode_of, "one of off, accept, require",
            "off", "whether those put a PROXY header in front of connections to the public port");
  adder.add("--forwarded-header", proxies.field, forwarded_field_of,
            "one of x-forwarded-for, forwarded, off", "x-forwarded-for",
            "the one header in which they name the client of a request");
}

void add_tls_options(option_adder& adder, actors::server_options& into) {
  adder.group("TLS");
  adder.text("--tls-cert", into.tls.certificate, "none",
             "PEM file: certificate of the public port, with its chain; it speaks TLS then");
  adder.text("--tls-key", into.tls.key, "none", "PEM file: its key; none: in the same file");
  adder.text("--internal-tls-cert", into.internal_tls.certificate, "none",
             "PEM file: certificate of the internal port, with its chain");
  adder.text("--internal-tls-key", into.internal_tls.key, "none",
             "PEM file: its key; none: in the same file");
  adder.text("--internal-tls-client-ca", into.internal_tls.client_ca, "none",
             "PEM file: authorities whose clients alone may use the internal port");
}

void check_front_options(const actors::server_options& given) {
  if (given.tls.empty() && !given.tls.key.empty())
    throw bad_option{"--tls-key needs --tls-cert"};
  if (given.internal_tls.empty() && !given.internal_tls.key.empty())
    throw bad_option{"--internal-tls-key needs --internal-tls-cert"};
  if (given.internal_tls.empty() && !given.internal_tls.client_ca.empty())
    throw bad_option{"--internal-tls-client-ca needs --internal-tls-cert"};
  if (given.proxies.header != net::proxy_header_mode::off && given.proxies.trusted.empty())
    throw bad_option{"--proxy-protocol needs --trusted-proxies: nobody else's header is believed"};
}

} // namespace canang::app
