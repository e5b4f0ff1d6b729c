#include "net/protocol/centrifugo/emulation_body.hpp"

#include "net/json_cursor.hpp"
#include "net/protocol/centrifugo/request.hpp"
#include "net/utf8.hpp"

#include <protozero/pbf_reader.hpp>

#include <iterator>
#include <string>

namespace canang::net::centrifugo {

namespace {

/// Longest name of a node or a session, in bytes: those that we give are much shorter.
constexpr std::size_t max_name_bytes = 64;

bool is_whole(const emulation_request& read) noexcept {
  const auto is_name = [](const std::string& name) {
    return !name.empty() && name.size() <= max_name_bytes;
  };
  return is_name(read.node) && is_name(read.session) && !read.message.empty();
}

std::string unescaped(std::string_view raw) {
  std::string text(raw.size(), '\0');
  text.resize(static_cast<std::size_t>(unescape_json(raw, text.data()) - text.data()));
  return text;
}

std::string* field_of(emulation_request& into, std::string_view name) noexcept {
  if (name == "node")
    return &into.node;
  if (name == "session")
    return &into.session;
  return name == "data" ? &into.message : nullptr;
}

} // namespace

std::optional<emulation_request> read_json_emulation(std::string_view body) {
  if (!is_utf8(body))
    return std::nullopt;
  emulation_request read;
  json_cursor json{body, max_json_depth};
  json.enter_object();
  std::string_view name;
  while (json.next_field(name)) {
    auto* const to = field_of(read, name.substr(1, name.size() - 2));
    const bool is_text = json.peek() == '"';
    const auto value = json.value();
    if (to == nullptr || value.empty())
      continue;
    if (is_text)
      *to = unescaped(value);
    else
      json.fail();
  }
  if (!json.is_done() || !is_whole(read))
    return std::nullopt;
  return read;
}

std::optional<emulation_request> read_protobuf_emulation(std::string_view body) {
  emulation_request read;
  std::string* const fields[]{&read.node, &read.session, &read.message};
  try {
    protozero::pbf_reader in{body.data(), body.size()};
    while (in.next()) {
      const auto tag = in.tag(); // which it forgets as it reads the field
      if (tag < 1 || tag > std::size(fields)) {
        in.skip();
        continue;
      }
      if (in.wire_type() != protozero::pbf_wire_type::length_delimited)
        return std::nullopt;
      const auto value = in.get_view();
      fields[tag - 1]->assign(value.data(), value.size());
    }
  } catch (const protozero::exception&) {
    return std::nullopt; // it ends too early, or has a tag or a number that there cannot be
  }
  if (!is_whole(read))
    return std::nullopt;
  return read;
}

} // namespace canang::net::centrifugo
