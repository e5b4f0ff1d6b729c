#include "net/json.hpp"
#include "net/protocol/plain.hpp"

namespace canang::net {

namespace {

/// Appends the text frame of what `write` appends.
template <class Write>
void append_json_frame(std::string& frames, Write write) {
  static thread_local std::string text; // its memory is kept for the next one
  text.clear();
  write(text);
  append_frame(frames, frame_type::text, text);
}

void append_position(std::string& out, std::string_view epoch, std::uint64_t offset) {
  out += "\"epoch\":";
  append_json_string(out, epoch);
  out += ",\"offset\":";
  out += std::to_string(offset);
}

void append_join(std::string& out, const room_position& at) {
  out += "{\"join\":{\"room\":";
  append_json_string(out, at.room);
  out += ',';
  append_position(out, at.epoch, at.offset);
  out += at.recovered ? ",\"recovered\":true}}" : ",\"recovered\":false}}";
}

void append_content(std::string& out, const outgoing_publication& publication) {
  using kind = outgoing_publication::kind;
  if (publication.what != kind::message) {
    out += publication.what == kind::joined ? ",\"joined\":" : ",\"left\":";
    out += publication.data;
  } else if (publication.type == frame_type::text) {
    out += ",\"data\":";
    append_json_string(out, publication.data);
  } else {
    out += ",\"data64\":\"";
    append_base64(out, publication.data);
    out += '"';
  }
}

std::string_view text_of(publish_fault fault) noexcept {
  switch (fault) {
  case publish_fault::unavailable:
    return R"({"error":{"code":"unavailable","message":"not stored in time; try again"}})";
  case publish_fault::refused:
    return R"({"error":{"code":"refused","message":"the room cannot store it"}})";
  case publish_fault::not_allowed:
    return R"({"error":{"code":"not_allowed","message":"clients like this one may not publish here"}})";
  case publish_fault::too_large:
    return R"({"error":{"code":"too_large","message":"the room takes no message of this size"}})";
  }
  return {};
}

class plain_meta final : public dialect {
public:
  void on_open(const connection_parameters& parameters, command_sink& sink) const override {
    plain_dialect().on_open(parameters, sink);
  }

  void decode(frame_type type, std::span<const char> message, command_sink& sink) const override {
    plain_dialect().decode(type, message, sink);
  }

  void encode(const outgoing_publication& publication, std::string& frames) const override {
    append_json_frame(frames, [&](std::string& out) {
      out += '{';
      const auto content = out.size();
      if (publication.offset != 0)
        append_position(out, publication.epoch, publication.offset);
      append_content(out, publication);
      if (publication.offset == 0)
        out.erase(content, 1); // the comma: it has no place in the order, and so no position
      out += '}';
    });
  }

  void encode_join(const room_position& at, std::string& frames) const override {
    append_json_frame(frames, [&](std::string& out) { append_join(out, at); });
  }

  bool encode_break(const room_position& at, std::string& frames) const override {
    encode_join(at, frames);
    return true;
  }

  bool encode_publish_fault(publish_fault fault, std::string& frames) const override {
    append_frame(frames, frame_type::text, text_of(fault));
    return true;
  }
};

} // namespace

const dialect& plain_meta_dialect() noexcept {
  static const plain_meta instance;
  return instance;
}

} // namespace canang::net
