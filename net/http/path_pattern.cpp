#include "net/http/path_pattern.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

namespace canang::net {

namespace {

/// Takes the first segment off a path, which begins with a slash; nothing where none is left.
std::optional<std::string_view> take_front(std::string_view& path) noexcept {
  if (!path.starts_with('/'))
    return std::nullopt;
  path.remove_prefix(1);
  const auto found = path.substr(0, path.find('/'));
  path.remove_prefix(found.size());
  return found;
}

std::optional<std::string_view> take_back(std::string_view& path) noexcept {
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos)
    return std::nullopt;
  const auto found = path.substr(slash + 1);
  path.remove_suffix(found.size() + 1);
  return found;
}

} // namespace

std::string_view path_values::operator[](std::string_view name) const noexcept {
  if (of_ == nullptr)
    return {};
  const auto& names = of_->names_;
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? std::string_view{}
                              : values_[static_cast<std::size_t>(found - names.begin())];
}

path_pattern::path_pattern(std::string text) : text_(std::move(text)) {
  std::string_view left = text_;
  while (const auto next = take_front(left)) {
    segments_.push_back(parse_segment(*next));
    if (segments_.back().what != kind::literal)
      names_.push_back(segments_.back().text);
  }
  const auto is_rest = [](const segment& each) { return each.what == kind::rest; };
  if (segments_.empty() || !left.empty() || names_.size() > max_path_values
      || std::count_if(segments_.begin(), segments_.end(), is_rest) > 1)
    throw std::invalid_argument{"not a pattern of paths: " + text_};
}

path_pattern::segment path_pattern::parse_segment(std::string_view text) {
  if (!text.starts_with('{') || !text.ends_with('}'))
    return {kind::literal, std::string{text}};
  text = text.substr(1, text.size() - 2);
  const bool is_rest = text.ends_with('*');
  if (is_rest)
    text.remove_suffix(1);
  return {is_rest ? kind::rest : kind::name, std::string{text}};
}

bool path_pattern::take(const segment& wanted, std::string_view found, path_values& values,
                        std::size_t& name) const noexcept {
  if (wanted.what == kind::literal)
    return found == wanted.text;
  values.values_[name++] = found;
  return !found.empty();
}

bool path_pattern::matches(std::string_view path, path_values& values) const noexcept {
  values.of_ = this;
  std::size_t name = 0;
  auto front = segments_.begin();
  for (; front != segments_.end() && front->what != kind::rest; ++front) {
    const auto found = take_front(path);
    if (!found || !take(*front, *found, values, name))
      return false;
  }
  if (front == segments_.end())
    return path.empty();
  auto back = names_.size(); // names behind the rest are filled from the last one on
  for (auto last = segments_.end() - 1; last != front; --last) {
    const auto found = take_back(path);
    if (last->what == kind::name)
      --back;
    auto at = back;
    if (!found || !take(*last, *found, values, at))
      return false;
  }
  if (!path.starts_with('/'))
    return false;
  values.values_[name] = path.substr(1);
  return true;
}

bool path_pattern::comes_before(const path_pattern& other) const noexcept {
  const auto common = std::min(segments_.size(), other.segments_.size());
  for (std::size_t i = 0; i < common; ++i)
    if (segments_[i].what != other.segments_[i].what)
      return segments_[i].what < other.segments_[i].what;
  return segments_.size() > other.segments_.size();
}

} // namespace canang::net
