#include "app/import/imported_keys.hpp"

#include "app/toml_document.hpp"
#include "base/cut_utf8.hpp"
#include "net/http/authority.hpp"

#include <fmt/format.h>

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace canang::app {

namespace {

namespace dom = simdjson::dom;

/// Ends reading; caught in `read_imported`.
struct unreadable {
  std::string why;
};

/// A longer key is none that is known.
constexpr std::size_t max_shown_key = 80;

std::string shown_key(std::string_view key) {
  if (key.size() <= max_shown_key)
    return std::string{key};
  return std::string{cut_utf8(key, max_shown_key)} + "...";
}

std::string text_of_number(double number) {
  constexpr double exact = 9e15; // below 2^53
  if (std::abs(number) < exact && std::trunc(number) == number)
    return std::to_string(static_cast<std::int64_t>(number));
  return fmt::format("{}", number);
}

void take_scalar(const dom::element& from, imported_key& into) {
  using kind = imported_key::kind;
  switch (from.type()) {
  case dom::element_type::NULL_VALUE: into.what = kind::nothing; break;
  case dom::element_type::BOOL:
    into.what = kind::flag;
    into.text = from.get_bool().value_unsafe() ? "true" : "false";
    break;
  case dom::element_type::INT64:
    into.what = kind::number;
    into.text = std::to_string(from.get_int64().value_unsafe());
    break;
  case dom::element_type::UINT64:
    into.what = kind::number;
    into.text = std::to_string(from.get_uint64().value_unsafe());
    break;
  case dom::element_type::DOUBLE:
    into.what = kind::number;
    into.text = text_of_number(from.get_double().value_unsafe());
    break;
  case dom::element_type::STRING:
    into.what = kind::text;
    into.text = std::string{from.get_string().value_unsafe()};
    break;
  default: break; // an empty object
  }
}

/// Takes a configuration apart into keys. Their paths are in the output, each one: so when these alone are longer
/// than it may be, reading ends.
class reader {
public:
  void read(const dom::object& from, const std::string& path, imported_keys& into) {
    for (const auto field : from) {
      const auto name = shown_key(field.key);
      read(field.value, path.empty() ? name : fmt::format("{}.{}", path, name), into);
    }
  }

  std::vector<imported_keys> namespaces;

private:
  void read(const dom::element& from, const std::string& path, imported_keys& into) {
    const auto name = net::to_lower(path);
    dom::object object;
    dom::array array;
    if (from.get(object) == simdjson::SUCCESS && object.size() > 0)
      read(object, path, into);
    else if (from.get(array) != simdjson::SUCCESS)
      add(from, path, into);
    else if (is_of_namespaces(name) && array.size() > 0)
      read_namespaces(array, path, into);
    else
      read_list(array, path, into);
  }

  void add(const dom::element& from, const std::string& path, imported_keys& into) {
    imported_key key{.path = path, .name = net::to_lower(path)};
    take_scalar(from, key);
    charge(path);
    into.add(std::move(key));
  }

  void read_list(const dom::array& array, const std::string& path, imported_keys& into) {
    imported_key key{.path = path, .name = net::to_lower(path), .what = imported_key::kind::list};
    for (const auto item : array) {
      if (item.is_object() || item.is_array()) {
        read_each(array, path, into);
        return;
      }
      imported_key scalar;
      take_scalar(item, scalar);
      if (scalar.what != imported_key::kind::text && scalar.what != imported_key::kind::number)
        key.what = imported_key::kind::other;
      key.items.push_back(std::move(scalar.text));
    }
    charge(path);
    into.add(std::move(key));
  }

  void read_each(const dom::array& array, const std::string& path, imported_keys& into) {
    std::size_t i = 0;
    for (const auto item : array)
      read(item, fmt::format("{}[{}]", path, i++), into);
  }

  void read_namespaces(const dom::array& array, const std::string& path, imported_keys& into) {
    std::size_t i = 0;
    for (const auto item : array) {
      dom::object object;
      if (item.get(object) == simdjson::SUCCESS)
        read_namespace(object);
      else
        read(item, fmt::format("{}[{}]", path, i), into);
      ++i;
    }
  }

  void read_namespace(const dom::object& object) {
    imported_keys keys;
    is_in_namespace_ = true;
    read(object, {}, keys);
    is_in_namespace_ = false;
    namespaces.push_back(std::move(keys));
  }

  /// A namespace has none itself: a key of that name there is one like others.
  [[nodiscard]] bool is_of_namespaces(std::string_view name) const {
    return !is_in_namespace_ && (name == "channel.namespaces" || name == "namespaces");
  }

  void charge(const std::string& path) {
    bytes_ += path.size();
    if (bytes_ > max_toml_bytes)
      throw unreadable{"it has more keys than a configuration file has room for"};
  }

  std::size_t bytes_ = 0;
  bool is_in_namespace_ = false;
};

std::string why_unreadable(simdjson::error_code error) {
  switch (error) {
  case simdjson::EMPTY: return "it is empty";
  case simdjson::UTF8_ERROR: return "it is not UTF-8";
  case simdjson::DEPTH_ERROR: return fmt::format("it is nested deeper than {}", max_imported_depth);
  case simdjson::NUMBER_ERROR: return "a number in it is none, or too large";
  case simdjson::MEMALLOC:
  case simdjson::CAPACITY: return "there is no memory for it";
  default: return "it is not JSON";
  }
}

} // namespace

const imported_key* imported_keys::take(std::initializer_list<std::string_view> names) {
  const imported_key* taken = nullptr;
  for (const auto name : names) {
    for (auto& key : keys_) {
      if (name.empty() || key.name != name || key.what == imported_key::kind::nothing)
        continue;
      (taken == nullptr ? key.is_told : key.is_spare) = true;
      if (taken == nullptr)
        taken = &key;
    }
  }
  return taken;
}

std::variant<imported_configuration, std::string> read_imported(std::string_view json) {
  if (json.size() > max_imported_bytes)
    return fmt::format("it has more than {} bytes", max_imported_bytes);
  const simdjson::padded_string text{json};
  dom::parser parser;
  dom::element root;
  dom::object object;
  // The parser counts what is in the innermost object, too.
  auto error = parser.allocate(std::max<std::size_t>(json.size(), 1), max_imported_depth + 1);
  if (error == simdjson::SUCCESS)
    error = parser.parse(text).get(root);
  if (error != simdjson::SUCCESS)
    return why_unreadable(error);
  if (root.get(object) != simdjson::SUCCESS)
    return std::string{"it is not a JSON object"};
  imported_configuration configuration;
  reader from;
  try {
    from.read(object, {}, configuration.root);
  } catch (unreadable& fault) {
    return std::move(fault.why);
  }
  configuration.namespaces = std::move(from.namespaces);
  return configuration;
}

} // namespace canang::app
