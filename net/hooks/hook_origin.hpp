#pragma once

#include "net/frame.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::net {

/// What the operator's program is told of how a client came. Kept once a connection, and only where there are hooks.
struct hook_origin {
  std::string_view transport{}; ///< `websocket`, `sse` or `http_stream`
  std::string_view protocol{};  ///< `json`, `protobuf` or `plain`
  std::vector<std::pair<std::string, std::string>>
    headers{}; ///< of its request, that are passed on
};

using hook_origin_ptr = std::shared_ptr<const hook_origin>;

/// What the operator's program has a client told.
struct hook_data {
  frame_type type = frame_type::text; ///< text: it is UTF-8
  std::string bytes{};
};

using hook_data_ptr = std::shared_ptr<const hook_data>;

} // namespace canang::net
