#include "net/protocol/centrifugo/request_fields.hpp"
#include "net/utf8.hpp"

#include <protozero/pbf_reader.hpp>

#include <limits>

// Commands in Protobuf, each behind its length as a varint (decode.go of the protocol). Of a field that comes more than
// once the last one counts, messages too: they are not merged, which no client's library relies on. Groups, which
// proto3 does not have, are a fault.

namespace canang::net::centrifugo {

namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;

constexpr std::uint32_t id_number = 1;

// Readers of the current field. False: it is not what it should be. Those of protozero throw where the bytes end too
// early, and only assert that the wire type is right.

bool read_view(pbf_reader& in, std::string_view& to) {
  if (in.wire_type() != pbf_wire_type::length_delimited)
    return false;
  const auto view = in.get_view();
  to = {view.data(), view.size()};
  return true;
}

bool read_text(pbf_reader& in, std::string_view& to) { return read_view(in, to) && is_utf8(to); }

bool read_number(pbf_reader& in, std::uint64_t& to) {
  if (in.wire_type() != pbf_wire_type::varint)
    return false;
  to = in.get_uint64();
  return true;
}

/// A longer number would be cut by Protobuf's rules, and the reply would have another id than the client waits for.
bool read_id(pbf_reader& in, std::uint32_t& to) {
  std::uint64_t number = 0;
  if (!read_number(in, number) || number > std::numeric_limits<std::uint32_t>::max())
    return false;
  to = static_cast<std::uint32_t>(number);
  return true;
}

bool read_position(std::string_view body, stream_position& to) {
  pbf_reader in{body.data(), body.size()};
  while (in.next()) {
    auto is_right = true;
    switch (in.tag()) {
    case 1: is_right = read_number(in, to.offset); break;
    case 2: is_right = read_text(in, to.epoch); break;
    default: in.skip(); break;
    }
    if (!is_right)
      return false;
  }
  return true;
}

bool read_flag(pbf_reader& in, bool& to) {
  std::uint64_t number = 0; // pbf_reader::get_bool() looks at the first byte only
  if (!read_number(in, number))
    return false;
  to = number != 0;
  return true;
}

/// Of a subscription what matters to one that the server begins.
bool read_sub(std::string_view body, server_sub& to) {
  pbf_reader in{body.data(), body.size()};
  while (in.next()) {
    auto is_right = true;
    switch (in.tag()) {
    case 3: is_right = read_flag(in, to.recover); break;
    case 6: is_right = read_text(in, to.at.epoch); break;
    case 7: is_right = read_number(in, to.at.offset); break;
    default: in.skip(); break;
    }
    if (!is_right)
      return false;
  }
  return true;
}

/// An entry of the map: a channel, and its subscription.
bool read_sub_entry(std::string_view body, server_sub& to) {
  pbf_reader in{body.data(), body.size()};
  std::string_view sub;
  while (in.next()) {
    auto is_right = true;
    switch (in.tag()) {
    case 1: is_right = read_text(in, to.channel); break;
    case 2: is_right = read_view(in, sub); break;
    default: in.skip(); break;
    }
    if (!is_right)
      return false;
  }
  return read_sub(sub, to);
}

/// Reads the current field of a request into where it belongs, by its kind.
struct field_reader {
  pbf_reader& in;
  request& into;

  bool operator()(text_field to) const { return read_text(in, into.*to); }
  bool operator()(flag_field to) const { return read_flag(in, into.*to); }
  bool operator()(offset_field to) const { return read_number(in, into.*to); }
  bool operator()(number_field to) const {
    std::uint64_t number = 0;
    if (!read_number(in, number))
      return false;
    into.*to =
      static_cast<std::int32_t>(number); // cut by Protobuf's rules: a negative one has 64 bits
    return true;
  }
  bool operator()(data_field) const { return read_view(in, into.data); }
  bool operator()(subs_field) const {
    std::string_view entry;
    server_sub sub;
    if (!read_view(in, entry) || !read_sub_entry(entry, sub))
      return false;
    if (into.subs.size() < max_server_subs)
      into.subs.push_back(sub);
    return true;
  }
  bool operator()(since_field) const {
    std::string_view body;
    return read_view(in, body) && read_position(body, into.since.emplace());
  }
};

bool read_request(std::string_view body, request& into) {
  pbf_reader in{body.data(), body.size()};
  while (in.next()) {
    const auto* const found =
      std::find_if(request_fields.begin(), request_fields.end(), [&](const request_field& one) {
        return one.of == into.what && one.number == in.tag();
      });
    if (found == request_fields.end())
      in.skip();
    else if (!std::visit(field_reader{in, into}, found->kind))
      return false;
  }
  return true;
}

/// The current field of a command. `body` is that of the method that counts so far.
bool read_command_field(pbf_reader& in, request& into, std::string_view& body) {
  if (in.tag() == id_number)
    return read_id(in, into.id);
  const auto* const found =
    std::find_if(method_fields.begin(), method_fields.end(),
                 [&](const method_field& one) { return one.number == in.tag(); });
  if (found == method_fields.end()) {
    in.skip();
    return true;
  }
  std::string_view found_body;
  if (!read_view(in, found_body))
    return false;
  if (counts_before(found->what, into.what)) {
    into.what = found->what;
    body = found_body;
  }
  return true;
}

bool read_command(std::string_view bytes, request& into) {
  pbf_reader in{bytes.data(), bytes.size()};
  std::string_view body;
  while (in.next())
    if (!read_command_field(in, into, body))
      return false;
  if (into.what != method::none && !read_request(body, into))
    return false;
  into.what = settled(into);
  return true;
}

class protobuf_reader final : public request_reader {
public:
  void begin(std::string_view message) override {
    rest_ = message;
    commands_ = 0;
    is_bad_ = false;
  }

  std::string_view rest() const noexcept override { return rest_; }

  read_result next(request& into) override {
    if (is_bad_)
      return read_result::bad;
    if (rest_.empty())
      return read_result::end;
    into = {};
    is_bad_ = ++commands_ > max_commands_in_message || !read(into);
    return is_bad_ ? read_result::bad : read_result::command;
  }

private:
  bool read(request& into) {
    try {
      std::string_view bytes;
      return take_command(bytes) && read_command(bytes, into);
    } catch (const protozero::exception&) {
      return false; // it ends too early, or has a tag or a number that there cannot be
    }
  }

  bool take_command(std::string_view& bytes) {
    const auto* at = rest_.data();
    const auto* const end = at + rest_.size();
    const auto size = protozero::decode_varint(&at, end);
    if (size > static_cast<std::uint64_t>(end - at))
      return false;
    bytes = {at, static_cast<std::size_t>(size)};
    rest_ = {bytes.data() + bytes.size(), static_cast<std::size_t>(end - at) - bytes.size()};
    return true;
  }

  std::string_view rest_;
  std::size_t commands_ = 0;
  bool is_bad_ = false;
};

} // namespace

request_reader& protobuf_requests() {
  static thread_local protobuf_reader reader;
  return reader;
}

} // namespace canang::net::centrifugo
