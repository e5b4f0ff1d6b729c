#include "app/option_adder.hpp"

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

} // namespace canang::app
