#pragma once

#include <CLI/CLI.hpp>

#include <exception>
#include <string>

namespace canang::load {

/// A CLI option whose text goes through `parse`; errors name the option.
template <class T, class Parse>
CLI::Option* add_parsed(CLI::App& app, const char* name, T& target, Parse parse, const char* help) {
  return app
    .add_option_function<std::string>(
      name,
      [&target, parse, name](const std::string& text) {
        try {
          target = parse(text);
        } catch (const std::exception& e) {
          throw CLI::ValidationError(name, e.what());
        }
      },
      help)
    ->type_name("");
}

inline void require(bool condition, const char* option, const std::string& why) {
  if (!condition)
    throw CLI::ValidationError(option, why);
}

} // namespace canang::load
