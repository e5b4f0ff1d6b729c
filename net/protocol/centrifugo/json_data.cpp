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

bool is_string(std::string_view value) noexcept { return value.starts_with('"'); }

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

member_view read_member(std::string_view json) {
  static thread_local std::string names; // without their escapes
  if (!is_utf8(json))
    return {};
  json_cursor reads{json, max_json_depth};
  std::string_view field;
  std::string_view id;
  std::string_view user;
  member_view read;
  reads.enter_object();
  while (reads.next_field(field)) {
    const auto value = reads.value();
    if (field == "\"id\"" && is_string(value))
      id = value;
    else if (field == "\"user\"" && is_string(value))
      user = value;
    else if (field == "\"info\"")
      read.info = value;
    else if (field == "\"room_info\"")
      read.room_info = value;
  }
  if (!reads.is_done())
    return {};
  names.resize(id.size() + user.size());
  auto* const user_begin = id.empty() ? names.data() : unescape_json(id, names.data());
  auto* const user_end = user.empty() ? user_begin : unescape_json(user, user_begin);
  read.id = {names.data(), static_cast<std::size_t>(user_begin - names.data())};
  read.user = {user_begin, static_cast<std::size_t>(user_end - user_begin)};
  return read;
}

} // namespace canang::net::centrifugo
