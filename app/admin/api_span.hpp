#pragma once

#include "app/admin/api_outcome.hpp"
#include "app/admin/api_request.hpp"
#include "net/http/request.hpp"
#include "net/http/types.hpp"
#include "net/tracing/tracer.hpp"

#include <memory>
#include <string_view>
#include <utility>

namespace canang::admin {

/// The span of a request to the server API that is followed. On the internal loop.
class api_span {
public:
  /// @param method as of `api_methods`
  /// @returns null where the request is not followed, by what it says or by its luck.
  [[nodiscard]] static std::shared_ptr<api_span> begin(net::tracer* tracer, std::string_view method,
                                                       const net::http_request& request);

  api_span(net::tracer& tracer, net::span&& begun) : tracer_(tracer), span_(std::move(begun)) {}

  /// Has what the command publishes followed.
  void lead(api_command& command) const;

  /// The request is answered with that, which the access log says more of. Once.
  void end(net::page_response& response);

  /// Likewise, with what came of a command.
  void end(net::page_response& response, const api_outcome& outcome);

private:
  net::tracer& tracer_;
  net::span span_;
};

} // namespace canang::admin
