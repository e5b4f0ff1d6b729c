#pragma once

#include "net/http/types.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::net {

/// What a browser asks for before it lets pages of other origins use an answer (Fetch, 3.2: the CORS
/// protocol). Without credentials: no cookie means anything here.

/// Whether a request asks for leave to make another one (Fetch, 3.2.2).
[[nodiscard]] bool is_preflight(const http_request_header& request);

/// The leave to make the request that it names, without the fields below.
[[nodiscard]] page_response preflight_answer(const http_request_header& request);

/// The fields by which a page of `origin` may read an answer, whatever it says.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> cors_fields(std::string_view origin);

} // namespace canang::net
