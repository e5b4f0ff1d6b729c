#include "net/protocol/centrifugo/fossil_delta.hpp"
#include "net/protocol/centrifugo/json_data.hpp"
#include "net/protocol/centrifugo/reply_words.hpp"
#include "net/protocol/centrifugo/scratch.hpp"

#include <protozero/pbf_writer.hpp>
#include <protozero/varint.hpp>

#include <iterator>

// Fields by their numbers in definitions/client.proto of https://github.com/centrifugal/protocol.

namespace canang::net::centrifugo {

namespace {

using protozero::pbf_writer;

enum reply_field : protozero::pbf_tag_type {
  reply_id = 1,
  reply_error = 2,
  reply_push = 4,
  reply_connect = 5,
  reply_subscribe = 6,
  reply_unsubscribe = 7,
  reply_publish = 8,
  reply_presence = 9,
  reply_presence_stats = 10,
  reply_history = 11,
  reply_ping = 12,
  reply_rpc = 13,
  reply_refresh = 14,
  reply_sub_refresh = 15
};

enum push_field : protozero::pbf_tag_type {
  push_channel = 2,
  push_pub = 4,
  push_join = 5,
  push_leave = 6,
  push_unsubscribe = 7,
  push_subscribe = 9,
  push_disconnect = 11,
  push_refresh = 12
};

/// Adds what `write` adds, as a message: also where that is nothing, which the library would leave out.
template <class Write>
void add_message(pbf_writer& to, protozero::pbf_tag_type field, Write write) {
  const scratch message{scratch::level::fields};
  pbf_writer fields{message.text()};
  write(fields);
  to.add_message(field, message.text());
}

/// Appends a message with its length in front of it.
template <class Write>
void append_delimited(std::string& out, Write write) {
  const scratch message{scratch::level::message};
  pbf_writer reply{message.text()};
  write(reply);
  protozero::write_varint(std::back_inserter(out), message.text().size());
  out += message.text();
}

template <class Write>
void append_reply(std::string& out, std::uint32_t id, reply_field result, Write write) {
  append_delimited(out, [&](pbf_writer& reply) {
    reply.add_uint32(reply_id, id);
    add_message(reply, result, write);
  });
}

template <class Write>
void append_push(std::string& out, std::string_view room, push_field what, Write write) {
  append_delimited(out, [&](pbf_writer& reply) {
    pbf_writer push{reply, reply_push};
    push.add_string(push_channel, room.data(), room.size());
    add_message(push, what, write);
  });
}

void add_text(pbf_writer& to, protozero::pbf_tag_type field, std::string_view text) {
  if (!text.empty())
    to.add_string(field, text.data(), text.size());
}

void add_client(pbf_writer& to, const member_view& who) {
  add_text(to, 1, who.user);
  add_text(to, 2, who.id);
  add_text(to, 3, who.info);
  add_text(to, 4, who.room_info);
}

void add_publication(pbf_writer& to, const outgoing_publication& is) {
  const bool is_change = is.told == outgoing_publication::telling::change;
  const auto payload = is_change ? is.change : is.data;
  to.add_bytes(4, payload.data(), payload.size());
  if (is.author) {
    pbf_writer info{to, 5};
    add_client(info, *is.author);
  }
  if (is.has_place())
    to.add_uint64(6, is.offset);
  for (const auto& [name, value] : is.tags) {
    pbf_writer tag{to, 7};
    add_text(tag, 1, name);
    add_text(tag, 2, value);
  }
  if (is_change)
    to.add_bool(8, true);
}

void add_publications(pbf_writer& to, protozero::pbf_tag_type field,
                      std::span<const outgoing_publication> all) {
  for (const auto& one : all) {
    if (!is_message(one))
      continue;
    pbf_writer publication{to, field};
    add_publication(publication, one);
  }
}

/// Fields `expires` and `ttl`.
void add_expiry(pbf_writer& to, protozero::pbf_tag_type expires, std::uint32_t expires_in_s) {
  to.add_bool(expires, true);
  to.add_uint32(expires + 1, expires_in_s);
}

void add_told(pbf_writer& to, protozero::pbf_tag_type field, const told_data& data) {
  if (!data.bytes.empty())
    to.add_bytes(field, data.bytes.data(), data.bytes.size());
}

void add_subscription(pbf_writer& fields, const join_reply& reply) {
  if (reply.expires_in_s != 0)
    add_expiry(fields, 1, reply.expires_in_s);
  if ((reply.note & subscription_note::recoverable) != 0)
    fields.add_bool(3, true);
  add_text(fields, 6, reply.at.epoch);
  add_publications(fields, 7, reply.recovered);
  if (reply.at.recovered)
    fields.add_bool(8, true);
  fields.add_uint64(9, reply.at.offset);
  if ((reply.note & (subscription_note::positioned | subscription_note::recoverable)) != 0)
    fields.add_bool(10, true);
  add_told(fields, 11, reply.data);
  if ((reply.note & subscription_note::recovering) != 0)
    fields.add_bool(12, true);
  if ((reply.note & subscription_note::changes) != 0)
    fields.add_bool(13, true);
}

class protobuf final : public reply_words {
public:
  frame_type type() const noexcept override { return frame_type::binary; }
  request_reader& reader() const override { return protobuf_requests(); }

  void error(std::string& out, std::uint32_t id, const centrifugo::error& why) const override {
    append_reply(out, id, reply_error, [&](pbf_writer& fields) {
      fields.add_uint32(1, why.code);
      add_text(fields, 2, why.message);
      if (why.is_temporary)
        fields.add_bool(3, true);
    });
  }

  void connected(std::string& out, std::uint32_t id, const connect_result& is) const override {
    append_delimited(out, [&](pbf_writer& reply) {
      reply.add_uint32(reply_id, id);
      const scratch message{scratch::level::fields};
      pbf_writer fields{message.text()};
      add_text(fields, 1, is.client);
      if (is.expires_in_s)
        add_expiry(fields, 3, *is.expires_in_s);
      add_told(fields, 5, is.data);
      fields.add_uint32(7, is.ping_s);
      fields.add_bool(8, true);
      add_text(fields, 9, is.session);
      add_text(fields, 10, is.node);
      message.text() += is.rooms; // fields of this message, as `entered` writes them
      reply.add_message(reply_connect, message.text());
    });
  }

  void subscribed(std::string& out, const join_reply& reply) const override {
    append_reply(out, reply.request, reply_subscribe,
                 [&](pbf_writer& fields) { add_subscription(fields, reply); });
  }

  void entered(std::string& rooms, const join_reply& reply) const override {
    pbf_writer connect{rooms};
    pbf_writer entry{connect, 6};
    add_text(entry, 1, reply.at.room);
    pbf_writer subscription{entry, 2};
    add_subscription(subscription, reply);
  }

  void subscribed_by_server(std::string& out, const join_reply& reply) const override {
    append_push(out, reply.at.room, push_subscribe, [&](pbf_writer& fields) {
      fields.add_bool(1, true);
      add_text(fields, 4, reply.at.epoch);
      fields.add_uint64(5, reply.at.offset);
      fields.add_bool(6, true);
    });
  }

  void called(std::string& out, const call_answer& is) const override {
    append_reply(out, is.request, reply_rpc,
                 [&](pbf_writer& fields) { add_told(fields, 1, is.data); });
  }

  void done(std::string& out, std::uint32_t id, method what) const override {
    const auto field = what == method::unsubscribe ? reply_unsubscribe
                       : what == method::publish   ? reply_publish
                                                   : reply_ping;
    append_reply(out, id, field, [](pbf_writer&) {});
  }

  void refreshed(std::string& out, const net::refreshed& is) const override {
    if (is.request == 0) {
      append_delimited(out, [&](pbf_writer& reply) {
        pbf_writer push{reply, reply_push};
        add_message(push, push_refresh, [&](pbf_writer& fields) {
          if (is.expires_in_s)
            add_expiry(fields, 1, *is.expires_in_s);
        });
      });
      return;
    }
    append_reply(out, is.request, is.is_of_room ? reply_sub_refresh : reply_refresh,
                 [&](pbf_writer& fields) {
                   if (is.expires_in_s)
                     add_expiry(fields, is.is_of_room ? 1 : 3, *is.expires_in_s);
                 });
  }

  void presence(std::string& out, const members_answer& is) const override {
    append_reply(out, is.request, reply_presence, [&](pbf_writer& fields) {
      for (const auto& one : is.members) {
        pbf_writer entry{fields, 1};
        add_text(entry, 1, one.id);
        pbf_writer info{entry, 2};
        add_client(info, one);
      }
    });
  }

  void presence_stats(std::string& out, const counts_answer& are) const override {
    append_reply(out, are.request, reply_presence_stats, [&](pbf_writer& fields) {
      fields.add_uint32(1, static_cast<std::uint32_t>(are.connections));
      fields.add_uint32(2, static_cast<std::uint32_t>(are.users));
    });
  }

  void history(std::string& out, const history_reply& is) const override {
    append_reply(out, is.request, reply_history, [&](pbf_writer& fields) {
      add_publications(fields, 1, is.publications);
      add_text(fields, 2, is.at.epoch);
      fields.add_uint64(3, is.at.offset);
    });
  }

  void change(std::string& out, const outgoing_publication& before,
              const outgoing_publication& next) const override {
    (void)append_fossil_delta(out, before.data, next.data, delta_cuts::anywhere);
  }

  void publication(std::string& out, const outgoing_publication& is) const override {
    append_push(out, is.room, push_pub, [&](pbf_writer& fields) { add_publication(fields, is); });
  }

  void moved(std::string& out, std::string_view room, bool came,
             const member_view& who) const override {
    append_push(out, room, came ? push_join : push_leave, [&](pbf_writer& fields) {
      pbf_writer info{fields, 1};
      add_client(info, who);
    });
  }

  void unsubscribed(std::string& out, std::string_view room, const ending& why) const override {
    append_push(out, room, push_unsubscribe, [&](pbf_writer& fields) {
      fields.add_uint32(2, why.code);
      add_text(fields, 3, why.reason);
    });
  }

  void disconnected(std::string& out, const ending& why) const override {
    append_delimited(out, [&](pbf_writer& reply) {
      pbf_writer push{reply, reply_push};
      add_message(push, push_disconnect, [&](pbf_writer& fields) {
        fields.add_uint32(1, why.code);
        add_text(fields, 2, why.reason);
      });
    });
  }
};

} // namespace

const reply_words& protobuf_words() noexcept {
  static const protobuf instance;
  return instance;
}

} // namespace canang::net::centrifugo
