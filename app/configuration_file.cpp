#include "app/configuration_file.hpp"

#include "app/bad_option.hpp"
#include "app/room_tables.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace canang::app {

namespace {

std::string read_whole(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  const int error = errno;
  if (!file.is_open())
    throw bad_option{fmt::format("--config: '{}' cannot be read: {}", path, std::strerror(error))};
  std::string text(max_toml_bytes + 1, '\0'); // one more than is read: then it is refused
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad())
    throw bad_option{fmt::format("--config: '{}' cannot be read: it is no file", path)};
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

/// The options write themselves as flags: `--workers: '0' is not ...`
std::string_view without_dashes(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of('-'), text.size()));
  return text;
}

bool takes_several(const CLI::Option& option) {
  return option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
}

/// Of a text that looks like one, 1.10 for instance, TOML would leave 1.1: that has to be quoted.
bool takes_fraction(const CLI::Option& option) { return option.get_name() == "--trace-sample"; }

bool takes(const CLI::Option& option, const toml_value& value) {
  using kind = toml_value::kind;
  if (value.what == kind::list)
    return takes_several(option);
  return value.is_scalar() && (value.what != kind::fraction || takes_fraction(option));
}

} // namespace

configuration_file::configuration_file(std::string path) : path_(std::move(path)) {
  auto read = read_toml(read_whole(path_));
  if (const auto* const fault = std::get_if<text_fault>(&read))
    refuse(*fault);
  document_ = std::get<toml_value>(std::move(read));
}

void configuration_file::refuse(const text_fault& fault, int exit_code) const {
  throw bad_option{fmt::format("{}:{}:{}: {}", path_, fault.at.line, fault.at.column, fault.what),
                   exit_code};
}

void configuration_file::refuse(const toml_entry& entry, const std::string& why) const {
  const bool is_table =
    entry.value.what == toml_value::kind::table; // of which the name is what is wrong
  refuse({is_table ? entry.at : entry.value.at, fmt::format("{}: {}", entry.key, why)});
}

/// What has no variable of the environment, such as --help, is no option of the file either.
CLI::Option& configuration_file::option_of(CLI::App& app, const toml_entry& entry) const {
  auto* const option = app.get_option_no_throw("--" + entry.key);
  if (option == nullptr || option->get_envname().empty() || entry.key == "config")
    refuse({entry.at, fmt::format("there is no option '{}'", entry.key)});
  return *option;
}

void configuration_file::apply_options(CLI::App& app) const {
  std::set<const CLI::Option*> given; // by this file
  for (const auto& entry : document_.entries) {
    if (is_room_table(entry.key))
      continue;
    auto& option = option_of(app, entry);
    const auto others = option.get_excludes();
    const auto other = std::find_if(others.begin(), others.end(),
                                    [](const auto* excluded) { return excluded->count() > 0; });
    if (other != others.end() && given.count(*other) > 0)
      refuse(entry, fmt::format("not together with {}", without_dashes((*other)->get_name())));
    const bool is_beaten = option.count() > 0 || other != others.end();
    if (is_beaten)
      continue;
    give(option, entry);
    given.insert(&option);
  }
}

void configuration_file::give(CLI::Option& option, const toml_entry& entry) const {
  const auto& value = entry.value;
  const bool is_list = value.what == toml_value::kind::list;
  if (!takes(option, value))
    refuse(entry, takes_several(option) ? "this is neither a text nor a list of texts"
                                        : "this is neither a text nor a whole number");
  if (is_list && value.items.empty())
    refuse(entry, "the list is empty: leave the line out");
  const auto texts = is_list ? value.items : std::vector<std::string>{value.text};
  try {
    for (const auto& text : texts)
      option.add_result(text);
    option.run_callback();
  } catch (const bad_option& wrong) {
    refuse({value.at, std::string{without_dashes(wrong.what())}}, wrong.exit_code);
  } catch (const CLI::ParseError& wrong) {
    refuse({value.at, std::string{without_dashes(wrong.what())}});
  }
}

void configuration_file::apply_rooms(std::size_t max_message_bytes,
                                     cluster::room_settings_table& table) const {
  if (const auto fault = read_room_tables(document_, max_message_bytes, table))
    refuse(*fault);
}

} // namespace canang::app
