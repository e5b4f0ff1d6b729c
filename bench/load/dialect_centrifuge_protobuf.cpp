#include "bench/load/dialects.hpp"

#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

// Commands and replies in Protobuf, each behind its length as a varint, one or more in a message. Fields by their
// numbers in definitions/client.proto of https://github.com/centrifugal/protocol.

namespace canang::load {

namespace {

using protozero::pbf_reader;
using protozero::pbf_tag_type;
using protozero::pbf_writer;

/// The empty message, which is a ping and the answer to it.
constexpr std::string_view ping{"\0", 1};

enum command_field : pbf_tag_type {
  command_id = 1,
  command_connect = 4,
  command_subscribe = 5,
  command_publish = 7
};

enum reply_field : pbf_tag_type {
  reply_id = 1,
  reply_error = 2,
  reply_push = 4,
  reply_connect = 5,
  reply_subscribe = 6
};

enum push_field : pbf_tag_type {
  push_channel = 2,
  push_pub = 4,
  push_unsubscribe = 7,
  push_disconnect = 11
};

constexpr pbf_tag_type publication_data = 4;

/// How a field that holds text, bytes or a message begins.
constexpr std::uint32_t holding(pbf_tag_type field) {
  return protozero::tag_and_type(field, protozero::pbf_wire_type::length_delimited);
}
constexpr std::uint32_t counting(pbf_tag_type field) {
  return protozero::tag_and_type(field, protozero::pbf_wire_type::varint);
}

std::string_view view_of(pbf_reader& in) {
  const auto view = in.get_view();
  return {view.data(), view.size()};
}

void append_command(std::string& out, pbf_tag_type number, command_field what,
                    const std::string& request) {
  std::string command;
  pbf_writer fields{command};
  fields.add_uint32(command_id, number);
  fields.add_message(what, request);
  protozero::add_varint_to_buffer(&out, command.size());
  out += command;
}

/// A code and a text in an error, a disconnect or an unsubscribe.
std::string reason(std::string_view what, std::string_view body, pbf_tag_type code_field) {
  std::string said{what};
  pbf_reader in{body.data(), body.size()};
  while (in.next()) {
    if (in.tag_and_type() == counting(code_field))
      said.append(" ").append(std::to_string(in.get_uint32()));
    else if (in.tag_and_type() == holding(code_field + 1))
      said.append(": ").append(beginning(view_of(in)));
    else
      in.skip();
  }
  return said;
}

class centrifuge_protobuf_dialect final : public dialect {
public:
  std::string_view name() const override { return "centrifuge-protobuf"; }
  bool is_transparent() const override { return false; }
  bool is_binary() const override { return true; }
  bool may_join_none() const override { return true; }

  std::string handshake_target(std::string_view path, std::string_view query,
                               std::string_view) const override {
    return centrifuge_target(path, query);
  }

  std::string_view subprotocol() const override { return "centrifuge-protobuf"; }

  std::string opening(std::string_view room) const override {
    std::string out;
    append_command(out, 1, command_connect, {});
    if (room.empty())
      return out;
    std::string request;
    pbf_writer{request}.add_string(1, room.data(), room.size());
    append_command(out, 2, command_subscribe, request);
    return out;
  }

  void encode_publish(std::string_view room, std::string_view payload,
                      std::string& out) const override {
    std::string request;
    pbf_writer fields{request};
    fields.add_string(1, room.data(), room.size());
    fields.add_bytes(2, payload.data(), payload.size());
    out.clear();
    append_command(out, 3, command_publish, request);
  }

  bool decode(std::string_view message, std::string_view room,
              dialect_events& events) const override {
    try {
      const auto* at = message.data();
      const auto* const end = at + message.size();
      while (at != end) {
        const auto size = protozero::decode_varint(&at, end);
        if (size > static_cast<std::uint64_t>(end - at)
            || !decode_reply({at, static_cast<std::size_t>(size)}, room, events))
          return false;
        at += size;
      }
      return true;
    } catch (const protozero::exception&) {
      return false; // it ends too early, or has a tag or a number that there cannot be
    }
  }

private:
  static bool decode_reply(std::string_view bytes, std::string_view room, dialect_events& events) {
    if (bytes.empty()) {
      events.on_reply(ping);
      return true;
    }
    const auto joined = holding(room.empty() ? reply_connect : reply_subscribe);
    bool is_answer = false;
    bool has_joined = false;
    pbf_reader in{bytes.data(), bytes.size()};
    while (in.next()) {
      const auto field = in.tag_and_type();
      if (field == holding(reply_push))
        return decode_push(view_of(in), room, events);
      if (field == holding(reply_error)) {
        events.on_refused(reason("error", view_of(in), 1));
        return true;
      }
      if (field == counting(reply_id)) {
        is_answer = in.get_uint32() != 0;
      } else {
        has_joined = has_joined || field == joined;
        in.skip();
      }
    }
    if (is_answer && has_joined)
      events.on_joined();
    return is_answer;
  }

  static bool decode_push(std::string_view bytes, std::string_view room, dialect_events& events) {
    std::string_view channel;
    std::string_view publication;
    bool has_publication = false;
    pbf_reader in{bytes.data(), bytes.size()};
    while (in.next()) {
      switch (in.tag_and_type()) {
      case holding(push_channel): channel = view_of(in); break;
      case holding(push_pub):
        publication = view_of(in);
        has_publication = true;
        break;
      case holding(push_unsubscribe):
        events.on_refused(reason("unsubscribed", view_of(in), 2));
        return true;
      case holding(push_disconnect):
        events.on_refused(reason("disconnect", view_of(in), 1));
        return true;
      default: in.skip(); break; // a join, a leave, ...
      }
    }
    if (channel != room)
      return false; // this connection has not subscribed to it
    if (has_publication)
      events.on_publication(data_of(publication));
    return true;
  }

  static std::string_view data_of(std::string_view publication) {
    std::string_view data;
    pbf_reader in{publication.data(), publication.size()};
    while (in.next()) {
      if (in.tag_and_type() == holding(publication_data))
        data = view_of(in);
      else
        in.skip();
    }
    return data;
  }
};

} // namespace

std::unique_ptr<dialect> make_centrifuge_protobuf_dialect() {
  return std::make_unique<centrifuge_protobuf_dialect>();
}

} // namespace canang::load
