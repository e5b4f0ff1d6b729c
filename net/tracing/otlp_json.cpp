#include "net/tracing/otlp_json.hpp"

#include "base/hex_digit.hpp"
#include "net/json.hpp"

#include <fmt/format.h>

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <iterator>
#include <system_error>

namespace canang::net {

namespace {

void add_attribute(std::string& out, std::string_view name,
                   const std::variant<std::int64_t, std::string>& value) {
  if (out.back() != '[')
    out += ',';
  out += R"({"key":)";
  append_json_string(out, name);
  if (const auto* const number = std::get_if<std::int64_t>(&value)) {
    fmt::format_to(std::back_inserter(out), R"(,"value":{{"intValue":"{}"}}}})", *number);
  } else {
    out += R"(,"value":{"stringValue":)";
    append_json_string(out, std::get<std::string>(value));
    out += "}}";
  }
}

std::int64_t ns_of(span::clock::time_point at) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count();
}

void add_span(std::string& out, const span& one, std::int64_t offset_ns) {
  out += R"({"traceId":")";
  out += trace_id_of(one.at);
  out += R"(","spanId":")";
  append_hex(out, one.at.span, 16);
  if (one.parent != 0) {
    out += R"(","parentSpanId":")";
    append_hex(out, one.parent, 16);
  }
  out += R"(","flags":1,"name":)";
  append_json_string(out, one.name);
  fmt::format_to(std::back_inserter(out),
                 R"(,"kind":{},"startTimeUnixNano":"{}","endTimeUnixNano":"{}","attributes":[)",
                 static_cast<unsigned>(one.kind), ns_of(one.began) + offset_ns,
                 ns_of(std::max(one.began, one.ended)) + offset_ns);
  for (const auto& [name, value] : one.attributes)
    add_attribute(out, name, value);
  out += ']';
  constexpr unsigned error = 2;
  if (!one.fault.empty()) {
    fmt::format_to(std::back_inserter(out), R"(,"status":{{"code":{},"message":)", error);
    append_json_string(out, one.fault);
    out += '}';
  }
  out += '}';
}

} // namespace

std::string encode_spans(const trace_resource& resource, std::span<const span> spans,
                         std::int64_t offset_ns) {
  std::string out{R"({"resourceSpans":[{"resource":{"attributes":[)"};
  add_attribute(out, "service.name", resource.service);
  add_attribute(out, "service.version", resource.version);
  add_attribute(out, "service.instance.id", resource.instance);
  out += R"(]},"scopeSpans":[{"scope":{"name":"canang","version":)";
  append_json_string(out, resource.version);
  out += R"(},"spans":[)";
  for (const auto& one : spans) {
    if (out.back() != '[')
      out += ',';
    add_span(out, one, offset_ns);
  }
  return out += "]}]}]}";
}

/// A number of 64 bits is a string in JSON of Protocol Buffers, and readers take both.
std::uint64_t rejected_spans(std::string_view answer, std::string& why) {
  simdjson::dom::parser parser;
  simdjson::dom::object partial;
  const simdjson::padded_string padded{answer};
  if (parser.parse(padded)["partialSuccess"].get(partial) != simdjson::SUCCESS)
    return 0;
  std::string_view text;
  if (partial["errorMessage"].get(text) == simdjson::SUCCESS)
    why = text;
  std::uint64_t count = 0;
  const auto said = partial["rejectedSpans"];
  if (said.get(count) == simdjson::SUCCESS)
    return count;
  if (said.get(text) != simdjson::SUCCESS)
    return 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  return error == std::errc{} && end == text.data() + text.size() ? count : 0;
}

} // namespace canang::net
