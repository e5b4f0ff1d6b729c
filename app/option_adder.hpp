#pragma once

#include "app/units.hpp"
#include "net/loop_context.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::app {

/// `CANANG_PING_INTERVAL` of `--ping-interval`.
[[nodiscard]] std::string environment_name(std::string_view flag);

/// What an option that may be given several times, or with commas, was given in all.
[[nodiscard]] std::vector<std::string> split_list(const std::vector<std::string>& given);

/// Adds options that are flag, environment variable and config key at once.
class option_adder {
public:
  explicit option_adder(CLI::App& app) : app_(app) {}

  void group(std::string name) { group_ = std::move(name); }

  /// `parse` gives a value or nothing; `what` says what is expected.
  template <class Value, class Parse>
  void add(const std::string& flag, Value& into, Parse parse, const std::string& what,
           const std::string& shown_default, const std::string& help) {
    auto* const option = app_.add_option_function<std::string>(
      flag,
      [&into, parse, flag, what](const std::string& text) {
        const auto value = parse(text);
        if (!value)
          throw CLI::ValidationError(flag, fmt::format("'{}' is not {}", text, what));
        into = static_cast<Value>(*value);
      },
      help);
    option->envname(environment_name(flag))->type_name("")->group(group_)->take_last();
    option->default_str(shown_default);
  }

  void duration(const std::string& flag, std::chrono::milliseconds& into,
                std::chrono::milliseconds least, const std::string& shown_default,
                const std::string& help) {
    add(
      flag, into,
      [least](const std::string& text) {
        auto value = parse_duration(text);
        return value && *value >= least ? value : std::nullopt;
      },
      fmt::format("a duration such as 25s or 500ms{}",
                  least.count() > 0 ? fmt::format(" of at least {} ms", least.count()) : ""),
      shown_default, help);
  }

  void size(const std::string& flag, std::size_t& into, std::uint64_t least, std::uint64_t most,
            const std::string& shown_default, const std::string& help) {
    add(
      flag, into,
      [least, most](const std::string& text) {
        auto value = parse_size(text);
        return value && *value >= least && *value <= most ? value : std::nullopt;
      },
      fmt::format("a size such as 64KiB, from {} to {} bytes", least, most), shown_default, help);
  }

  template <class Value>
  void number(const std::string& flag, Value& into, std::uint64_t least, std::uint64_t most,
              const std::string& shown_default, const std::string& help) {
    add(
      flag, into,
      [least, most](const std::string& text) -> std::optional<std::uint64_t> {
        const auto value = parse_count(text);
        return value && *value >= least && *value <= most ? value : std::nullopt;
      },
      fmt::format("a number from {} to {}", least, most), shown_default, help);
  }

  void address(const std::string& flag, net::tcp_endpoint& into, const std::string& shown_default,
               const std::string& help) {
    into = *parse_address(shown_default);
    add(flag, into, parse_address, "an address such as 0.0.0.0:8000 or [::]:8000", shown_default,
        help);
  }

  void choice(const std::string& flag, std::string& into, std::vector<std::string> allowed,
              const std::string& help) {
    const auto list = fmt::format("one of {}", fmt::join(allowed, ", "));
    add(
      flag, into,
      [allowed = std::move(allowed)](const std::string& text) -> std::optional<std::string> {
        if (std::find(allowed.begin(), allowed.end(), text) == allowed.end())
          return std::nullopt;
        return text;
      },
      list, into, help);
  }

  /// May be given several times, or with commas; `take` gets what was given in all, in order, and throws
  /// where it is wrong.
  void list(const std::string& flag,
            const std::function<void(const std::vector<std::string>&)>& take,
            const std::string& shown_default, const std::string& help) {
    auto* const option = app_.add_option_function<std::vector<std::string>>(flag, take, help);
    option->envname(environment_name(flag))->type_name("")->group(group_)->take_all();
    option->allow_extra_args(false)->default_str(shown_default);
  }

  /// `take` gets what was given, and throws where it is wrong: no message shows the value. Not with
  /// `other` at once.
  void secret(const std::string& flag, const std::function<void(const std::string&)>& take,
              const std::string& help, const std::string& other = {}) {
    auto* const option = app_.add_option_function<std::string>(flag, take, help);
    option->envname(environment_name(flag))->type_name("")->group(group_)->take_last();
    option->default_str("none");
    if (!other.empty())
      option->excludes(app_.get_option(other));
  }

  void text(const std::string& flag, std::string& into, const std::string& shown_default,
            const std::string& help) {
    add(
      flag, into, [](const std::string& given) { return std::optional<std::string>{given}; },
      "a text", shown_default, help);
  }

private:
  CLI::App& app_;
  std::string group_;
};

} // namespace canang::app
