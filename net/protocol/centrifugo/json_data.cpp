#include "net/protocol/centrifugo/json_data.hpp"

#include "net/json.hpp"
#include "net/json_cursor.hpp"
#include "net/protocol/centrifugo/request.hpp"
#include "net/utf8.hpp"

#include <simdjson.h>

namespace canang::net::centrifugo {

namespace {

/// As readers of commands have it: what they hand on is JSON here too.
bool is_json(std::string_view text) {
  if (!is_utf8(text))
    return false;
  json_cursor reads{text, max_json_depth};
  (void)reads.value();
  return reads.is_done();
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
  static thread_local simdjson::dom::parser parser; // of some hundred bytes
  simdjson::dom::element member;
  member_text read{};
  if (parser.parse(json.data(), json.size()).get(member) != simdjson::SUCCESS)
    return read;
  if (member["id"].get(read.id) != simdjson::SUCCESS)
    read.id = {};
  if (member["user"].get(read.user) != simdjson::SUCCESS)
    read.user = {};
  return read;
}

} // namespace canang::net::centrifugo
