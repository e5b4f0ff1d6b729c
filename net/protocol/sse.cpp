#include "net/protocol/sse.hpp"

#include "net/close_code.hpp"
#include "net/json.hpp"
#include "net/protocol/publication_json.hpp"
#include "net/protocol/sse_id.hpp"
#include "net/stream/event.hpp"

namespace canang::net {

namespace {

/// The join is one that is to resume, so its answer has to say where it could not.
constexpr std::uint32_t resuming = 1;

void append_room(std::string& out, std::string_view room) {
  out += "data: {\"room\":";
  append_json_string(out, room);
}

void join(const std::string& room, const std::optional<resume_position>& since,
          std::uint32_t history, command_sink& sink) {
  sink.on_command(join_command{
    .room = room, .history = history, .since = since, .request = since ? resuming : 0});
}

/// @param room of which the token may be; empty: of none.
void identify(const connection_parameters& asked, const std::string& room, command_sink& sink) {
  sink.on_command(identify_command{{.user = asked.user,
                                    .token = asked.token,
                                    .is_of_field = asked.is_token_of_field,
                                    .room = room}});
}

/// What the client wants stands in the URL, and it says nothing later. Remembers nothing: all clients share
/// one.
class sse_words : public conversation {
public:
  void end() noexcept final {}
  void decode(frame_type, std::span<const char>, command_sink&) final {}
  bool learns_by_close() const noexcept final { return false; } // an EventSource would come back
};

/// The stream begins when the room has taken the client: until then it can be refused with a status.
class words_of_room final : public sse_words {
public:
  void on_open(const connection_parameters& asked, command_sink& sink) override {
    identify(asked, asked.room, sink);
    join(asked.room, asked.since, asked.history, sink);
  }
};

/// The stream begins when it is known who the client is, so that what becomes of each room can be told.
class words_of_rooms final : public sse_words {
public:
  void on_open(const connection_parameters& asked, command_sink& sink) override {
    identify(asked, {}, sink);
    join(asked.room, asked.since, asked.history, sink);
    for (const auto& other : asked.other_rooms)
      join(other.room, other.since, asked.history, sink);
  }

  void on_admitted(command_sink& sink) override { sink.open(); }

  /// Of one that is temporary there is no word: the client is disconnected, and comes back. Nor is there of who it is:
  /// then the stream does not begin.
  bool encode_fault(const failed_command& failed, const framing&, std::string& out) override {
    if (failed.what == command_kind::identify || failed.why == command_fault::unidentified
        || failed.why == command_fault::unavailable || failed.why == command_fault::room_limit)
      return false;
    append_field(out, "event", "refused");
    append_room(out, failed.room);
    out += "}\n";
    out += end_of_event;
    return true;
  }
};

std::string_view event_of(outgoing_publication::kind what) noexcept {
  return what == outgoing_publication::kind::joined ? "joined" : "left";
}

void append_place(std::string& out, const room_position& at) {
  append_room(out, at.room);
  out += ',';
  append_place_fields(out, at.epoch, at.offset);
}

/// What one room's and several rooms' events have in common: those that are not publications.
class sse_protocol : public protocol {
public:
  /// A client that was somewhere and is not taken on from there is told so.
  void encode_join(const join_reply& reply, const framing&, std::string& out) const final {
    if (reply.request == resuming && !reply.at.recovered)
      append_reset(out, reply.at);
    else
      append_join(out, reply.at);
  }

  bool encode_break(const room_position& at, const framing&, std::string& out) const final {
    if (at.recovered)
      append_join(out, at);
    else
      append_reset(out, at);
    return true;
  }

protected:
  /// What skips the history has none: a client that comes back from behind it, comes back from what was before it.
  void append_id_of(std::string& out, const outgoing_publication& publication) const {
    if (publication.has_place())
      append_id(out, publication.room, publication.epoch, publication.offset);
  }

private:
  virtual void append_id(std::string& out, std::string_view room, std::string_view epoch,
                         std::uint64_t offset) const = 0;

  void append_join(std::string& out, const room_position& at) const {
    append_field(out, "event", "join");
    append_id(out, at.room, at.epoch, at.offset);
    append_place(out, at);
    out += at.recovered ? ",\"recovered\":true}\n" : ",\"recovered\":false}\n";
    out += end_of_event;
  }

  void append_reset(std::string& out, const room_position& at) const {
    append_field(out, "event", "reset");
    append_id(out, at.room, at.epoch, at.offset);
    append_place(out, at);
    out += "}\n";
    out += end_of_event;
  }
};

class sse_of_room final : public sse_protocol {
public:
  conversation_ptr converse() const override {
    static words_of_room shared;
    return conversation_ptr{&shared};
  }

  void encode(const outgoing_publication& publication, const framing&,
              std::string& out) const override {
    using kind = outgoing_publication::kind;
    append_id_of(out, publication);
    if (publication.what != kind::message) {
      append_field(out, "event", event_of(publication.what));
      append_data(out, publication.data);
    } else if (publication.type == frame_type::text) {
      append_data(out, publication.data);
    } else {
      append_field(out, "event", "binary");
      out += "data: ";
      append_base64(out, publication.data);
      out += '\n';
    }
    out += end_of_event;
  }

private:
  void append_id(std::string& out, std::string_view, std::string_view epoch,
                 std::uint64_t offset) const override {
    out += "id: ";
    append_position(out, epoch, offset);
    out += '\n';
  }
};

class sse_of_rooms final : public sse_protocol {
public:
  conversation_ptr converse() const override {
    static words_of_rooms shared;
    return conversation_ptr{&shared};
  }

  void encode(const outgoing_publication& publication, const framing&,
              std::string& out) const override {
    using kind = outgoing_publication::kind;
    append_id_of(out, publication);
    if (publication.what != kind::message)
      append_field(out, "event", event_of(publication.what));
    append_room(out, publication.room);
    out += ',';
    append_publication_fields(out, publication);
    out += "}\n";
    out += end_of_event;
  }

  /// It has other rooms. The position stays in its ids: when it comes back it may be let in again. Of what is
  /// temporary, a fault of ours, there is no word: an EventSource cannot join again, so it is disconnected and
  /// comes back to all its rooms.
  bool encode_unsubscribed(const unsubscribed& what, const framing&,
                           std::string& out) const override {
    if (what.code != force_disconnect && what.code != banned)
      return false;
    append_field(out, "event", "unsubscribed");
    append_room(out, what.room);
    out += ",\"code\":";
    out += std::to_string(what.code);
    out += ",\"reason\":";
    append_json_string(out, what.text);
    out += "}\n";
    out += end_of_event;
    return true;
  }

private:
  void append_id(std::string& out, std::string_view room, std::string_view epoch,
                 std::uint64_t offset) const override {
    out += "id: ";
    out += name_in_id(room);
    out += '=';
    append_position(out, epoch, offset);
    out += '\n';
  }
};

} // namespace

const wire_format& sse_format() noexcept {
  static const sse_of_room language;
  static const wire_format instance{language, event_framing()};
  return instance;
}

const wire_format& sse_rooms_format() noexcept {
  static const sse_of_rooms language;
  static const wire_format instance{language, event_framing()};
  return instance;
}

} // namespace canang::net
