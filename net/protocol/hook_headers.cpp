#include "net/protocol/hook_headers.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace canang::net {

namespace {

/// Of all that is kept of a request for as long as its client is there, in bytes: what proxies let through of one line.
constexpr std::size_t max_kept_bytes = 8 * 1024;

} // namespace

std::optional<rejection> read_hook_origin(const http_request& request, const hook_source* hooks,
                                          std::string_view transport, std::string_view protocol,
                                          hook_origin_ptr& into) {
  if (hooks == nullptr)
    return std::nullopt;
  auto origin =
    std::make_shared<hook_origin>(hook_origin{.transport = transport, .protocol = protocol});
  std::size_t bytes = 0;
  for (const auto& name : hooks->passed_headers()) {
    const auto [from, to] = request.header.equal_range(name);
    for (auto field = from; field != to; ++field) {
      const auto value = field->value();
      bytes += name.size() + value.size();
      if (bytes > max_kept_bytes)
        return reject(reject_reason::headers_too_large, 431,
                      "the fields that a hook is to know have more than 8 KiB");
      origin->headers.emplace_back(name, std::string{value});
    }
  }
  into = std::move(origin);
  return std::nullopt;
}

} // namespace canang::net
