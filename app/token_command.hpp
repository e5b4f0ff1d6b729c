#pragma once

#include "app/token_options.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace canang::app {

/// What `canang token` is asked for: to mint a token, or to check one.
struct token_order {
  std::string user{};
  std::vector<std::string> rooms{}; ///< patterns that it grants
  std::vector<std::string> allow{}; ///< what, in these; empty: sub and pub
  std::string channel{};            ///< of a subscription token
  std::chrono::milliseconds expires{std::chrono::hours{1}};
  std::string info{};
  std::vector<std::string> audiences{}; ///< empty: the first that the options ask for
  std::string issuer{};                 ///< empty: the one that the options ask for
  std::string key_file{};               ///< empty: the first secret of the options
  std::string key_id{};
  std::string algorithm{}; ///< empty: the first of the key's kind
  std::string check{};     ///< the token; `-`: on standard input; empty: none is checked
};

/// Adds the options of the command.
void add_token_command_options(CLI::App& command, token_order& into);

/// Prints a token, or what one says and whether it holds, with the keys of the options.
/// @returns the exit code: 0, or 1 with a line on standard error, or where the token does not hold.
[[nodiscard]] int run_token_command(const token_order& order, const token_options& options);

} // namespace canang::app
