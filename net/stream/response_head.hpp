#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::net {

/// Fields of an answer, as they stand there.
using header_fields = std::vector<std::pair<std::string, std::string>>;

void append_header_line(std::string& out, std::string_view name, std::string_view value);

/// The begin of an answer behind which the connection ends, without the empty line.
[[nodiscard]] std::string response_head(std::string_view status, std::string_view type,
                                        const header_fields& fields);

/// The head of a response without end, with the empty line. Nobody on the way is to keep it, to hold it back (nginx
/// does unless it is told) or to compress it, which is to hold it back.
[[nodiscard]] std::string stream_head(std::string_view type, const header_fields& fields);

/// A whole answer with one line of text, to one who cannot be served; `Retry-After` where the status is 503.
[[nodiscard]] std::string refusal_response(std::string_view status, std::string_view text,
                                           const header_fields& fields);

} // namespace canang::net
