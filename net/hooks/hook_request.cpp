#include "net/hooks/hook_source.hpp"
#include "net/json.hpp"
#include "net/json_cursor.hpp"
#include "net/utf8.hpp"

#include <utility>

namespace canang::net {

namespace {

bool is_json(std::string_view text) {
  if (!is_utf8(text))
    return false;
  json_cursor reads{text, max_hook_depth};
  (void)reads.value();
  return reads.is_done();
}

/// One field after the other, each but the first behind a comma.
class body_writer {
public:
  void text(std::string_view name, std::string_view value) {
    begin(name);
    append_json_string(out_, value);
  }

  void text_if_any(std::string_view name, std::string_view value) {
    if (!value.empty())
      text(name, value);
  }

  void json(std::string_view name, std::string_view value) {
    begin(name);
    out_ += value;
  }

  void number(std::string_view name, std::int64_t value) {
    begin(name);
    out_ += std::to_string(value);
  }

  void base64(std::string_view name, std::string_view bytes) {
    begin(name);
    out_ += '"';
    append_base64(out_, bytes);
    out_ += '"';
  }

  void texts(std::string_view name, std::span<const std::string> values) {
    begin(name);
    out_ += '[';
    for (const auto& one : values) {
      if (&one != values.data())
        out_ += ',';
      append_json_string(out_, one);
    }
    out_ += ']';
  }

  std::string end() && {
    out_ += '}';
    return std::move(out_);
  }

private:
  void begin(std::string_view name) {
    out_ += out_.size() == 1 ? "\"" : ",\"";
    out_ += name;
    out_ += "\":";
  }

  std::string out_{"{"};
};

} // namespace

std::string encode_hook_request(hook_kind what, const hook_question& question,
                                const hook_origin& origin) {
  const bool is_binary = question.has_data && !is_json(question.data);
  body_writer body;
  body.text("client", question.client);
  body.text("transport", origin.transport);
  body.text("protocol", origin.protocol);
  body.text("encoding", is_binary ? "binary" : "json");
  if (what != hook_kind::connect)
    body.text("user", question.user);
  body.text_if_any("channel", question.room);
  body.text_if_any("method", question.method);
  body.text_if_any("name", question.name);
  body.text_if_any("version", question.version);
  if (!question.rooms.empty())
    body.texts("channels", question.rooms);
  if (is_binary)
    body.base64("b64data", question.data);
  else if (question.has_data)
    body.json("data", question.data);
  if (!question.meta.empty())
    body.json("meta", question.meta);
  return std::move(body).end();
}

std::string encode_disconnect_event(std::int64_t at, const gone_client& of,
                                    const hook_origin& origin) {
  body_writer body;
  body.number("time_ms", at);
  body.text("type", "disconnect");
  body.text("client", of.client);
  body.text("transport", origin.transport);
  body.text("protocol", origin.protocol);
  body.text("user", of.user);
  body.number("code", of.code);
  body.text("reason", of.reason);
  if (!of.meta.empty())
    body.json("meta", of.meta);
  return std::move(body).end();
}

std::string encode_room_event(std::int64_t at, std::string_view room, bool is_occupied,
                              std::string_view node) {
  body_writer body;
  body.number("time_ms", at);
  body.text("type", is_occupied ? "occupied" : "vacated");
  body.text("channel", room);
  body.text("node", node);
  return std::move(body).end();
}

} // namespace canang::net
