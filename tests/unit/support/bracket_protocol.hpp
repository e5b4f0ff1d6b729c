#pragma once

#include "net/protocol/protocol.hpp"

namespace canang::test {

/// Says nothing by itself, and has a word for faults.
class bracket_words final : public net::conversation {
public:
  void end() noexcept override {}
  void on_open(const net::connection_parameters&, net::command_sink&) override {}
  void decode(net::frame_type, std::span<const char>, net::command_sink&) override {}
};

/// A second protocol, so that a room has members of two: a publication is `<data>`, without frames.
class bracket_protocol final : public net::protocol {
public:
  net::conversation_ptr converse() const override {
    static bracket_words instance;
    return net::conversation_ptr{&instance};
  }

  void encode(const net::outgoing_publication& publication, const net::framing&,
              std::string& out) const override {
    out += '<';
    out += publication.data;
    out += '>';
  }

  bool encode_break(const net::room_position& at, const net::framing&,
                    std::string& out) const override {
    out += at.recovered ? "|" : "!";
    return true;
  }

  bool encode_unsubscribed(const net::unsubscribed& what, const net::framing&,
                           std::string& out) const override {
    out += '-';
    out += what.text;
    return true;
  }
};

inline const net::wire_format& brackets() {
  static const bracket_protocol language;
  static const net::wire_format instance{language, net::websocket_framing()};
  return instance;
}

} // namespace canang::test
