#include "net/protocol/centrifugo/talk.hpp"

#include "net/limits.hpp"
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
  if (!parameters.user.empty() || !parameters.token.empty())
    said_ = std::make_unique<credentials>(credentials{.user = parameters.user,
                                                      .token = parameters.token,
                                                      .is_of_field = parameters.is_token_of_field});
  sink.open();
}

void talk::decode(frame_type /*type*/, std::span<const char> message, command_sink& sink) {
  auto& reader = words_.reader();
  reader.begin({message.data(), message.size()});
  request asked;
  const auto first = reader.next(asked);
  take_from(first == read_result::end ? read_result::bad : first, asked, sink); // not without any
}

/// Reads to the end of the message, or to a `connect` that cannot be answered yet: until then nothing more is read.
void talk::take_from(read_result result, request& asked, command_sink& sink) {
  auto& reader = words_.reader();
  while (result == read_result::command && take(asked, sink)) {
    if (connecting_) {
      connecting_->rest = reader.rest();
      return;
    }
    result = reader.next(asked);
  }
  if (result == read_result::bad)
    sink.close(malformed.code, malformed.reason);
}

/// @returns false when the connection ends: nothing more of the message counts.
bool talk::take(const request& asked, command_sink& sink) {
  const bool wants_answer = asked.what != method::none && asked.what != method::send;
  const bool comes_first = asked.what == method::connect;
  if (asked.what != method::none
      && (stage_ == stage::connecting || (wants_answer && asked.id == 0)
          || comes_first == is_connected())) {
    sink.close(malformed.code, malformed.reason);
    return false;
  }
  switch (asked.what) {
  case method::none: break; // the answer to a ping: that it was heard is all
  case method::send:        // there is nobody to send anything to
    sink.close(nobody_there.code, nobody_there.reason);
    return false;
  case method::connect:
    connect(asked, sink);
    return is_connected() || connecting_ != nullptr; // who has been refused is asked nothing else
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
  case method::sub_refresh: refresh(asked, sink); break;
  case method::rpc:
    if (!sink.on_call({.method = asked.rpc_method, .data = asked.data, .request = asked.id}))
      refuse(asked, method_not_found, sink);
    break;
  case method::unknown: refuse(asked, method_not_found, sink); break;
  }
  return true;
}

/// Who it is may take a while to tell, see `on_admitted`. A token here counts before that of the URL.
void talk::connect(const request& asked, command_sink& sink) {
  stage_ = stage::connecting;
  connecting_ = std::make_unique<connecting>(connecting{.request = asked.id});
  for (const auto& one : asked.subs)
    if (one.recover)
      connecting_->had.emplace_back(one.channel,
                                    resume_position{std::string{one.at.epoch}, one.at.offset});
  identify_command command{.data = std::string{asked.data},
                           .name = std::string{asked.name},
                           .version = std::string{asked.version}};
  for (const auto& one : asked.subs)
    command.rooms.emplace_back(one.channel);
  auto& shown = command.shown;
  if (said_)
    shown = *said_;
  if (!asked.token.empty()) {
    shown.token = asked.token;
    shown.is_of_field = false;
  }
  sink.on_command(std::move(command));
}

void talk::on_admitted(command_sink& sink) {
  stage_ = stage::connected;
  said_.reset();
  auto facts = sink.facts();
  const auto rest = std::move(connecting_->rest);
  if (facts.rooms.empty())
    reply(sink, [&](std::string& out) { append_connected(out, connecting_->request, facts, {}); });
  else
    enter_rooms(std::move(facts.rooms), sink);
  connecting_.reset();
  if (rest.empty())
    return; // or the message is being read
  auto& reader = words_.reader();
  reader.begin(rest);
  request asked;
  const auto next = reader.next(asked);
  take_from(next, asked, sink);
}

std::chrono::seconds talk::refresh_grace() const noexcept { return longest_refresh; }

/// Without a token there is nothing to refresh with.
void talk::refresh(const request& asked, command_sink& sink) const {
  const bool is_of_room = asked.what == method::sub_refresh;
  if (asked.token.empty() || (is_of_room && asked.channel.empty())) {
    refuse(asked, bad_request, sink);
    return;
  }
  refresh_command command{.token = asked.token, .request = asked.id};
  if (is_of_room)
    command.room = asked.channel;
  sink.on_refresh(command);
}

void talk::append_connected(std::string& out, std::uint32_t request, const connection_facts& facts,
                            std::string_view rooms) const {
  const auto client = client_name(facts);
  words_.connected(out, request,
                   {.client = client,
                    .node = facts.node,
                    .ping_s = seconds_of(facts.pings),
                    .session = facts.session,
                    .rooms = rooms,
                    .expires_in_s = facts.expires_in_s,
                    .data = facts.data});
}

/// Which these are the server decides; the client says how far it is in them.
void talk::enter_rooms(std::vector<std::string>&& rooms, command_sink& sink) {
  entering_command enters{.rooms = {}, .request = connecting_->request};
  auto& had = connecting_->had;
  for (auto& room : rooms) {
    join_command join{.room = std::move(room)};
    join.note = subscription_note::positioned | subscription_note::recoverable;
    join.format = &formats_.by_server;
    const auto found = std::find_if(had.rbegin(), had.rend(),
                                    [&](const auto& one) { return one.first == join.room; });
    if (found != had.rend()) {
      join.note |= subscription_note::recovering;
      join.since = std::move(found->second);
    }
    enters.rooms.push_back(std::move(join));
  }
  sink.on_entering(std::move(enters));
}

void talk::subscribe(const request& asked, command_sink& sink) const {
  join_command join;
  join.room = asked.channel;
  join.request = asked.id;
  join.token = asked.token;
  join.data = asked.data;
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
  return is_connected();
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

namespace {

error told_error(const failed_command& failed) noexcept {
  if (failed.worded == nullptr)
    return error_of(failed.why);
  const auto& worded = *failed.worded;
  return {.code = worded.code, .message = worded.text, .is_temporary = worded.is_temporary};
}

} // namespace

/// Who leaves a room that it is not in has what it wants.
bool talk::encode_fault(const failed_command& failed, const framing& frames, std::string& out) {
  if (failed.what == command_kind::identify)
    return encode_not_connected(failed, frames, out);
  append_message(words_, frames, out, [&](std::string& text) {
    if (failed.what == command_kind::leave) {
      words_.done(text, failed.request, method::unsubscribe);
      return;
    }
    auto told = told_error(failed);
    if (!failed.text.empty())
      told.message = failed.text;
    words_.error(text, failed.request, told);
  });
  return true;
}

/// Who is told that its token has expired gets another one, and connects again, and so may whoever is told an error of
/// the operator's program; the rest of the message is lost.
bool talk::encode_not_connected(const failed_command& failed, const framing& frames,
                                std::string& out) {
  if ((failed.why != command_fault::token_expired && failed.worded == nullptr) || !connecting_)
    return false;
  stage_ = stage::new_here;
  const auto request = std::exchange(connecting_, nullptr)->request;
  append_message(words_, frames, out,
                 [&](std::string& text) { words_.error(text, request, told_error(failed)); });
  return true;
}

void talk::encode_refreshed(const refreshed& is, const framing& frames, std::string& out) {
  append_message(words_, frames, out, [&](std::string& text) { words_.refreshed(text, is); });
}

void talk::encode_stored(const stored_publish& stored, const framing& frames, std::string& out) {
  append_message(words_, frames, out,
                 [&](std::string& text) { words_.done(text, stored.request, method::publish); });
}

void talk::encode_called(const call_answer& is, const framing& frames, std::string& out) {
  append_message(words_, frames, out, [&](std::string& text) { words_.called(text, is); });
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
