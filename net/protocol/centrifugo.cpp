#include "net/protocol/centrifugo.hpp"

#include "net/close_code.hpp"
#include "net/protocol/centrifugo/json_data.hpp"
#include "net/protocol/centrifugo/scratch.hpp"
#include "net/protocol/centrifugo/talk.hpp"
#include "net/stream/event.hpp"

namespace canang::net {

namespace {

using namespace centrifugo;

const format_family& json_family() noexcept;
const format_family& protobuf_family() noexcept;
const format_family& json_lines_family() noexcept;
const format_family& json_events_family() noexcept;
const format_family& protobuf_stream_family() noexcept;

/// What all clients hear in one of the formats.
class language final : public protocol {
public:
  using family_of = const format_family& (*)() noexcept;

  enum class kind : std::uint8_t {
    quiet,
    moving,          ///< who comes and goes too
    changing,        ///< publications as what they change
    changing_moving, ///< both
    by_server,       ///< of memberships that the server began, not their clients
  };

  language(const reply_words& words, family_of family, kind which) noexcept
    : words_(words), family_(family), kind_(which) {}

  conversation_ptr converse() const override {
    return conversation_ptr{new talk{words_, family_()}};
  }

  void encode(const outgoing_publication& one, const framing& frames,
              std::string& out) const override {
    if (is_message(one))
      append_message(words_, frames, out,
                     [&](std::string& text) { words_.publication(text, one); });
    else if (kind_ == kind::moving || kind_ == kind::changing_moving)
      append_message(words_, frames, out, [&](std::string& text) {
        words_.moved(text, one.room, one.what == outgoing_publication::kind::joined,
                     read_member(one.data));
      });
  }

  bool tells_changes() const noexcept override {
    return kind_ == kind::changing || kind_ == kind::changing_moving;
  }

  void encode_change(const outgoing_publication& before, const outgoing_publication& next,
                     std::string& out) const override {
    words_.change(out, before, next);
  }

  void encode_join(const join_reply& reply, const framing& frames,
                   std::string& out) const override {
    append_message(words_, frames, out, [&](std::string& text) {
      if (kind_ == kind::by_server)
        words_.subscribed_by_server(text, reply);
      else
        words_.subscribed(text, reply);
    });
  }

  /// The push that tells of a membership has no place for it.
  recovered_in place_of_recovered() const noexcept override {
    return kind_ == kind::by_server ? recovered_in::messages : recovered_in::reply;
  }

  /// There is no word for a new position: SDKs subscribe anew, from where they were.
  after_break after_a_break() const noexcept override { return after_break::leaves; }

  /// Memberships that the server began are said to be both in any case.
  bool counts_on_all(std::uint8_t note) const noexcept override {
    constexpr auto told = subscription_note::positioned | subscription_note::recoverable;
    return kind_ == kind::by_server || (note & told) != 0;
  }

  /// What the server began SDKs cannot begin anew: they connect anew instead.
  bool encode_unsubscribed(const net::unsubscribed& what, const framing& frames,
                           std::string& out) const override {
    const bool is_for_good = what.code == force_disconnect || what.code == net::banned;
    if (kind_ == kind::by_server && !is_for_good)
      return false;
    append_message(words_, frames, out, [&](std::string& text) {
      words_.unsubscribed(text, what.room,
                          what.code == net::banned               ? ending{2000, what.text}
                          : what.code == force_disconnect        ? server_unsubscribe
                          : what.code == net::membership_expired ? renew
                                                                 : come_back);
    });
    return true;
  }

private:
  const reply_words& words_;
  family_of family_;
  kind kind_;
};

/// Wire formats that differ in what memberships are told.
struct formats {
  formats(const reply_words& words, const framing& frames, language::family_of family)
    : quiet(words, family, language::kind::quiet),
      moving(words, family, language::kind::moving),
      changing(words, family, language::kind::changing),
      changing_moving(words, family, language::kind::changing_moving),
      ruled(words, family, language::kind::by_server),
      plain(quiet, frames),
      with_moves(moving, frames),
      changes(changing, frames),
      changes_with_moves(changing_moving, frames),
      by_server(ruled, frames) {}

  language quiet;
  language moving;
  language changing;
  language changing_moving;
  language ruled;
  wire_format plain;
  wire_format with_moves;
  wire_format changes;
  wire_format changes_with_moves;
  wire_format by_server;
  format_family family{plain, with_moves, changes, changes_with_moves, by_server};
};

const format_family& json_family() noexcept {
  static const formats all{json_words(), batched_text_framing(), json_family};
  return all.family;
}

const format_family& protobuf_family() noexcept {
  static const formats all{protobuf_words(), batched_binary_framing(), protobuf_family};
  return all.family;
}

const format_family& json_lines_family() noexcept {
  static const formats all{json_words(), line_framing(), json_lines_family};
  return all.family;
}

const format_family& json_events_family() noexcept {
  static const formats all{json_words(), event_framing(), json_events_family};
  return all.family;
}

const format_family& protobuf_stream_family() noexcept {
  static const formats all{protobuf_words(), bare_framing(), protobuf_stream_family};
  return all.family;
}

/// Text `{}`, and a message of no bytes behind its length.
constexpr std::string_view json_ping{"\x81\x02{}", 4};
constexpr std::string_view protobuf_ping{"\x82\x01\x00", 3};

session_words::last_word last_word(close_reason why, std::uint16_t code, std::string_view text) {
  const auto told = ending_of(why, {code, text});
  return {told.code, told.reason};
}

/// Streams have no close codes.
template <const reply_words& (*Words)() noexcept, const framing& (*Frames)() noexcept>
void append_close(std::string& out, const session_words::last_word& why) {
  append_message(Words(), Frames(), out, [&](std::string& text) {
    Words().disconnected(text, {why.code, why.text});
  });
}

} // namespace

const centrifugo_stream& centrifugo_json_lines() noexcept {
  static constexpr emulated_stream_words words{.content_type = "application/json",
                                               .type = frame_type::text,
                                               .words = {"{}\n", last_word},
                                               .append_close =
                                                 append_close<json_words, line_framing>};
  static const centrifugo_stream instance{json_lines_family().plain, words};
  return instance;
}

const centrifugo_stream& centrifugo_json_events() noexcept {
  static constexpr emulated_stream_words words{.content_type = "text/event-stream",
                                               .type = frame_type::text,
                                               .words = {"data: {}\n\n", last_word},
                                               .append_close =
                                                 append_close<json_words, event_framing>};
  static const centrifugo_stream instance{json_events_family().plain, words};
  return instance;
}

const centrifugo_stream& centrifugo_protobuf_stream() noexcept {
  static constexpr emulated_stream_words words{.content_type = "application/octet-stream",
                                               .type = frame_type::binary,
                                               .words = {std::string_view{"\0", 1}, last_word},
                                               .append_close =
                                                 append_close<protobuf_words, bare_framing>};
  static const centrifugo_stream instance{protobuf_stream_family().plain, words};
  return instance;
}

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
