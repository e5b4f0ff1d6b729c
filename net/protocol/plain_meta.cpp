#include "net/json.hpp"
#include "net/protocol/plain.hpp"
#include "net/protocol/plain_words.hpp"
#include "net/protocol/publication_json.hpp"

namespace canang::net {

namespace {

/// Appends the text message of what `write` appends.
template <class Write>
void append_json(const framing& frames, std::string& out, Write write) {
  static thread_local std::string text; // its memory is kept for the next one
  text.clear();
  write(text);
  frames.append(out, frame_type::text, text);
}

void append_join(std::string& out, const room_position& at) {
  out += "{\"join\":{\"room\":";
  append_json_string(out, at.room);
  out += ',';
  append_place_fields(out, at.epoch, at.offset);
  out += at.recovered ? ",\"recovered\":true}}" : ",\"recovered\":false}}";
}

/// Of one that is told more of the reason than the fault itself says; empty: there is nothing more.
std::string_view code_of(command_fault fault) noexcept {
  switch (fault) {
  case command_fault::banned: return "banned";
  case command_fault::muted: return "muted";
  case command_fault::locked: return "locked";
  case command_fault::too_soon: return "too_soon";
  default: return {};
  }
}

/// What a client is told whose publish failed.
std::string_view text_of(command_fault fault) noexcept {
  switch (fault) {
  case command_fault::refused:
    return R"({"error":{"code":"refused","message":"the room cannot store it"}})";
  case command_fault::not_allowed:
    return R"({"error":{"code":"not_allowed","message":"clients like this one may not publish here"}})";
  case command_fault::too_large:
    return R"({"error":{"code":"too_large","message":"the room takes no message of this size"}})";
  default: return R"({"error":{"code":"unavailable","message":"not stored in time; try again"}})";
  }
}

class meta_words final : public plain_words {
public:
  bool encode_fault(const failed_command& failed, const framing& frames,
                    std::string& out) override {
    if (failed.what != command_kind::publish)
      return false;
    if (const auto code = code_of(failed.why); !code.empty())
      append_json(frames, out, [&](std::string& text) {
        text += R"({"error":{"code":")";
        text += code;
        text += R"(","message":)";
        append_json_string(text, failed.text);
        text += "}}";
      });
    else
      frames.append(out, frame_type::text, text_of(failed.why));
    return true;
  }
};

class plain_meta final : public protocol {
public:
  conversation_ptr converse() const override {
    static meta_words instance;
    return conversation_ptr{&instance};
  }

  void encode(const outgoing_publication& publication, const framing& frames,
              std::string& out) const override {
    append_json(frames, out, [&](std::string& text) {
      text += '{';
      append_publication_fields(text, publication);
      text += '}';
    });
  }

  void encode_join(const join_reply& reply, const framing& frames,
                   std::string& out) const override {
    append_json(frames, out, [&](std::string& text) { append_join(text, reply.at); });
  }

  bool encode_break(const room_position& at, const framing& frames,
                    std::string& out) const override {
    encode_join({.at = at}, frames, out);
    return true;
  }
};

} // namespace

const wire_format& plain_meta_format() noexcept {
  static const plain_meta language;
  static const wire_format instance{language, websocket_framing()};
  return instance;
}

} // namespace canang::net
