#include "app/reload.hpp"

#include "app/token_key_source.hpp"
#include "base/unix_time.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

namespace canang::app {

namespace {

/// What takes effect while the server runs. Everything else is fixed at the start: addresses, threads, limits
/// that each loop has a copy of.
constexpr std::array<std::string_view, 16> live_options{"api-key",
                                                        "api-key-file",
                                                        "compression",
                                                        "compression-min-bytes",
                                                        "config",
                                                        "history-bytes",
                                                        "history-size",
                                                        "history-ttl",
                                                        "join-leave",
                                                        "log-level",
                                                        "presence",
                                                        "slow-consumers",
                                                        "token-hmac-secret",
                                                        "token-hmac-secret-file",
                                                        "token-jwks",
                                                        "token-public-key"};

bool is_live(std::string_view name) {
  return std::find(live_options.begin(), live_options.end(), name) != live_options.end();
}

std::string name_of_process(std::int32_t process_id) {
  std::ifstream file{fmt::format("/proc/{}/comm", process_id)};
  std::string name;
  std::getline(file, name);
  return name;
}

} // namespace

configuration_reload::configuration_reload(int argc, const char* const* argv,
                                           const options& in_force, token_key_source& tokens)
  : argc_(argc), argv_(argv), in_force_(in_force), tokens_(tokens) {}

void configuration_reload::run(actors::server& server) {
  if (!in_force_.config_file.empty())
    reread(server);
  else if (in_force_.tokens.has_files || in_force_.tokens.jwks)
    reread_keys();
  else if (server.certificates().empty()) // else they have been read again
    spdlog::warn("SIGHUP: there is no --config file to read again");
}

/// Flags and variables say the same as before, but the files of keys that they name may not.
void configuration_reload::reread_keys() {
  options next;
  if (const auto fault = reread_options(argc_, argv_, next)) {
    spdlog::error("the keys of tokens stay as they were: {}", *fault);
    return;
  }
  tokens_.replace(next.tokens);
  spdlog::info("the keys of tokens were read again");
}

void configuration_reload::reread(actors::server& server) {
  const auto& path = in_force_.config_file;
  options next;
  std::optional<std::string> fault;
  std::error_code ec;
  if (std::filesystem::is_regular_file(path, ec))
    fault = reread_options(argc_, argv_, next);
  else // a pipe, say, has nothing any more
    fault = fmt::format("--config: '{}' is no regular file", path);
  if (fault) {
    ++server.reloads().refused;
    spdlog::error("the configuration stays as it was: {}", *fault);
    return;
  }
  apply(std::move(next), server);
}

void configuration_reload::apply(options&& next, actors::server& server) {
  auto rooms =
    std::make_shared<const cluster::room_settings_table>(std::move(next.server.room_settings));
  const bool rooms_differ = *rooms != *server.room_settings().get();
  if (rooms_differ)
    server.room_settings().set(std::move(rooms));
  server.api_keys().set(std::move(next.server.api_keys));
  tokens_.replace(next.tokens);
  spdlog::set_level(spdlog::level::from_str(next.log_level));
  ++server.reloads().applied;
  server.reloads().last_good_seconds = unix_s();
  spdlog::info("the configuration was read again from {}, with {} settings of rooms",
               in_force_.config_file, rooms_differ ? "new" : "the same");
  if (const auto waiting = waiting_for_restart(next); !waiting.empty())
    spdlog::warn("changed, but only a restart will put it into effect: {}",
                 fmt::join(waiting, ", "));
}

std::vector<std::string> configuration_reload::waiting_for_restart(const options& next) const {
  std::vector<std::string> names;
  for (const auto& [name, given] : next.given) {
    const auto before = in_force_.given.find(name);
    if (!is_live(name) && (before == in_force_.given.end() || before->second != given))
      names.push_back(name);
  }
  const bool key_differs = next.server.internal_access.key != in_force_.server.internal_access.key;
  if (key_differs && next.given.at("internal-key") == in_force_.given.at("internal-key")
      && std::find(names.begin(), names.end(), "internal-key-file") == names.end())
    names.emplace_back("internal-key-file"); // the same file, with another key in it
  return names;
}

int order_reload(std::int32_t process_id) {
  if (name_of_process(process_id) != "canang") {
    std::cerr << fmt::format("canang: process {} is no canang\n", process_id);
    return 1;
  }
  if (::kill(process_id, SIGHUP) != 0) {
    std::cerr << fmt::format("canang: process {}: {}\n", process_id, std::strerror(errno));
    return 1;
  }
  return 0;
}

} // namespace canang::app
