#include "net/protocol/sse.hpp"

#include "net/json.hpp"
#include "net/protocol/sse_id.hpp"
#include "net/stream/event.hpp"

namespace canang::net {

namespace {

std::string_view event_of(outgoing_publication::kind what) noexcept {
  return what == outgoing_publication::kind::joined ? "joined" : "left";
}

/// What skips the history has none: a client that comes back from behind it, comes back from what was before it.
bool has_place(const outgoing_publication& publication) noexcept { return publication.offset != 0; }

void append_room(std::string& out, std::string_view room) {
  out += "data: {\"room\":";
  append_json_string(out, room);
}

void append_position_fields(std::string& out, std::string_view epoch, std::uint64_t offset) {
  out += ",\"epoch\":";
  append_json_string(out, epoch);
  out += ",\"offset\":";
  out += std::to_string(offset);
}

void append_place(std::string& out, const room_position& at) {
  append_room(out, at.room);
  append_position_fields(out, at.epoch, at.offset);
}

/// What one room's and several rooms' events have in common: those that are not publications.
class sse_base : public dialect {
public:
  explicit sse_base(bool resumes) noexcept : resumes_(resumes) {}

  void on_open(const connection_parameters& asked, command_sink& sink) const final {
    sink.on_command(join_command{asked.room, asked.echo, asked.history, asked.since, asked.user});
  }

  /// It says nothing after its request.
  void decode(frame_type, std::span<const char>, command_sink&) const final {}

  /// A client that was somewhere and is not taken on from there is told so.
  void encode_join(const room_position& at, std::string& out) const final {
    if (resumes_ && !at.recovered)
      append_reset(out, at);
    else
      append_join(out, at);
  }

  bool encode_break(const room_position& at, std::string& out) const final {
    if (at.recovered)
      append_join(out, at);
    else
      append_reset(out, at);
    return true;
  }

protected:
  void append_id_of(std::string& out, const outgoing_publication& publication) const {
    if (has_place(publication))
      append_id(out, {}, publication.epoch, publication.offset);
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

  const bool resumes_;
};

class sse_of_room final : public sse_base {
public:
  using sse_base::sse_base;

  void encode(const outgoing_publication& publication, std::string& out) const override {
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

class sse_of_rooms final : public sse_base {
public:
  using sse_base::sse_base;

  void encode(const outgoing_publication& publication, std::string& out) const override {
    using kind = outgoing_publication::kind;
    append_id_of(out, publication);
    if (publication.what != kind::message)
      append_field(out, "event", event_of(publication.what));
    append_room(out, {});
    if (has_place(publication))
      append_position_fields(out, publication.epoch, publication.offset);
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
    out += "}\n";
    out += end_of_event;
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

const dialect& sse_dialect(bool resumes) noexcept {
  static const sse_of_room fresh{false};
  static const sse_of_room returning{true};
  return resumes ? returning : fresh;
}

const dialect& sse_rooms_dialect(bool resumes) noexcept {
  static const sse_of_rooms fresh{false};
  static const sse_of_rooms returning{true};
  return resumes ? returning : fresh;
}

} // namespace canang::net
