#include "app/admin/api_json.hpp"

#include "net/json.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace canang::admin {

namespace {

namespace dom = simdjson::dom;
namespace ondemand = simdjson::ondemand;

std::string_view why_unreadable(simdjson::error_code error) noexcept {
  switch (error) {
  case simdjson::EMPTY: return "the body is empty";
  case simdjson::UTF8_ERROR: return "the body is not UTF-8";
  case simdjson::DEPTH_ERROR: return "the body is nested too deep";
  case simdjson::NUMBER_ERROR: return "a number in the body is none, or too large";
  case simdjson::MEMALLOC:
  case simdjson::CAPACITY: return "there is no memory for the body";
  default: return "the body is not JSON";
  }
}

/// What a field has that its sender means nothing by: libraries send all fields that they know.
bool is_nothing(const dom::element& value) {
  switch (value.type()) {
  case dom::element_type::NULL_VALUE: return true;
  case dom::element_type::BOOL: return !value.get_bool().value_unsafe();
  case dom::element_type::INT64: return value.get_int64().value_unsafe() == 0;
  case dom::element_type::STRING: return value.get_string_length().value_unsafe() == 0;
  case dom::element_type::ARRAY: return value.get_array().value_unsafe().size() == 0;
  case dom::element_type::OBJECT: return value.get_object().value_unsafe().size() == 0;
  default: return false;
  }
}

/// The JSON of a value as it stands, maybe with white space behind it.
simdjson::error_code raw_json(ondemand::value value, std::string_view& into) {
  ondemand::json_type type{};
  if (const auto error = value.type().get(type); error != simdjson::SUCCESS)
    return error;
  if (type == ondemand::json_type::object) {
    ondemand::object object;
    const auto error = value.get_object().get(object);
    return error == simdjson::SUCCESS ? object.raw_json().get(into) : error;
  }
  if (type == ondemand::json_type::array) {
    ondemand::array array;
    const auto error = value.get_array().get(array);
    return error == simdjson::SUCCESS ? array.raw_json().get(into) : error;
  }
  into = value.raw_json_token();
  return simdjson::SUCCESS;
}

std::string without_white_space(std::string_view json) {
  std::string out(json.size() + simdjson::SIMDJSON_PADDING, '\0');
  std::size_t size = 0;
  if (simdjson::minify(json.data(), json.size(), out.data(), size) != simdjson::SUCCESS)
    return {};
  out.resize(size);
  return out;
}

} // namespace

std::string short_name(std::string_view key) {
  constexpr std::size_t enough = 40;
  if (key.size() <= enough)
    return std::string{key};
  auto end = enough;
  while (end > 0 && (static_cast<unsigned char>(key[end]) & 0xc0U) == 0x80U)
    --end; // not within a character
  return std::string{key.substr(0, end)} + "...";
}

api_fields::api_fields(dom::object object, std::span<const std::string_view> known,
                       complaint& wrong)
  : wrong_(wrong) {
  for (const auto field : object)
    add(field, known);
}

/// One that is not known and asks for something is refused: to do less than was asked for, or to disconnect
/// more, would be worse.
void api_fields::add(const dom::key_value_pair& field, std::span<const std::string_view> known) {
  if (std::find(known.begin(), known.end(), field.key) != known.end()) {
    if (has(field.key))
      wrong_.unreadable(fmt::format("'{}' is there twice", field.key));
    found_.emplace_back(field.key, field.value);
  } else if (!is_nothing(field.value)) {
    wrong_.not_available(fmt::format("the field '{}'", short_name(field.key)));
  }
}

std::optional<dom::element> api_fields::find(std::string_view name) const {
  const auto at =
    std::find_if(found_.begin(), found_.end(), [&](const auto& one) { return one.first == name; });
  return at == found_.end() ? std::nullopt : std::optional{at->second};
}

std::optional<dom::element> api_fields::present(std::string_view name) const {
  auto value = find(name);
  if (value && value->is_null())
    value.reset();
  return value;
}

std::string api_fields::text(std::string_view name) const {
  const auto value = present(name);
  if (!value)
    return {};
  std::string_view text;
  if (value->get(text) != simdjson::SUCCESS)
    wrong_.unreadable(fmt::format("'{}' has to be a string", name));
  return std::string{text};
}

bool api_fields::flag(std::string_view name) const {
  const auto value = present(name);
  bool is_set = false;
  if (value && value->get(is_set) != simdjson::SUCCESS)
    wrong_.unreadable(fmt::format("'{}' has to be true or false", name));
  return is_set;
}

std::optional<std::int64_t> api_fields::number(std::string_view name) const {
  const auto value = present(name);
  if (!value)
    return std::nullopt;
  std::int64_t number = 0;
  if (value->get(number) != simdjson::SUCCESS)
    wrong_.unreadable(fmt::format("'{}' has to be a whole number", name));
  return number;
}

std::optional<dom::object> api_fields::object(std::string_view name) const {
  const auto value = present(name);
  dom::object inside;
  if (!value)
    return std::nullopt;
  if (value->get(inside) == simdjson::SUCCESS)
    return inside;
  wrong_.unreadable(fmt::format("'{}' has to be an object", name));
  return std::nullopt;
}

std::optional<dom::array> api_fields::array(std::string_view name) const {
  const auto value = present(name);
  dom::array inside;
  if (!value)
    return std::nullopt;
  if (value->get(inside) == simdjson::SUCCESS)
    return inside;
  wrong_.unreadable(fmt::format("'{}' has to be an array", name));
  return std::nullopt;
}

std::optional<dom::object> root_of(const simdjson::padded_string& body, dom::parser& parser,
                                   complaint& wrong) {
  dom::element root;
  dom::object object;
  auto error = parser.allocate(body.size(), max_api_depth);
  if (error == simdjson::SUCCESS)
    error = parser.parse(body).get(root);
  if (error != simdjson::SUCCESS)
    wrong.unreadable(why_unreadable(error));
  else if (root.get(object) != simdjson::SUCCESS)
    wrong.unreadable("the body is not a JSON object");
  if (wrong.is_made())
    return std::nullopt;
  return object;
}

/// The parser that reads values into numbers and texts does not tell where they stood, so it is looked for once more.
std::string raw_field(const simdjson::padded_string& body, std::string_view name) {
  ondemand::parser parser;
  ondemand::document document;
  ondemand::object object;
  if (parser.iterate(body).get(document) != simdjson::SUCCESS
      || document.get_object().get(object) != simdjson::SUCCESS)
    return {};
  for (auto one : object) {
    ondemand::field field;
    std::string_view key;
    std::string_view json;
    if (std::move(one).get(field) != simdjson::SUCCESS
        || field.unescaped_key().get(key) != simdjson::SUCCESS)
      return {};
    if (key != name)
      continue;
    return raw_json(field.value(), json) == simdjson::SUCCESS ? without_white_space(json)
                                                              : std::string{};
  }
  return {};
}

std::string to_json(const api_error& error) {
  auto json = fmt::format(R"({{"error":{{"code":{},"message":)", static_cast<unsigned>(error.code));
  net::append_json_string(json, error.message);
  return json + "}}";
}

} // namespace canang::admin
