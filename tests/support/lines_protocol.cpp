#include "tests/support/lines_protocol.hpp"

#include <array>
#include <charconv>
#include <stdexcept>
#include <string>

namespace canang::sim {

namespace {

using net::frame_type;
using net::framing;

/// Takes the first word off `rest`.
std::string_view next_word(std::string_view& rest) {
  const auto end = std::min(rest.find(' '), rest.size());
  const auto word = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return word;
}

template <class Number>
Number number_of(std::string_view text) {
  Number number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

class lines_conversation final : public net::conversation {
public:
  void on_open(const net::connection_parameters&, net::command_sink& sink) override { sink.open(); }

  void decode(frame_type, std::span<const char> message, net::command_sink& sink) override {
    std::string_view rest{message.data(), message.size()};
    while (!rest.empty()) {
      const auto end = std::min(rest.find('\n'), rest.size());
      take_line(rest.substr(0, end), sink);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }

  void on_admitted(net::command_sink& sink) override { sink.reply(frame_type::text, "welcome"); }

  void encode_refreshed(const net::refreshed& is, const framing& frames,
                        std::string& out) override {
    frames.append(out, frame_type::text, "refreshed " + std::to_string(is.request));
  }

  bool encode_fault(const net::failed_command& failed, const framing& frames,
                    std::string& out) override {
    frames.append(out, frame_type::text,
                  "failed " + std::to_string(failed.request) + ' '
                    + std::string{name_of(failed.why)} + ' ' + std::string{failed.room});
    return true;
  }

  void encode_stored(const net::stored_publish& stored, const framing& frames,
                     std::string& out) override {
    frames.append(out, frame_type::text,
                  "stored " + std::to_string(stored.request) + ' ' + std::to_string(stored.offset));
  }

  void encode_left(const net::leave_command& left, const framing& frames,
                   std::string& out) override {
    frames.append(out, frame_type::text,
                  "left " + std::to_string(left.request) + ' ' + std::string{left.room});
  }

  void encode_members(const net::members_answer& is, const framing& frames,
                      std::string& out) override {
    auto text = "members " + std::to_string(is.request);
    for (const auto& one : is.members)
      text += ' ' + std::string{one.user};
    frames.append(out, frame_type::text, text);
  }

  void encode_counts(const net::counts_answer& are, const framing& frames,
                     std::string& out) override {
    frames.append(out, frame_type::text,
                  "counts " + std::to_string(are.request) + ' ' + std::to_string(are.connections)
                    + ' ' + std::to_string(are.users));
  }

  void encode_history(const net::history_reply& is, const framing& frames,
                      std::string& out) override {
    auto text = "history " + std::to_string(is.request) + ' ' + std::to_string(is.at.offset);
    for (const auto& one : is.publications)
      text += ' ' + std::string{one.data};
    frames.append(out, frame_type::text, text);
  }

private:
  static void take_line(std::string_view rest, net::command_sink& sink) {
    const auto what = next_word(rest);
    if (what == "hello") {
      const auto user = next_word(rest);
      sink.on_command(
        net::identify_command{{.user = std::string{user}, .token = std::string{rest}}});
    } else if (what == "join") {
      take_join(rest, sink);
    } else if (what == "refresh") {
      const auto request = number_of<std::uint32_t>(next_word(rest));
      const auto token = next_word(rest);
      net::refresh_command command{.token = token, .request = request};
      if (!rest.empty())
        command.room = rest;
      sink.on_refresh(command);
    } else if (what == "leave") {
      const auto request = number_of<std::uint32_t>(next_word(rest));
      sink.on_command(net::leave_command{rest, request});
    } else if (what == "publish") {
      const auto request = number_of<std::uint32_t>(next_word(rest));
      const auto room = next_word(rest);
      sink.on_command(net::publish_command{
        .type = frame_type::text, .data = rest, .room = room, .request = request});
    } else if (what == "tell") {
      const auto request = number_of<std::uint32_t>(next_word(rest));
      const auto room = next_word(rest);
      using subject = net::query_command::subject;
      sink.on_command(net::query_command{.what = rest == "members"  ? subject::members
                                                 : rest == "counts" ? subject::counts
                                                                    : subject::history,
                                         .room = room,
                                         .request = request,
                                         .limit = 3});
    } else if (what == "shout") {
      const auto request = number_of<std::uint32_t>(next_word(rest));
      const auto room = next_word(rest);
      sink.on_command(net::publish_command{.type = frame_type::text,
                                           .data = rest,
                                           .room = room,
                                           .request = request,
                                           .is_from_outside = true});
    } else if (what == "fail") {
      throw std::runtime_error{"a fault in a protocol"};
    } else {
      sink.close(4000, "no such command");
    }
  }

  static void take_join(std::string_view rest, net::command_sink& sink) {
    net::join_command join;
    join.request = number_of<std::uint32_t>(next_word(rest));
    join.room = next_word(rest);
    const auto from = next_word(rest);
    if (const auto colon = from.find(':'); colon != std::string_view::npos)
      join.since = net::resume_position{std::string{from.substr(0, colon)},
                                        number_of<std::uint64_t>(from.substr(colon + 1))};
    else
      join.history = number_of<std::uint32_t>(from);
    join.token = rest;
    sink.on_command(std::move(join));
  }
};

class lines final : public net::protocol {
public:
  explicit lines(net::recovered_in place, bool comes_back = false)
    : place_(place), comes_back_(comes_back) {}

  net::conversation_ptr converse() const override {
    return net::conversation_ptr{new lines_conversation};
  }

  void encode(const net::outgoing_publication& publication, const framing& frames,
              std::string& out) const override {
    if (publication.what == net::outgoing_publication::kind::message)
      frames.append(out, frame_type::text,
                    "message " + std::string{publication.room} + ' '
                      + std::to_string(publication.offset) + ' ' + std::string{publication.data});
  }

  void encode_join(const net::join_reply& reply, const framing& frames,
                   std::string& out) const override {
    auto text = "joined " + std::to_string(reply.request) + ' ' + position(reply.at);
    for (const auto& one : reply.recovered)
      text += ' ' + std::to_string(one.offset) + ' ' + std::string{one.data};
    frames.append(out, frame_type::text, text);
  }

  net::recovered_in place_of_recovered() const noexcept override { return place_; }

  bool encode_break(const net::room_position& at, const framing& frames,
                    std::string& out) const override {
    if (comes_back_)
      return at.recovered;
    frames.append(out, frame_type::text, "broken " + position(at));
    return true;
  }

  net::after_break after_a_break() const noexcept override {
    return comes_back_ ? net::after_break::leaves : net::after_break::stays;
  }

  bool counts_on_all(std::uint8_t) const noexcept override { return comes_back_; }

  bool encode_unsubscribed(const net::unsubscribed& what, const framing& frames,
                           std::string& out) const override {
    frames.append(out, frame_type::text,
                  "ended " + std::string{what.room} + ' ' + std::to_string(what.code) + ' '
                    + std::string{what.text});
    return true;
  }

private:
  static std::string position(const net::room_position& at) {
    return std::string{at.room} + ' ' + std::string{at.epoch} + ' ' + std::to_string(at.offset)
           + (at.recovered ? " yes" : " no");
  }

  net::recovered_in place_;
  bool comes_back_;
};

} // namespace

const net::wire_format& lines_format(net::recovered_in place) noexcept {
  static const lines in_messages{net::recovered_in::messages};
  static const lines in_replies{net::recovered_in::reply};
  static const net::wire_format with_messages{in_messages, net::websocket_framing()};
  static const net::wire_format with_replies{in_replies, net::websocket_framing()};
  return place == net::recovered_in::messages ? with_messages : with_replies;
}

const net::wire_format& lines_format_of_returners() noexcept {
  static const lines language{net::recovered_in::messages, true};
  static const net::wire_format instance{language, net::websocket_framing()};
  return instance;
}

std::string_view name_of(net::command_fault fault) noexcept {
  static constexpr std::array<std::string_view, 23> names{
    "unidentified",   "identified_before", "bad_room",      "joined_before",
    "too_many_rooms", "not_joined",        "left",          "not_allowed",
    "room_limit",     "too_large",         "unavailable",   "refused",
    "not_kept",       "too_much",          "unrecoverable", "no_token",
    "bad_token",      "token_expired",     "banned",        "muted",
    "locked",         "too_soon",          "room_full"};
  return names[static_cast<std::size_t>(fault)];
}

} // namespace canang::sim
