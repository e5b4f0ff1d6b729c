#include "net/protocol/centrifugo/talk.hpp"

#include "net/protocol/centrifugo/scratch.hpp"
#include "net/utf8.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace canang::net::centrifugo {

namespace {

/// The only type of deltas.
constexpr std::string_view fossil = "fossil";

constexpr std::uint8_t note_if(bool is_so, std::uint8_t bit) noexcept {
  return is_so ? bit : std::uint8_t{0};
}

/// How often pings come, in whole seconds.
std::uint32_t seconds_of(std::chrono::milliseconds interval) {
  return static_cast<std::uint32_t>(
    std::max(std::chrono::ceil<std::chrono::seconds>(interval), std::chrono::seconds{1}).count());
}

/// JSON is text, and so are bytes that are UTF-8: members of other protocols get it as what it is.
frame_type type_of(const reply_words& words, std::string_view data) {
  return words.type() == frame_type::text || is_utf8(data) ? frame_type::text : frame_type::binary;
}

} // namespace

template <class Write>
void talk::reply(command_sink& sink, Write write) const {
  const scratch payload{scratch::level::payload};
  write(payload.text());
  sink.reply(words_.type(), payload.text());
}

void talk::on_open(const connection_parameters& parameters, command_sink& sink) {
  user_ = parameters.user;
  sink.open();
}

void talk::decode(frame_type /*type*/, std::span<const char> message, command_sink& sink) {
  auto& reader = words_.reader();
  reader.begin({message.data(), message.size()});
  request asked;
  auto result = reader.next(asked);
  if (result == read_result::end)
    result = read_result::bad; // a message without a command
  while (result == read_result::command && take(asked, sink))
    result = reader.next(asked);
  if (result == read_result::bad)
    sink.close(malformed.code, malformed.reason);
}

/// @returns false when the connection ends: nothing more of the message counts.
bool talk::take(const request& asked, command_sink& sink) {
  const bool wants_answer = asked.what != method::none && asked.what != method::send;
  const bool comes_first = asked.what == method::connect;
  if (asked.what != method::none
      && ((wants_answer && asked.id == 0) || comes_first == is_connected_)) {
    sink.close(malformed.code, malformed.reason);
    return false;
  }
  switch (asked.what) {
  case method::none: break; // the answer to a ping: that it was heard is all
  case method::send:        // there is nobody to send anything to
    sink.close(nobody_there.code, nobody_there.reason);
    return false;
  case method::connect: return connect(asked, sink);
  case method::subscribe: subscribe(asked, sink); break;
  case method::unsubscribe:
    if (asked.channel.empty())
      refuse(asked, bad_request, sink);
    else
      sink.on_command(leave_command{.room = asked.channel, .request = asked.id});
    break;
  case method::publish: publish(asked, sink); break;
  case method::presence:
  case method::presence_stats:
    sink.on_command(query_command{.what = asked.what == method::presence
                                            ? query_command::subject::members
                                            : query_command::subject::counts,
                                  .room = asked.channel,
                                  .request = asked.id});
    break;
  case method::history: ask_history(asked, sink); break;
  case method::ping:
    reply(sink, [&](std::string& out) { words_.done(out, asked.id, method::ping); });
    break;
  case method::refresh:
  case method::sub_refresh: refuse(asked, not_available, sink); break;
  case method::rpc:
  case method::unknown: refuse(asked, method_not_found, sink); break;
  }
  return true;
}

/// No token can be checked yet, so none is believed.
bool talk::connect(const request& asked, command_sink& sink) {
  if (!asked.token.empty()) {
    sink.close(invalid_token.code, invalid_token.reason);
    return false;
  }
  is_connected_ = true;
  sink.on_command(identify_command{{.user = std::exchange(user_, {})}});
  auto facts = sink.facts();
  if (facts.rooms.empty())
    reply(sink, [&](std::string& out) { append_connected(out, asked.id, facts, {}); });
  else
    enter_rooms(asked, std::move(facts.rooms), sink);
  return true;
}

void talk::append_connected(std::string& out, std::uint32_t request, const connection_facts& facts,
                            std::string_view rooms) const {
  const auto client = client_name(facts);
  words_.connected(out, request,
                   {.client = client,
                    .node = facts.node,
                    .ping_s = seconds_of(facts.pings),
                    .session = facts.session,
                    .rooms = rooms});
}

/// Which these are the server decides; the client says how far it is in them.
void talk::enter_rooms(const request& asked, std::vector<std::string>&& rooms,
                       command_sink& sink) const {
  entering_command enters{.rooms = {}, .request = asked.id};
  for (auto& room : rooms) {
    join_command join{.room = std::move(room)};
    join.note = subscription_note::positioned | subscription_note::recoverable;
    join.format = &formats_.by_server;
    if (const auto* const had = asked.sub_of(join.room); had != nullptr && had->recover) {
      join.note |= subscription_note::recovering;
      join.since = resume_position{std::string{had->at.epoch}, had->at.offset};
    }
    enters.rooms.push_back(std::move(join));
  }
  sink.on_entering(std::move(enters));
}

void talk::subscribe(const request& asked, command_sink& sink) const {
  join_command join;
  join.room = asked.channel;
  join.request = asked.id;
  join.note = static_cast<std::uint8_t>(
    note_if(asked.positioned, subscription_note::positioned)
    | note_if(asked.recoverable || asked.recover, subscription_note::recoverable)
    | note_if(asked.recover, subscription_note::recovering)
    | note_if(asked.delta == fossil, subscription_note::changes));
  if (asked.recover)
    join.since = resume_position{std::string{asked.epoch}, asked.offset};
  join.format = asked.join_leave ? &formats_.with_moves : &formats_.plain;
  sink.on_command(std::move(join));
}

/// Who recovers by itself is told so, as if it had asked.
void talk::heed(const room_traits& room, join_command& join) const {
  const bool recovers = join.since.has_value() || room.offers_newest;
  join.may_recover = room.is_recoverable;
  join.newest_only = room.keeps_newest && recovers;
  join.note =
    static_cast<std::uint8_t>(join.note | note_if(room.is_positioned, subscription_note::positioned)
                              | note_if(room.is_recoverable, subscription_note::recoverable)
                              | note_if(join.newest_only, subscription_note::recovering));
  if ((join.note & subscription_note::changes) == 0)
    return;
  if (room.tells_changes)
    join.format = &formats_.with_changes(join.format);
  else
    join.note = static_cast<std::uint8_t>(join.note & ~subscription_note::changes);
}

void talk::encode_entered(const join_reply& reply, std::string& rooms) {
  words_.entered(rooms, reply);
}

void talk::encode_connected(std::uint32_t request, std::string_view rooms,
                            const connection_facts& facts, const framing& frames,
                            std::string& out) {
  append_message(words_, frames, out,
                 [&](std::string& text) { append_connected(text, request, facts, rooms); });
}

bool talk::take_invitation(join_command& wanted) const {
  wanted.format = &formats_.by_server;
  return is_connected_;
}

void talk::publish(const request& asked, command_sink& sink) const {
  if (asked.data.empty()) {
    refuse(asked, bad_request, sink);
    return;
  }
  sink.on_command(publish_command{.type = type_of(words_, asked.data),
                                  .data = asked.data,
                                  .room = asked.channel,
                                  .request = asked.id,
                                  .is_from_outside = true,
                                  .tells_author = true});
}

void talk::ask_history(const request& asked, command_sink& sink) const {
  query_command query{.what = query_command::subject::history,
                      .room = asked.channel,
                      .request = asked.id,
                      .limit = asked.limit < 0 ? std::numeric_limits<std::size_t>::max()
                                               : static_cast<std::size_t>(asked.limit),
                      .is_reverse = asked.reverse};
  // All that is kept follows nothing, whatever the epoch is.
  const bool is_nothing = asked.since && asked.since->epoch.empty() && asked.since->offset == 0;
  if (asked.since && !(is_nothing && !asked.reverse))
    query.since = resume_position{std::string{asked.since->epoch}, asked.since->offset};
  sink.on_command(query);
}

void talk::refuse(const request& asked, const error& why, command_sink& sink) const {
  reply(sink, [&](std::string& out) { words_.error(out, asked.id, why); });
}

// --- what became of it

/// Who leaves a room that it is not in has what it wants.
bool talk::encode_fault(const failed_command& failed, const framing& frames, std::string& out) {
  if (failed.what == command_kind::identify)
    return false;
  append_message(words_, frames, out, [&](std::string& text) {
    if (failed.what == command_kind::leave)
      words_.done(text, failed.request, method::unsubscribe);
    else
      words_.error(text, failed.request, error_of(failed.why));
  });
  return true;
}

void talk::encode_stored(const stored_publish& stored, const framing& frames, std::string& out) {
  append_message(words_, frames, out,
                 [&](std::string& text) { words_.done(text, stored.request, method::publish); });
}

void talk::encode_left(const leave_command& left, const framing& frames, std::string& out) {
  append_message(words_, frames, out,
                 [&](std::string& text) { words_.done(text, left.request, method::unsubscribe); });
}

void talk::encode_members(const members_answer& is, const framing& frames, std::string& out) {
  append_message(words_, frames, out, [&](std::string& text) { words_.presence(text, is); });
}

void talk::encode_counts(const counts_answer& are, const framing& frames, std::string& out) {
  append_message(words_, frames, out, [&](std::string& text) { words_.presence_stats(text, are); });
}

void talk::encode_history(const history_reply& is, const framing& frames, std::string& out) {
  append_message(words_, frames, out, [&](std::string& text) { words_.history(text, is); });
}

} // namespace canang::net::centrifugo
