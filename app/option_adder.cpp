#include "app/option_adder.hpp"

#include <cctype>

namespace canang::app {

std::string environment_name(std::string_view flag) {
  std::string name = "CANANG_";
  for (const char c : flag.substr(2))
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

} // namespace canang::app
