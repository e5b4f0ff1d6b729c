#include "net/stream/response_head.hpp"

#include "net/http/rejection.hpp"

namespace canang::net {

void append_header_line(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

std::string response_head(std::string_view status, std::string_view type,
                          const header_fields& fields) {
  std::string head{"HTTP/1.1 "};
  head += status;
  head += "\r\n";
  append_header_line(head, "Server", "canang");
  append_header_line(head, "Content-Type", type);
  append_header_line(head, "X-Content-Type-Options", "nosniff");
  append_header_line(head, "Connection", "close");
  for (const auto& [name, value] : fields)
    append_header_line(head, name, value);
  return head;
}

std::string stream_head(std::string_view type, const header_fields& fields) {
  auto head = response_head("200 OK", type, fields);
  append_header_line(head, "Cache-Control", "no-cache, no-store, no-transform");
  append_header_line(head, "X-Accel-Buffering", "no");
  head += "\r\n";
  return head;
}

std::string refusal_response(std::string_view status, std::string_view text,
                             const header_fields& fields) {
  auto answer = response_head(status, "text/plain; charset=utf-8", fields);
  if (status.starts_with("503"))
    append_header_line(answer, "Retry-After", "1");
  if (status.starts_with("401"))
    append_header_line(answer, "WWW-Authenticate", bearer_challenge);
  append_header_line(answer, "Content-Length", std::to_string(text.size() + 1));
  answer += "\r\n";
  answer += text;
  answer += '\n';
  return answer;
}

} // namespace canang::net
