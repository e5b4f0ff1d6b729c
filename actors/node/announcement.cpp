#include "actors/node/announcement.hpp"

#include <fmt/format.h>

#include <simdjson.h>

#include <algorithm>

namespace canang::actors {

namespace {

/// In front of the last field. No text in JSON has these quotes.
constexpr std::string_view begin = R"(,"announces":{)";
constexpr std::string_view notes = "notes";

bool has(const simdjson::simdjson_result<simdjson::dom::element>& list, std::string_view wanted) {
  simdjson::dom::array items;
  if (list.get(items) != simdjson::SUCCESS)
    return false;
  for (const auto item : items) {
    std::string_view text;
    if (item.get(text) == simdjson::SUCCESS && text == wanted)
      return true;
  }
  return false;
}

} // namespace

std::string announce(std::string description, const announcement& told) {
  description.pop_back();
  description += fmt::format(R"({}"reads":[{}])", begin,
                             told.reads_notes ? fmt::format(R"("{}")", notes) : std::string{});
  if (told.key)
    description += fmt::format(R"(,"key":"{}")", net::text_of(*told.key));
  return description + "}}";
}

announcement announcement_in(const std::string& description) {
  announcement told;
  simdjson::dom::parser parser;
  const auto all = parser.parse(description)["announces"];
  if (all.error() != simdjson::SUCCESS)
    return told;
  told.reads_notes = has(all["reads"], notes);
  std::string_view key;
  if (all["key"].get(key) == simdjson::SUCCESS)
    told.key = net::read_emulation_key(key);
  return told;
}

std::string without_announcement(std::string description) {
  if (const auto at = description.find(begin); at != std::string::npos) {
    description.resize(at);
    description += '}';
  }
  return description;
}

bool notes_agreement::all_read(const cluster::redis_roster::roster& living, clock::time_point now) {
  if (!std::all_of(living.begin(), living.end(),
                   [](const auto& node) { return announcement_in(node.description).reads_notes; }))
    seen_one_that_does_not_at_ = now;
  return !seen_one_that_does_not_at_ || now - *seen_one_that_does_not_at_ >= memory;
}

} // namespace canang::actors
