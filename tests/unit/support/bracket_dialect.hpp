#pragma once

#include "net/dialect.hpp"

namespace canang::test {

/// A second dialect, so that a room has members of two: a publication is `<data>`.
class bracket_dialect final : public net::dialect {
public:
  void on_open(const net::connection_parameters&, net::command_sink&) const override {}
  void decode(net::frame_type, std::span<const char>, net::command_sink&) const override {}

  void encode(const net::outgoing_publication& publication, std::string& frames) const override {
    frames += '<';
    frames += publication.data;
    frames += '>';
  }

  bool encode_break(const net::room_position& at, std::string& frames) const override {
    frames += at.recovered ? "|" : "!";
    return true;
  }

  bool encode_publish_fault(net::publish_fault, std::string& frames) const override {
    frames += '?';
    return true;
  }
};

inline const net::dialect& brackets() {
  static const bracket_dialect instance;
  return instance;
}

} // namespace canang::test
