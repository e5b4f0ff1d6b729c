#include "app/trace_options.hpp"

#include "app/endpoint_option.hpp"
#include "app/option_adder.hpp"
#include "base/is_control.hpp"
#include "net/http/authority.hpp"
#include "net/http/fields.hpp"
#include "net/http/target.hpp"
#include "net/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::app {

namespace {

/// A collector's URL is that of all that it takes; traces have a path of their own below it.
void take_collector(const std::string& flag, const std::string& text,
                    std::optional<net::hook_endpoint>& into) {
  constexpr std::string_view path_of_traces = "/v1/traces";
  take_endpoint(flag, text, into);
  auto& target = into->target;
  const auto end = std::min(target.find('?'), target.size());
  auto path = target.substr(0, end);
  if (path.ends_with('/'))
    path.pop_back();
  if (!path.ends_with(path_of_traces))
    path += path_of_traces;
  target = path + target.substr(end);
}

/// In no message: there may be a secret in it.
[[noreturn]] void refuse_headers(std::string_view why) {
  refuse_option("--otlp-headers", std::string{why});
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' '))
    text.remove_prefix(1);
  while (text.ends_with(' '))
    text.remove_suffix(1);
  return text;
}

std::pair<std::string, std::string> header_of(std::string_view item) {
  const auto at = item.find('=');
  if (at == std::string_view::npos)
    refuse_headers("it is a list of NAME=VALUE");
  auto name = net::to_lower(trimmed(item.substr(0, at)));
  auto value = net::percent_decode(trimmed(item.substr(at + 1)));
  if (!net::is_token(name))
    refuse_headers("there is a NAME that is not that of a header field");
  if (says_how_it_is_sent(name))
    refuse_headers(fmt::format("requests have a '{}' of their own", name));
  if (!value || std::any_of(value->begin(), value->end(), is_control))
    refuse_headers("there is a VALUE that no header field can have, or that is badly encoded");
  return {std::move(name), std::move(*value)};
}

void take_headers(const std::string& text, std::vector<std::pair<std::string, std::string>>& into) {
  constexpr std::size_t most = 32;
  into.clear();
  for (const auto& item : split_list({text}))
    into.push_back(header_of(item));
  if (into.size() > most)
    refuse_headers(fmt::format("there are more than {}", most));
}

std::optional<double> parse_share(const std::string& text) {
  double share = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), share);
  const bool is_number = error == std::errc{} && end == text.data() + text.size();
  return is_number && share >= 0 && share <= 1 ? std::optional{share} : std::nullopt;
}

std::optional<std::string> parse_service(const std::string& text) {
  constexpr std::size_t longest = 255;
  const bool is_text = net::is_utf8(text) && std::none_of(text.begin(), text.end(), is_control);
  return is_text && !text.empty() && text.size() <= longest ? std::optional{text} : std::nullopt;
}

} // namespace

void add_trace_options(option_adder& adder, net::trace_settings& into) {
  adder.group("Tracing");
  adder.secret( // the query may have one
    "--otlp-endpoint",
    [&into](const std::string& text) { take_collector("--otlp-endpoint", text, into.collector); },
    "URL of a collector of traces (OTLP/HTTP)");
  adder.secret(
    "--otlp-headers", [&into](const std::string& text) { take_headers(text, into.headers); },
    "NAME=VALUE,... sent with each request to it");
  adder.secret(
    "--otlp-ca",
    [&into](const std::string& path) { take_authorities("--otlp-ca", path, into.ca_file); },
    "PEM file of the authorities of an https URL; by default the system's");
  adder.duration("--otlp-timeout", into.timeout, std::chrono::milliseconds{10}, "10s",
                 "time for a request to it");
  adder.add("--trace-sample", into.sample, parse_share, "a number from 0 to 1", "0",
            "share of what comes without a traceparent that is followed");
  adder.add("--trace-service", into.service, parse_service,
            "a name of 1 to 255 bytes of UTF-8 without control characters", "canang",
            "name of the service in traces");
}

std::string trace_warning(const net::trace_settings& of) {
  if (of.collector && !of.collector->is_safe)
    return fmt::format("{} is told traces without TLS: whoever is on the way can read names of "
                       "rooms, and what --otlp-headers says",
                       of.collector->shown);
  if (!of.collector && (of.sample > 0 || !of.headers.empty()))
    return "nothing is traced without --otlp-endpoint";
  return {};
}

} // namespace canang::app
