#pragma once

#include "app/units.hpp"
#include "net/loop_context.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace CLI { // its header takes more to compile than all that includes this one
class App;
} // namespace CLI

namespace canang::app {

/// `CANANG_PING_INTERVAL` of `--ping-interval`.
[[nodiscard]] std::string environment_name(std::string_view flag);

/// What an option that may be given several times, or with commas, was given in all.
[[nodiscard]] std::vector<std::string> split_list(const std::vector<std::string>& given);

/// Throws what the command line tells as `flag: why`.
[[noreturn]] void refuse_option(const std::string& flag, const std::string& why);

/// Adds options that are flag, environment variable and config key at once.
class option_adder {
public:
  explicit option_adder(CLI::App& app) : app_(app) {}

  void group(std::string name) { group_ = std::move(name); }

  /// `parse` gives a value or nothing; `what` says what is expected.
  template <class Value, class Parse>
  void add(const std::string& flag, Value& into, Parse parse, const std::string& what,
           const std::string& shown_default, const std::string& help) {
    add_single(
      flag,
      [&into, parse, flag, what](const std::string& text) {
        const auto value = parse(text);
        if (!value)
          refuse_option(flag, fmt::format("'{}' is not {}", text, what));
        into = static_cast<Value>(*value);
      },
      shown_default, help);
  }

  void duration(const std::string& flag, std::chrono::milliseconds& into,
                std::chrono::milliseconds least, const std::string& shown_default,
                const std::string& help);

  void size(const std::string& flag, std::size_t& into, std::uint64_t least, std::uint64_t most,
            const std::string& shown_default, const std::string& help);

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
               const std::string& help);

  void choice(const std::string& flag, std::string& into, std::vector<std::string> allowed,
              const std::string& help);

  /// May be given several times, or with commas; `take` gets what was given in all, in order, and throws
  /// where it is wrong.
  void list(const std::string& flag,
            const std::function<void(const std::vector<std::string>&)>& take,
            const std::string& shown_default, const std::string& help);

  /// `take` gets what was given, and throws where it is wrong: no message shows the value. Not with
  /// `other` at once.
  void secret(const std::string& flag, const std::function<void(const std::string&)>& take,
              const std::string& help, const std::string& other = {});

  void text(const std::string& flag, std::string& into, const std::string& shown_default,
            const std::string& help);

  /// In no help: of use to a test only. No environment variable either.
  void hidden_flag(const std::string& flag, const std::function<void()>& take);

private:
  /// The last one counts.
  void add_single(const std::string& flag, const std::function<void(const std::string&)>& take,
                  const std::string& shown_default, const std::string& help);

  CLI::App& app_;
  std::string group_;
};

} // namespace canang::app
