#include "net/json.hpp"
#include "net/limits.hpp"
#include "net/protocol/centrifugo/fossil_delta.hpp"
#include "net/protocol/centrifugo/json_data.hpp"
#include "net/protocol/centrifugo/reply_words.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace canang::net::centrifugo {

namespace {

void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), number).ptr;
  out.append(digits, end);
}

/// Begins a reply: `{"id":7,"NAME":`, which `}` ends.
void begin_reply(std::string& out, std::uint32_t id, std::string_view name) {
  out += "{\"id\":";
  append_number(out, id);
  out += ",\"";
  out += name;
  out += "\":";
}

void begin_push(std::string& out, std::string_view room, std::string_view name) {
  out += "{\"push\":{\"channel\":";
  append_json_string(out, room);
  out += ",\"";
  out += name;
  out += "\":";
}

/// Infos are JSON in one line, as their nodes have checked.
void append_client(std::string& out, const member_view& who) {
  out += "{\"user\":";
  append_json_string(out, who.user);
  out += ",\"client\":";
  append_json_string(out, who.id);
  if (!who.info.empty()) {
    out += ",\"conn_info\":";
    out += who.info;
  }
  if (!who.room_info.empty()) {
    out += ",\"chan_info\":";
    out += who.room_info;
  }
  out += '}';
}

/// Who is told changes gets every payload as a string with its JSON, or with what makes it of the one before.
void append_payload(std::string& out, const outgoing_publication& is) {
  if (is.told == outgoing_publication::telling::plainly) {
    append_json_data(out, is.type, is.data);
  } else if (is.told == outgoing_publication::telling::change) {
    append_json_string(out, is.change);
  } else {
    const scratch json{scratch::level::message};
    append_json_data(json.text(), is.type, is.data);
    append_json_string(out, json.text());
  }
}

void append_publication(std::string& out, const outgoing_publication& is) {
  out += "{\"data\":";
  append_payload(out, is);
  if (is.author) {
    out += ",\"info\":";
    append_client(out, *is.author);
  }
  if (!is.tags.empty()) {
    out += ",\"tags\":";
    append_json_strings(out, is.tags);
  }
  if (is.has_place()) {
    out += ",\"offset\":";
    append_number(out, is.offset);
  }
  if (is.told == outgoing_publication::telling::change)
    out += ",\"delta\":true";
  out += '}';
}

/// Those that are messages, as a field; nothing where there is none.
void append_publications(std::string& out, std::span<const outgoing_publication> all) {
  bool is_first = true;
  for (const auto& one : all) {
    if (!is_message(one))
      continue;
    out += is_first ? ",\"publications\":[" : ",";
    append_publication(out, one);
    is_first = false;
  }
  if (!is_first)
    out += ']';
}

void append_position(std::string& out, std::string_view epoch, std::uint64_t offset) {
  out += "\"epoch\":";
  append_json_string(out, epoch);
  out += ",\"offset\":";
  append_number(out, offset);
}

/// How long it is until something ends, as fields.
void append_expiry(std::string& out, std::uint32_t expires_in_s) {
  out += "\"expires\":true,\"ttl\":";
  append_number(out, expires_in_s);
}

/// What the operator's program has the client told, as a field behind others.
void append_told(std::string& out, const told_data& data) {
  if (data.bytes.empty())
    return;
  out += ",\"data\":";
  append_json_data(out, data.type, data.bytes);
}

void append_subscription(std::string& out, const join_reply& reply) {
  out += '{';
  append_position(out, reply.at.epoch, reply.at.offset);
  if ((reply.note & subscription_note::recoverable) != 0)
    out += ",\"recoverable\":true";
  if ((reply.note & (subscription_note::positioned | subscription_note::recoverable)) != 0)
    out += ",\"positioned\":true";
  if ((reply.note & subscription_note::recovering) != 0)
    out += ",\"was_recovering\":true";
  if (reply.at.recovered)
    out += ",\"recovered\":true";
  if ((reply.note & subscription_note::changes) != 0)
    out += ",\"delta\":true";
  if (reply.expires_in_s != 0) {
    out += ',';
    append_expiry(out, reply.expires_in_s);
  }
  append_told(out, reply.data);
  append_publications(out, reply.recovered);
  out += '}';
}

void append_ending(std::string& out, const ending& why) {
  out += "{\"code\":";
  append_number(out, why.code);
  out += ",\"reason\":";
  append_json_string(out, why.reason);
  out += '}';
}

std::string_view name_of(method what) noexcept {
  switch (what) {
  case method::unsubscribe: return "unsubscribe";
  case method::publish: return "publish";
  default: return "ping";
  }
}

class json final : public reply_words {
public:
  frame_type type() const noexcept override { return frame_type::text; }
  request_reader& reader() const override { return json_requests(); }

  void error(std::string& out, std::uint32_t id, const centrifugo::error& why) const override {
    begin_reply(out, id, "error");
    out += "{\"code\":";
    append_number(out, why.code);
    out += ",\"message\":";
    append_json_string(out, why.message);
    out += why.is_temporary ? ",\"temporary\":true}}" : "}}";
  }

  void connected(std::string& out, std::uint32_t id, const connect_result& is) const override {
    begin_reply(out, id, "connect");
    out += "{\"client\":";
    append_json_string(out, is.client);
    out += ",\"ping\":";
    append_number(out, is.ping_s);
    out += ",\"pong\":true,\"node\":";
    append_json_string(out, is.node);
    if (is.expires_in_s) {
      out += ',';
      append_expiry(out, *is.expires_in_s);
    }
    append_told(out, is.data);
    if (!is.session.empty()) {
      out += ",\"session\":";
      append_json_string(out, is.session);
    }
    if (!is.rooms.empty()) {
      out += ",\"subs\":{";
      out += is.rooms;
      out += '}';
    }
    out += "}}";
  }

  void subscribed(std::string& out, const join_reply& reply) const override {
    begin_reply(out, reply.request, "subscribe");
    append_subscription(out, reply);
    out += '}';
  }

  void entered(std::string& rooms, const join_reply& reply) const override {
    if (!rooms.empty())
      rooms += ',';
    append_json_string(rooms, reply.at.room);
    rooms += ':';
    append_subscription(rooms, reply);
  }

  void subscribed_by_server(std::string& out, const join_reply& reply) const override {
    begin_push(out, reply.at.room, "subscribe");
    out += "{\"recoverable\":true,";
    append_position(out, reply.at.epoch, reply.at.offset);
    out += ",\"positioned\":true}}}";
  }

  void called(std::string& out, const call_answer& is) const override {
    begin_reply(out, is.request, "rpc");
    out += '{';
    if (!is.data.bytes.empty()) {
      out += "\"data\":";
      append_json_data(out, is.data.type, is.data.bytes);
    }
    out += "}}";
  }

  void done(std::string& out, std::uint32_t id, method what) const override {
    begin_reply(out, id, name_of(what));
    out += "{}}";
  }

  void refreshed(std::string& out, const net::refreshed& is) const override {
    if (is.request == 0)
      out += "{\"push\":{\"refresh\":";
    else
      begin_reply(out, is.request, is.is_of_room ? "sub_refresh" : "refresh");
    out += '{';
    if (is.expires_in_s)
      append_expiry(out, *is.expires_in_s);
    out += is.request == 0 ? "}}}" : "}}";
  }

  void presence(std::string& out, const members_answer& is) const override {
    begin_reply(out, is.request, "presence");
    out += "{\"presence\":{";
    bool is_first = true;
    for (const auto& one : is.members) {
      if (!std::exchange(is_first, false))
        out += ',';
      append_json_string(out, one.id);
      out += ':';
      append_client(out, one);
    }
    out += "}}}";
  }

  void presence_stats(std::string& out, const counts_answer& are) const override {
    begin_reply(out, are.request, "presence_stats");
    out += "{\"num_clients\":";
    append_number(out, are.connections);
    out += ",\"num_users\":";
    append_number(out, are.users);
    out += "}}";
  }

  void history(std::string& out, const history_reply& is) const override {
    begin_reply(out, is.request, "history");
    out += '{';
    append_position(out, is.at.epoch, is.at.offset);
    append_publications(out, is.publications);
    out += "}}";
  }

  void change(std::string& out, const outgoing_publication& before,
              const outgoing_publication& next) const override {
    const scratch old{scratch::level::message};
    const scratch now{scratch::level::fields};
    append_json_data(old.text(), before.type, before.data);
    append_json_data(now.text(), next.type, next.data);
    if (std::max(old.text().size(), now.text().size()) > max_change_bytes)
      return; // of characters that take six
    (void)append_fossil_delta(out, old.text(), now.text(), delta_cuts::between_characters);
  }

  void publication(std::string& out, const outgoing_publication& is) const override {
    begin_push(out, is.room, "pub");
    append_publication(out, is);
    out += "}}";
  }

  void moved(std::string& out, std::string_view room, bool came,
             const member_view& who) const override {
    begin_push(out, room, came ? "join" : "leave");
    out += "{\"info\":";
    append_client(out, who);
    out += "}}}";
  }

  void unsubscribed(std::string& out, std::string_view room, const ending& why) const override {
    begin_push(out, room, "unsubscribe");
    append_ending(out, why);
    out += "}}";
  }

  void disconnected(std::string& out, const ending& why) const override {
    out += "{\"push\":{\"disconnect\":";
    append_ending(out, why);
    out += "}}";
  }
};

} // namespace

const reply_words& json_words() noexcept {
  static const json instance;
  return instance;
}

} // namespace canang::net::centrifugo
