#include "app/option_adder.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cctype>

namespace canang::app {

std::string environment_name(std::string_view flag) {
  std::string name = "CANANG_";
  for (const char c : flag.substr(2))
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

std::vector<std::string> split_list(const std::vector<std::string>& given) {
  std::vector<std::string> all;
  for (std::string_view list : given) {
    for (auto comma = list.find(','); comma != std::string_view::npos; comma = list.find(',')) {
      all.emplace_back(list.substr(0, comma));
      list.remove_prefix(comma + 1);
    }
    all.emplace_back(list);
  }
  return all;
}

void refuse_option(const std::string& flag, const std::string& why) {
  throw CLI::ValidationError(flag, why);
}

void option_adder::duration(const std::string& flag, std::chrono::milliseconds& into,
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

void option_adder::size(const std::string& flag, std::size_t& into, std::uint64_t least,
                        std::uint64_t most, const std::string& shown_default,
                        const std::string& help) {
  add(
    flag, into,
    [least, most](const std::string& text) {
      auto value = parse_size(text);
      return value && *value >= least && *value <= most ? value : std::nullopt;
    },
    fmt::format("a size such as 64KiB, from {} to {} bytes", least, most), shown_default, help);
}

void option_adder::address(const std::string& flag, net::tcp_endpoint& into,
                           const std::string& shown_default, const std::string& help) {
  into = *parse_address(shown_default);
  add(flag, into, parse_address, "an address such as 0.0.0.0:8000 or [::]:8000", shown_default,
      help);
}

void option_adder::choice(const std::string& flag, std::string& into,
                          std::vector<std::string> allowed, const std::string& help) {
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

void option_adder::list(const std::string& flag,
                        const std::function<void(const std::vector<std::string>&)>& take,
                        const std::string& shown_default, const std::string& help) {
  auto* const option = app_.add_option_function<std::vector<std::string>>(flag, take, help);
  option->envname(environment_name(flag))->type_name("")->group(group_)->take_all();
  option->allow_extra_args(false)->default_str(shown_default);
}

void option_adder::secret(const std::string& flag,
                          const std::function<void(const std::string&)>& take,
                          const std::string& help, const std::string& other) {
  add_single(flag, take, "none", help);
  if (!other.empty())
    app_.get_option(flag)->excludes(app_.get_option(other));
}

void option_adder::text(const std::string& flag, std::string& into,
                        const std::string& shown_default, const std::string& help) {
  add(
    flag, into, [](const std::string& given) { return std::optional<std::string>{given}; },
    "a text", shown_default, help);
}

void option_adder::hidden_flag(const std::string& flag, const std::function<void()>& take) {
  app_.add_flag_callback(flag, take)->group("");
}

void option_adder::add_single(const std::string& flag,
                              const std::function<void(const std::string&)>& take,
                              const std::string& shown_default, const std::string& help) {
  auto* const option = app_.add_option_function<std::string>(flag, take, help);
  option->envname(environment_name(flag))->type_name("")->group(group_)->take_last();
  option->default_str(shown_default);
}

} // namespace canang::app
