#pragma once

#include "app/admin/api_error.hpp"

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Reads the JSON of a request to the server API; for what parses alone, since simdjson is in it.

namespace canang::admin {

/// Deepest nesting of a request's JSON.
inline constexpr std::size_t max_api_depth = 64;

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

  void not_found(std::string_view what) {
    note(200, api_errc::method_not_found, "method not found: ", what);
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

/// The fields of an object, by name.
class api_fields {
public:
  /// `wrong` outlives it.
  api_fields(simdjson::dom::object object, std::span<const std::string_view> known,
             complaint& wrong);

  [[nodiscard]] bool has(std::string_view name) const { return find(name).has_value(); }

  /// A field that is there, though it may be null.
  [[nodiscard]] std::optional<simdjson::dom::element> find(std::string_view name) const;

  /// One that is there and not null: what is null is not there, as for Centrifugo.
  [[nodiscard]] std::optional<simdjson::dom::element> present(std::string_view name) const;

  /// A text; empty when it is not there.
  [[nodiscard]] std::string text(std::string_view name) const;
  [[nodiscard]] bool flag(std::string_view name) const;
  [[nodiscard]] std::optional<std::int64_t> number(std::string_view name) const;
  [[nodiscard]] std::optional<simdjson::dom::object> object(std::string_view name) const;
  [[nodiscard]] std::optional<simdjson::dom::array> array(std::string_view name) const;

private:
  void add(const simdjson::dom::key_value_pair& field, std::span<const std::string_view> known);

  complaint& wrong_;
  std::vector<std::pair<std::string_view, simdjson::dom::element>> found_;
};

/// A name that goes into a message: no longer than it has to be.
[[nodiscard]] std::string short_name(std::string_view key);

/// The body's object, or a complaint. `parser` outlives it.
[[nodiscard]] std::optional<simdjson::dom::object>
root_of(const simdjson::padded_string& body, simdjson::dom::parser& parser, complaint& wrong);

/// A field of a body that is known to be a JSON object, as it stands but for the white space; empty where there is
/// none.
[[nodiscard]] std::string raw_field(const simdjson::padded_string& body, std::string_view name);

/// Parses a body and has it read by `reader(object, text, wrong)`.
template <class Request, class Reader>
api_parsed<Request> read_request(std::string_view body, const Reader& reader) {
  complaint wrong;
  const simdjson::padded_string text{body};
  simdjson::dom::parser parser;
  Request request{};
  if (const auto object = root_of(text, parser, wrong))
    request = reader(*object, text, wrong);
  if (wrong.is_made())
    return wrong.take();
  return request;
}

} // namespace canang::admin
