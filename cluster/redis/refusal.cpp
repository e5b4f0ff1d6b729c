#include "cluster/redis/refusal.hpp"

#include "cluster/redis/shard.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>

namespace canang::cluster {
namespace {

/// The text between `before` and `after`; empty when they are not there.
std::string_view between(std::string_view text, std::string_view before, std::string_view after) {
  const auto begin = text.find(before);
  if (begin == std::string_view::npos)
    return {};
  text.remove_prefix(begin + before.size());
  const auto end = text.find(after);
  return end == std::string_view::npos ? std::string_view{} : text.substr(0, end);
}

/// A line of a text, counted from 1.
std::string_view line_of(std::string_view text, std::size_t number) {
  for (; number > 1; --number) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos)
      return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

/// The command of the script's line that an error names: "..., on @user_script:24." One without a line was
/// returned by the script itself, from its last pcall.
std::string_view command_in(std::string_view script, std::string_view error) {
  static constexpr std::string_view place = "@user_script:";
  const auto at = error.find(place);
  if (at == std::string_view::npos) {
    const auto call = script.rfind("pcall('");
    return call == std::string_view::npos ? std::string_view{}
                                          : between(script.substr(call), "pcall('", "'");
  }
  const auto digits = error.substr(at + place.size());
  std::size_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return between(line_of(script, number), "call('", "'");
}

} // namespace

bool is_acl_refusal(std::string_view error) noexcept {
  return error.starts_with("NOPERM") || error.find("user executing the script can't") != error.npos
         || error.find("ACL failure in script") != error.npos;
}

std::string refused_command(std::string_view error, std::string_view command,
                            std::string_view script) {
  auto name = between(error, "run the '", "'");
  if (name.empty())
    name = command_in(script, error);
  if (name.empty())
    name = command;
  std::string lower{name};
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower;
}

void redis_refusals::note(std::string_view redis, std::string_view error, std::string_view command,
                          const redis_script* script) {
  const auto text = script == nullptr ? std::string_view{} : script->text();
  auto what = fmt::format("'{}'", refused_command(error, command, text));
  if (script != nullptr)
    what += fmt::format(" (script {})", script->name());
  if (seen_.size() >= most_kept && !seen_.contains(what))
    seen_.clear();
  const auto unsaid = seen_[what].note(error, reason_log::clock::now());
  if (unsaid)
    spdlog::error(
      "redis {}: the ACL refuses {}: {} ({} more since the last such line); what has to be "
      "allowed is in docs/configuration.md",
      redis, what, error, *unsaid);
}

} // namespace canang::cluster
