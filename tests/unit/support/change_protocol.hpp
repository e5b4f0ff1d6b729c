#pragma once

#include "tests/unit/support/bracket_protocol.hpp"

namespace canang::test {

/// A protocol that tells changes: `<next>` is a publication that is told whole, `[before>next]` one that is told as
/// a change, `(next)` one that is told plainly, `{...}` an answer to a join with what was recovered inside. Of what
/// begins with an exclamation mark there is no change.
class change_protocol final : public net::protocol {
public:
  net::conversation_ptr converse() const override {
    static bracket_words instance;
    return net::conversation_ptr{&instance};
  }

  void encode(const net::outgoing_publication& one, const net::framing&,
              std::string& out) const override {
    using telling = net::outgoing_publication::telling;
    if (one.what != net::outgoing_publication::kind::message)
      return;
    out += one.told == telling::whole ? '<' : one.told == telling::change ? '[' : '(';
    out += one.told == telling::change ? one.change : one.data;
    out += one.told == telling::whole ? '>' : one.told == telling::change ? ']' : ')';
  }

  bool tells_changes() const noexcept override { return true; }

  void encode_change(const net::outgoing_publication& before, const net::outgoing_publication& next,
                     std::string& out) const override {
    ++encoded_changes;
    if (next.data.starts_with('!'))
      return;
    out += before.data;
    out += '>';
    out += next.data;
  }

  net::recovered_in place_of_recovered() const noexcept override {
    return net::recovered_in::reply;
  }

  void encode_join(const net::join_reply& reply, const net::framing& frames,
                   std::string& out) const override {
    out += '{';
    for (const auto& one : reply.recovered)
      encode(one, frames, out);
    out += '}';
  }

  mutable int encoded_changes = 0;
};

} // namespace canang::test
