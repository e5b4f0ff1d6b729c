#include "bench/load/meta_frame.hpp"

#include "bench/load/dialects.hpp"

#include <charconv>

namespace canang::load {

namespace {

/// Takes everything up to `end`, and `end` itself, off the front of `text`.
bool take_until(std::string_view& text, std::string_view end, std::string_view& taken) {
  const auto at = text.find(end);
  if (at == std::string_view::npos)
    return false;
  taken = text.substr(0, at);
  text.remove_prefix(at + end.size());
  return true;
}

bool take_number(std::string_view& text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{})
    return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

meta_frame parse_join(std::string_view text) {
  meta_frame frame;
  std::string_view room;
  if (!take_until(text, R"(","epoch":")", room) || !take_until(text, R"(","offset":)", frame.epoch)
      || !take_number(text, frame.offset) || !take_prefix(text, R"(,"recovered":)"))
    return frame;
  frame.recovered = text == "true}}";
  if (frame.recovered || text == "false}}")
    frame.what = meta_frame::kind::join;
  return frame;
}

meta_frame parse_publication(std::string_view text) {
  meta_frame frame;
  if (!take_until(text, R"(","offset":)", frame.epoch) || !take_number(text, frame.offset)
      || !text.ends_with('}'))
    return frame;
  if (text.starts_with(R"(,"joined":{)") || text.starts_with(R"(,"left":{)")) {
    frame.what = meta_frame::kind::event;
    frame.text = text.substr(1);
  } else if (take_prefix(text, R"(,"data":")") && text.ends_with(R"("})")) {
    frame.what = meta_frame::kind::publication;
    frame.text = text.substr(0, text.size() - 2);
  }
  return frame;
}

} // namespace

meta_frame parse_meta_frame(std::string_view text) {
  if (take_prefix(text, R"({"epoch":")")) // what comes most, first
    return parse_publication(text);
  if (take_prefix(text, R"({"join":{"room":")"))
    return parse_join(text);
  meta_frame frame;
  if (take_prefix(text, R"({"error":{"code":")") && take_until(text, "\"", frame.text))
    frame.what = meta_frame::kind::error;
  return frame;
}

} // namespace canang::load
