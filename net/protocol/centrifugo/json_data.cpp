#include "net/protocol/centrifugo/json_data.hpp"

#include "net/json.hpp"

#include <simdjson.h>

namespace canang::net::centrifugo {

namespace {

/// Keeps what it needed for a message of usual size.
constexpr std::size_t kept_capacity = 256 * 1024;

simdjson::dom::parser& parser() {
  static thread_local simdjson::dom::parser one{simdjson::SIMDJSON_MAXSIZE_BYTES};
  if (one.capacity() > kept_capacity)
    one = simdjson::dom::parser{simdjson::SIMDJSON_MAXSIZE_BYTES};
  return one;
}

bool is_json(std::string_view text) {
  return parser().parse(text.data(), text.size()).error() == simdjson::SUCCESS;
}

void append_in_one_line(std::string& out, std::string_view json) {
  const auto before = out.size();
  out.resize(before + json.size() + simdjson::SIMDJSON_PADDING); // it writes ahead
  std::size_t size = 0;
  const auto fault = simdjson::minify(json.data(), json.size(), out.data() + before, size);
  out.resize(before + (fault == simdjson::SUCCESS ? size : 0));
}

} // namespace

void append_json_data(std::string& out, frame_type type, std::string_view data) {
  if (type == frame_type::binary) {
    out += '"';
    append_base64(out, data);
    out += '"';
  } else if (!is_json(data)) {
    append_json_string(out, data);
  } else if (data.find_first_of("\r\n") == std::string_view::npos) {
    out += data;
  } else {
    append_in_one_line(out, data);
  }
}

member_text read_member(std::string_view json) {
  simdjson::dom::element member;
  member_text read{};
  if (parser().parse(json.data(), json.size()).get(member) != simdjson::SUCCESS)
    return read;
  if (member["id"].get(read.id) != simdjson::SUCCESS)
    read.id = {};
  if (member["user"].get(read.user) != simdjson::SUCCESS)
    read.user = {};
  return read;
}

} // namespace canang::net::centrifugo
