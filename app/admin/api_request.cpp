#include "app/admin/api_request.hpp"

#include "net/close_code.hpp"
#include "net/http/target.hpp"
#include "net/json.hpp"

#include <fmt/format.h>

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace canang::admin {

namespace {

namespace dom = simdjson::dom;

constexpr std::uint16_t force_reconnect = 3011; // the code of Centrifugo's disconnect
constexpr std::int64_t min_code = 3000;
constexpr std::int64_t max_code = 4999;
constexpr std::size_t max_reason_bytes = 123; // RFC 6455, 5.5

/// The first thing that is wrong with a request; what comes after it does not count.
class complaint {
public:
  /// It cannot be read.
  void unreadable(std::string_view what) {
    note(400, api_errc::bad_request, "bad request: ", what);
  }

  /// It cannot be done.
  void refuse(std::string_view what) { note(200, api_errc::bad_request, "bad request: ", what); }

  void not_available(std::string_view what) {
    note(200, api_errc::not_available, "not available: ", what);
  }

  [[nodiscard]] bool is_made() const noexcept { return error_.has_value(); }
  [[nodiscard]] api_error take() { return std::move(*error_); }

private:
  void note(unsigned status, api_errc code, std::string_view kind, std::string_view what) {
    if (!error_)
      error_ = api_error{.status = status, .code = code, .message = std::string{kind} += what};
  }

  std::optional<api_error> error_;
};

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

/// The fields of an object, by name.
class fields {
public:
  /// `wrong` outlives it.
  fields(dom::object object, std::span<const std::string_view> known, complaint& wrong)
    : wrong_(wrong) {
    for (const auto field : object)
      add(field, known);
  }

  [[nodiscard]] bool has(std::string_view name) const { return find(name).has_value(); }

  /// A field that is there and not null, or nothing.
  [[nodiscard]] std::optional<dom::element> find(std::string_view name) const {
    const auto at = std::find_if(found_.begin(), found_.end(),
                                 [&](const auto& one) { return one.first == name; });
    return at == found_.end() ? std::nullopt : std::optional{at->second};
  }

  /// A text; empty when it is not there.
  [[nodiscard]] std::string text(std::string_view name) const {
    const auto value = present(name);
    if (!value)
      return {};
    std::string_view text;
    if (value->get(text) != simdjson::SUCCESS)
      wrong_.unreadable(fmt::format("'{}' has to be a string", name));
    return std::string{text};
  }

  [[nodiscard]] bool flag(std::string_view name) const {
    const auto value = present(name);
    bool is_set = false;
    if (value && value->get(is_set) != simdjson::SUCCESS)
      wrong_.unreadable(fmt::format("'{}' has to be true or false", name));
    return is_set;
  }

  [[nodiscard]] std::optional<std::int64_t> number(std::string_view name) const {
    const auto value = present(name);
    if (!value)
      return std::nullopt;
    std::int64_t number = 0;
    if (value->get(number) != simdjson::SUCCESS)
      wrong_.unreadable(fmt::format("'{}' has to be a whole number", name));
    return number;
  }

private:
  /// What is null is not there, as for Centrifugo.
  [[nodiscard]] std::optional<dom::element> present(std::string_view name) const {
    auto value = find(name);
    if (value && value->is_null())
      value.reset();
    return value;
  }

  /// One that is not known and asks for something is refused: to do less than was asked for, or to disconnect
  /// more, would be worse.
  void add(const dom::key_value_pair& field, std::span<const std::string_view> known) {
    if (std::find(known.begin(), known.end(), field.key) != known.end()) {
      if (has(field.key))
        wrong_.unreadable(fmt::format("'{}' is there twice", field.key));
      found_.emplace_back(field.key, field.value);
    } else if (!is_nothing(field.value)) {
      wrong_.not_available(fmt::format("the field '{}'", short_name(field.key)));
    }
  }

  static std::string short_name(std::string_view key) {
    constexpr std::size_t enough = 40;
    if (key.size() <= enough)
      return std::string{key};
    auto end = enough;
    while (end > 0 && (static_cast<unsigned char>(key[end]) & 0xc0U) == 0x80U)
      --end; // not within a character
    return std::string{key.substr(0, end)} + "...";
  }

  complaint& wrong_;
  std::vector<std::pair<std::string_view, dom::element>> found_;
};

/// Parses a body and has it read by `reader(object, text, wrong)`.
template <class Request, class Reader>
api_parsed<Request> read(std::string_view body, const Reader& reader) {
  complaint wrong;
  const simdjson::padded_string text{body};
  dom::parser parser;
  dom::element root;
  dom::object object;
  auto error = parser.allocate(body.size(), max_api_depth);
  if (error == simdjson::SUCCESS)
    error = parser.parse(text).get(root);
  Request request{};
  if (error != simdjson::SUCCESS)
    wrong.unreadable(why_unreadable(error));
  else if (root.get(object) != simdjson::SUCCESS)
    wrong.unreadable("the body is not a JSON object");
  else
    request = reader(object, text, wrong);
  if (wrong.is_made())
    return wrong.take();
  return request;
}

std::string room_of(const fields& given, complaint& wrong) {
  auto name = given.text("channel");
  if (name.empty())
    wrong.refuse("'channel' is missing");
  else if (!net::is_room_name(name))
    wrong.refuse("'channel' has to be 1 to 255 bytes without control characters and not . or ..");
  return name;
}

std::string user_of(const fields& given, complaint& wrong) {
  auto name = given.text("user");
  if (name.empty())
    wrong.refuse("'user' is missing");
  else if (!net::is_user_name(name))
    wrong.refuse("'user' has to be 1 to 255 bytes without control characters");
  return name;
}

namespace ondemand = simdjson::ondemand;

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

/// The field `data` of a body that is known to be JSON. The parser that reads values into numbers and texts does not
/// tell where they stood, so it is looked for once more.
std::string data_of(const simdjson::padded_string& body) {
  ondemand::parser parser;
  ondemand::document document;
  ondemand::object object;
  if (parser.iterate(body).get(document) != simdjson::SUCCESS
      || document.get_object().get(object) != simdjson::SUCCESS)
    return {};
  for (auto one : object) {
    ondemand::field field;
    std::string_view name;
    std::string_view json;
    if (std::move(one).get(field) != simdjson::SUCCESS
        || field.unescaped_key().get(name) != simdjson::SUCCESS)
      return {};
    if (name != "data")
      continue;
    return raw_json(field.value(), json) == simdjson::SUCCESS ? without_white_space(json)
                                                              : std::string{};
  }
  return {};
}

/// `disconnect` of a request: code and reason.
void read_how(const dom::element& how, api_disconnect& into, complaint& wrong) {
  static constexpr std::array<std::string_view, 2> known{"code", "reason"};
  dom::object inside;
  if (how.get(inside) != simdjson::SUCCESS) {
    wrong.unreadable("'disconnect' has to be an object");
    return;
  }
  const fields said{inside, known, wrong};
  const auto code = said.number("code").value_or(0);
  if (code != 0 && (code < min_code || code > max_code))
    wrong.refuse("'code' has to be from 3000 to 4999");
  else if (code != 0)
    into.code = static_cast<std::uint16_t>(code);
  into.reason = said.text("reason");
  if (into.reason.size() > max_reason_bytes)
    wrong.refuse(fmt::format("'reason' is longer than {} bytes", max_reason_bytes));
}

std::string_view usual_reason(std::uint16_t code) noexcept {
  switch (code) {
  case net::force_disconnect: return "force disconnect";
  case force_reconnect: return "force reconnect";
  default: return {};
  }
}

} // namespace

api_parsed<api_publish> parse_publish(std::string_view body) {
  static constexpr std::array<std::string_view, 4> known{"channel", "data", "idempotency_key",
                                                         "skip_history"};
  return read<api_publish>(
    body, [](const dom::object& object, const simdjson::padded_string& text, complaint& wrong) {
      const fields given{object, known, wrong};
      api_publish request{.channel = room_of(given, wrong),
                          .data = {},
                          .idempotency_key = given.text("idempotency_key"),
                          .skip_history = given.flag("skip_history")};
      if (request.idempotency_key.size() > max_api_key_bytes)
        wrong.refuse(fmt::format("'idempotency_key' is longer than {} bytes", max_api_key_bytes));
      if (!given.has("data"))
        wrong.refuse("'data' is missing");
      if (wrong.is_made())
        return request;
      request.data = data_of(text);
      if (request.data.empty())
        wrong.unreadable("'data' cannot be read");
      return request;
    });
}

api_parsed<api_disconnect> parse_disconnect(std::string_view body) {
  static constexpr std::array<std::string_view, 2> known{"user", "disconnect"};
  return read<api_disconnect>(
    body, [](const dom::object& object, const simdjson::padded_string&, complaint& wrong) {
      const fields given{object, known, wrong};
      api_disconnect request{.user = user_of(given, wrong), .code = net::force_disconnect};
      if (const auto how = given.find("disconnect"); how && !how->is_null())
        read_how(*how, request, wrong);
      if (request.reason.empty())
        request.reason = usual_reason(request.code);
      return request;
    });
}

api_parsed<api_unsubscribe> parse_unsubscribe(std::string_view body) {
  static constexpr std::array<std::string_view, 2> known{"user", "channel"};
  return read<api_unsubscribe>(
    body, [](const dom::object& object, const simdjson::padded_string&, complaint& wrong) {
      const fields given{object, known, wrong};
      return api_unsubscribe{.user = user_of(given, wrong), .channel = room_of(given, wrong)};
    });
}

std::string to_json(const api_error& error) {
  auto json = fmt::format(R"({{"error":{{"code":{},"message":)", static_cast<unsigned>(error.code));
  net::append_json_string(json, error.message);
  return json + "}}";
}

} // namespace canang::admin
