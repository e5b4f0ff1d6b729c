#include "net/auth/token_json.hpp"

#include "net/auth/token_limits.hpp"

#include <algorithm>
#include <vector>

namespace canang::net {

namespace dom = simdjson::dom;

namespace {

bool has_twice(const dom::object& object) {
  std::vector<std::string_view> names;
  for (const auto field : object)
    names.push_back(field.key);
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) != names.end();
}

/// Of this thread, for tokens of any size: about 100 KiB.
dom::parser* parser_of_thread() {
  static thread_local dom::parser parser;
  static thread_local const auto error = parser.allocate(max_token_bytes, max_token_depth);
  return error == simdjson::SUCCESS ? &parser : nullptr;
}

} // namespace

std::optional<dom::object> parse_token_object(std::string_view json) {
  auto* const parser = parser_of_thread();
  dom::element root;
  dom::object object;
  if (parser == nullptr || json.size() > max_token_bytes
      || parser->parse(json.data(), json.size()).get(root) != simdjson::SUCCESS
      || root.get(object) != simdjson::SUCCESS || has_twice(object))
    return std::nullopt;
  return object;
}

} // namespace canang::net
