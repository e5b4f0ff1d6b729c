#include "net/stream/event.hpp"

#include "net/json.hpp"

#include <random>

namespace canang::net {

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += '\n';
}

void append_data(std::string& out, std::string_view text) {
  for (;;) {
    const auto end = text.find_first_of("\r\n");
    append_field(out, "data", text.substr(0, end));
    if (end == std::string_view::npos)
      return;
    const bool is_pair = text.substr(end, 2) == "\r\n";
    text.remove_prefix(end + (is_pair ? 2 : 1));
  }
}

void append_retry(std::string& out, std::chrono::milliseconds pause) {
  append_field(out, "retry", std::to_string(pause.count()));
}

std::chrono::milliseconds random_pause(const time_range& between) {
  static thread_local std::minstd_rand engine{std::random_device{}()};
  std::uniform_int_distribution<std::int64_t> any{between.least.count(), between.most.count()};
  return std::chrono::milliseconds{any(engine)};
}

void append_close_event(std::string& out, std::uint16_t code, std::string_view text,
                        std::chrono::milliseconds pause) {
  append_field(out, "event", "close");
  append_retry(out, pause);
  out += "data: {\"code\":";
  out += std::to_string(code);
  out += ",\"reason\":";
  append_json_string(out, text);
  out += "}\n";
  out += end_of_event;
}

} // namespace canang::net
