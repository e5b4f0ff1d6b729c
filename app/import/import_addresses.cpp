#include "app/import/import_options.hpp"
#include "app/import/imported_values.hpp"
#include "app/units.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <string>

namespace canang::app {

namespace {

/// An address and a port of Centrifugo, of which either may be missing.
struct place {
  std::string host = "0.0.0.0";
  std::int64_t port = 0;
  std::string from{}; // the keys
};

void take_host(const imported_key* key, place& into, toml_writer& out) {
  if (key == nullptr)
    return;
  auto host = text_of(*key).value_or("?");
  if (host.empty()) {
    into.from = key->path;
    return;
  }
  if (host == "localhost")
    host = "127.0.0.1";
  if (host.find(':') != std::string::npos && !host.starts_with('['))
    host = fmt::format("[{}]", host);
  if (!parse_address(host + ":1")) {
    // Elsewhere than was asked for would be worse than too few.
    out.note(fmt::format("{} is not an IP address, which it is here: this machine alone for now.",
                         key->path));
    host = "127.0.0.1";
  }
  into.host = host;
  into.from = key->path;
}

bool take_port(const imported_key* key, place& into, toml_writer& out) {
  const auto port = key != nullptr ? number_of(*key) : std::nullopt;
  const bool is_port = port && *port > 0 && *port <= std::numeric_limits<std::uint16_t>::max();
  if (is_port)
    into.port = *port;
  if (is_port || (key != nullptr && key->text.empty() && key->what == imported_key::kind::text))
    into.from.append(into.from.empty() ? "" : ", ").append(key->path);
  else if (key != nullptr)
    note_wrong(*key, "a port", out);
  return is_port;
}

} // namespace

/// Centrifugo serves all on one port unless told otherwise; Canang never has what is internal on the public one.
void write_addresses(imported_keys& keys, toml_writer& out) {
  constexpr std::int64_t usual_port = 8000;
  constexpr std::int64_t usual_internal_port = 9000;
  place outside{.port = usual_port};
  take_host(keys.take({"http_server.address", "address"}), outside, out);
  take_port(keys.take({"http_server.port", "port"}), outside, out);
  out.line("listen", toml_text(fmt::format("{}:{}", outside.host, outside.port)), outside.from);

  place inside{.host = outside.host};
  take_host(keys.take({"http_server.internal_address", "internal_address"}), inside, out);
  const bool has_port =
    take_port(keys.take({"http_server.internal_port", "internal_port"}), inside, out);
  if (!has_port || inside.port == outside.port) {
    out.note("Canang has probes, metrics and the server API on a port of their own.");
    inside.port =
      outside.port == usual_internal_port ? usual_internal_port + 1 : usual_internal_port;
    inside.host = "127.0.0.1";
  }
  out.line("internal-listen", toml_text(fmt::format("{}:{}", inside.host, inside.port)),
           inside.from);
}

} // namespace canang::app
