#include "app/token_check.hpp"

#include "app/bounded_file.hpp"
#include "app/jwks_fetch.hpp"
#include "app/jwks_poller.hpp"
#include "net/auth/base64url.hpp"
#include "net/auth/token_limits.hpp"
#include "net/auth/token_parts.hpp"
#include "net/log_text.hpp"

#include <fmt/chrono.h>

#include <chrono>
#include <ctime>
#include <iostream>
#include <string_view>
#include <variant>

namespace canang::app {

namespace {

std::string read_input() {
  std::string text(net::max_token_bytes + 2, '\0'); // a line end is not the token's
  std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::cin.gcount()));
  drop_line_ends(text);
  return text;
}

net::token_keys keys_for(const token_options& options) {
  if (!options.jwks)
    return options.keys();
  jwks_fetch request;
  auto outcome = request.run(*options.jwks, jwks_timing{}.timeout);
  if (const auto* const keys = std::get_if<net::token_keys>(&outcome))
    return options.keys().with(*keys);
  std::cerr << "canang: no keys of " << options.jwks->shown << ": "
            << net::log_line(std::get<std::string>(outcome)) << '\n';
  return options.keys();
}

/// Anything may be in it: nothing of it has been proved.
void print_part(std::string_view name, std::string_view encoded) {
  const auto text = net::decode_base64url(encoded);
  std::cout << name << (text ? net::log_line(*text) : "(not base64url)") << '\n';
}

void print_claims(const net::token_claims& claims) {
  std::cout << "the token holds: "
            << (claims.user.empty() ? "nobody" : net::log_field(claims.user));
  if (claims.channel)
    std::cout << ", to subscribe to " << net::log_field(*claims.channel);
  if (claims.expires_at)
    std::cout << fmt::format(", until {:%Y-%m-%d %H:%M:%S} UTC",
                             fmt::gmtime(static_cast<std::time_t>(*claims.expires_at)));
  std::cout << '\n';
}

} // namespace

int check_and_print(const std::string& given, const token_options& options) {
  const auto token = given == "-" ? read_input() : given;
  if (const auto parts = net::split_token(token)) {
    print_part("header: ", parts->header);
    print_part("claims: ", parts->payload);
  }
  const auto checked =
    net::check_token(token, keys_for(options), options.rules, std::chrono::system_clock::now());
  if (const auto* const claims = std::get_if<net::token_claims>(&checked)) {
    print_claims(*claims);
    return 0;
  }
  std::cout << net::to_string(std::get<net::token_fault>(checked)) << '\n';
  return 1;
}

} // namespace canang::app
