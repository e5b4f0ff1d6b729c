#include "net/protocol/centrifugo.hpp"

#include "net/close_code.hpp"
#include "net/protocol/centrifugo/json_data.hpp"
#include "net/protocol/centrifugo/scratch.hpp"
#include "net/protocol/centrifugo/talk.hpp"

namespace canang::net {

namespace {

using namespace centrifugo;

const format_family& json_family() noexcept;
const format_family& protobuf_family() noexcept;

/// What all clients hear in one of the formats; with or without who comes and goes, and what changes.
class language final : public protocol {
public:
  using family_of = const format_family& (*)() noexcept;

  language(const reply_words& words, family_of family, bool tells_moves,
           bool tells_changes) noexcept
    : words_(words), family_(family), tells_moves_(tells_moves), tells_changes_(tells_changes) {}

  conversation_ptr converse() const override {
    return conversation_ptr{new talk{words_, family_()}};
  }

  void encode(const outgoing_publication& one, const framing& frames,
              std::string& out) const override {
    if (is_message(one))
      append_message(words_, frames, out,
                     [&](std::string& text) { words_.publication(text, one); });
    else if (tells_moves_)
      append_message(words_, frames, out, [&](std::string& text) {
        const auto who = read_member(one.data);
        words_.moved(text, one.room, one.what == outgoing_publication::kind::joined,
                     {who.user, who.id});
      });
  }

  bool tells_changes() const noexcept override { return tells_changes_; }

  void encode_change(const outgoing_publication& before, const outgoing_publication& next,
                     std::string& out) const override {
    words_.change(out, before, next);
  }

  void encode_join(const join_reply& reply, const framing& frames,
                   std::string& out) const override {
    append_message(words_, frames, out, [&](std::string& text) { words_.subscribed(text, reply); });
  }

  recovered_in place_of_recovered() const noexcept override { return recovered_in::reply; }

  /// There is no word for a new position: SDKs subscribe anew, from where they were.
  after_break after_a_break() const noexcept override { return after_break::leaves; }

  bool encode_unsubscribed(const net::unsubscribed& what, const framing& frames,
                           std::string& out) const override {
    append_message(words_, frames, out, [&](std::string& text) {
      words_.unsubscribed(text, what.room,
                          what.code == force_disconnect ? server_unsubscribe : come_back);
    });
    return true;
  }

private:
  const reply_words& words_;
  family_of family_;
  bool tells_moves_;
  bool tells_changes_;
};

/// Four wire formats that differ in whether joins and leaves are told, and whether publications are as changes.
struct formats {
  formats(const reply_words& words, const framing& frames, language::family_of family) noexcept
    : quiet(words, family, false, false),
      moving(words, family, true, false),
      changing(words, family, false, true),
      changing_moving(words, family, true, true),
      plain(quiet, frames),
      with_moves(moving, frames),
      changes(changing, frames),
      changes_with_moves(changing_moving, frames) {}

  language quiet;
  language moving;
  language changing;
  language changing_moving;
  wire_format plain;
  wire_format with_moves;
  wire_format changes;
  wire_format changes_with_moves;
  format_family family{plain, with_moves, changes, changes_with_moves};
};

const format_family& json_family() noexcept {
  static const formats all{json_words(), batched_text_framing(), json_family};
  return all.family;
}

const format_family& protobuf_family() noexcept {
  static const formats all{protobuf_words(), batched_binary_framing(), protobuf_family};
  return all.family;
}

/// Text `{}`, and a message of no bytes behind its length.
constexpr std::string_view json_ping{"\x81\x02{}", 4};
constexpr std::string_view protobuf_ping{"\x82\x01\x00", 3};

session_words::last_word last_word(close_reason why, std::uint16_t code, std::string_view text) {
  const auto told = ending_of(why, {code, text});
  return {told.code, told.reason};
}

} // namespace

const wire_format& centrifugo_json_format() noexcept { return json_family().plain; }
const wire_format& centrifugo_protobuf_format() noexcept { return protobuf_family().plain; }

const session_words& centrifugo_json_session() noexcept {
  static constexpr session_words words{json_ping, last_word};
  return words;
}

const session_words& centrifugo_protobuf_session() noexcept {
  static constexpr session_words words{protobuf_ping, last_word};
  return words;
}

} // namespace canang::net
