#include "app/bounded_file.hpp"

#include <fstream>

namespace canang::app {

std::optional<std::string> read_bounded_file(const std::string& path, std::size_t most) {
  std::ifstream file{path, std::ios::binary};
  std::string text(most + 1, '\0'); // one more than is taken: then it is refused
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad())
    return std::nullopt;
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text.size() <= most ? std::optional{std::move(text)} : std::nullopt;
}

void drop_line_ends(std::string& text) noexcept {
  while (text.ends_with('\n') || text.ends_with('\r'))
    text.pop_back();
}

} // namespace canang::app
