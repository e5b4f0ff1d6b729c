#include "cluster/control/relay.hpp"

#include <algorithm>
#include <utility>

namespace canang::cluster {

namespace {

/// Above it are the numbers of relayed messages, below those of commands: the carrier tells both by their numbers.
constexpr std::uint64_t first_number = std::uint64_t{1} << 63U;

} // namespace

relay_centre::relay_centre(std::string node, control_carrier& carrier, relay_executor& executor,
                           control_metrics& metrics, std::function<clock::time_point()> now)
  : node_(std::move(node)),
    carrier_(carrier),
    executor_(executor),
    metrics_(metrics),
    now_(std::move(now)),
    last_number_(first_number) {}

// --- of this node's clients

void relay_centre::send(const std::string& to, const relayed_message& message, handler answer) {
  const auto chance = executor_.chance_of(to, message.session);
  if (chance == session_chance::some && is_held_for(to))
    release_held(); // they came before
  std::size_t way = 0;
  if (!has_room(to, message.data.size()) || !choose_way(way)) {
    answer(relay_outcome::unavailable);
    return;
  }
  switch (chance) {
  case session_chance::some: carry(way, to, message, std::move(answer)); break;
  case session_chance::none: answer(relay_outcome::unknown); break;
  case session_chance::no_node: hold(to, message, std::move(answer)); break;
  }
}

void relay_centre::carry(std::size_t way, const std::string& to, const relayed_message& message,
                         handler&& answer) {
  known_nodes_.insert(to);
  auto session = to + '/' + message.session;
  if (unknown_sessions_.contains(session)) {
    answer(relay_outcome::unknown);
    return;
  }
  const auto number = ++last_number_;
  auto bytes = encode_relayed(node_, number, message);
  sent_bytes_ += bytes.size();
  sent_.emplace(number, sent_message{.to = to,
                                     .session = std::move(session),
                                     .answer = std::move(answer),
                                     .bytes = bytes.size(),
                                     .ends_at = now_() + time_limit});
  carrier_.carry(way, to, bytes, number);
}

/// One that was known has gone, and does not come again under its name.
void relay_centre::hold(const std::string& to, const relayed_message& message, handler&& answer) {
  const auto bytes = held_bytes_ + message.data.size();
  if (known_nodes_.contains(to) || held_.size() >= max_held || bytes > max_held_bytes) {
    answer(relay_outcome::unknown);
    return;
  }
  held_bytes_ = bytes;
  held_.push_back(
    {.to = to, .message = message, .answer = std::move(answer), .ends_at = now_() + patience});
}

bool relay_centre::is_held_for(std::string_view node) const {
  return std::any_of(held_.begin(), held_.end(), [&](const auto& one) { return one.to == node; });
}

/// Those whose nodes are known by now, or that have waited for long enough. Asks for each of them: not to be called
/// for whatever anybody says.
void relay_centre::release_held() {
  if (held_.empty())
    return;
  auto all = std::exchange(held_, {});
  held_bytes_ = 0;
  for (auto& one : all) {
    const bool is_over = now_() >= one.ends_at;
    const auto chance = executor_.chance_of(one.to, one.message.session);
    std::size_t way = 0;
    if (chance == session_chance::no_node && !is_over) {
      held_bytes_ += one.message.data.size();
      held_.push_back(std::move(one));
    } else if (chance != session_chance::some) {
      one.answer(relay_outcome::unknown);
    } else if (!has_room(one.to, one.message.data.size()) || !choose_way(way)) {
      one.answer(relay_outcome::unavailable);
    } else {
      carry(way, one.to, one.message, std::move(one.answer));
    }
  }
}

bool relay_centre::has_room(const std::string& to, std::size_t bytes) const {
  if (sent_.size() >= max_waiting || sent_bytes_ + bytes > max_waiting_bytes)
    return false;
  if (sent_.size() < max_waiting / 2 && sent_bytes_ + bytes <= max_waiting_bytes / 2)
    return true;
  std::size_t messages = 0;
  for (const auto& [number, one] : sent_) {
    if (one.to != to)
      continue;
    ++messages;
    bytes += one.bytes;
  }
  return messages < max_waiting / 2 && bytes <= max_waiting_bytes / 2;
}

/// The same one as long as it is up, so that messages keep their order.
bool relay_centre::choose_way(std::size_t& way) const {
  for (way = 0; way < carrier_.ways(); ++way)
    if (carrier_.is_up(way))
      return true;
  return false;
}

bool relay_centre::on_carry_failed(std::uint64_t number) {
  if (number < first_number)
    return false;
  if (const auto found = sent_.find(number); found != sent_.end())
    finish(found, relay_outcome::unavailable);
  return true;
}

void relay_centre::on_outcome(const relay_envelope& envelope, relay_outcome outcome) {
  const auto found = sent_.find(envelope.number);
  if (found == sent_.end())
    metrics_.late.add(1);
  else if (found->second.to == envelope.node) { // nobody else can know
    if (outcome == relay_outcome::unknown)
      unknown_sessions_.insert(found->second.session); // which it stays
    finish(found, outcome);
  }
}

/// Its handler may send the next one.
void relay_centre::finish(std::map<std::uint64_t, sent_message>::iterator which,
                          relay_outcome outcome) {
  const auto ended = std::move(which->second);
  sent_.erase(which);
  sent_bytes_ -= ended.bytes;
  ended.answer(outcome);
}

// --- of other nodes'

bool relay_centre::on_message(std::size_t way, std::string_view bytes) {
  relay_envelope envelope;
  switch (read_relayed(bytes, envelope)) {
  case control_wire_errc::none: break;
  case control_wire_errc::malformed: metrics_.bad_malformed.add(1); return true;
  case control_wire_errc::foreign:
  case control_wire_errc::version: return false;
  }
  if (const auto* const outcome = std::get_if<relay_outcome>(&envelope.content))
    on_outcome(envelope, *outcome);
  else
    on_said(way, envelope);
  return true;
}

void relay_centre::on_said(std::size_t way, const relay_envelope& envelope) {
  const auto now = now_();
  if (receiver_.note(envelope.node, envelope.number, now).what
      != control_receiver::verdict::is_new) {
    metrics_.repeated.add(1);
    return;
  }
  const auto& said = std::get<relay_envelope::said>(envelope.content);
  if (running_.size() >= max_waiting || running_bytes_ + said.data.size() > max_waiting_bytes) {
    answer(way, envelope.node, envelope.number, relay_outcome::busy);
    return;
  }
  const auto number = ++last_running_;
  running_bytes_ += said.data.size();
  running_.emplace(number, running_message{.from = std::string{envelope.node},
                                           .number = envelope.number,
                                           .way = way,
                                           .bytes = said.data.size(),
                                           .ends_at = now + time_limit});
  executor_.execute({std::string{said.session}, std::string{said.data}}, number);
}

void relay_centre::on_done(std::uint64_t number, relay_outcome outcome) {
  const auto found = running_.find(number);
  if (found == running_.end())
    return; // too late for the sender
  const auto done = std::move(found->second);
  running_.erase(found);
  running_bytes_ -= done.bytes;
  answer(done.way, done.from, done.number, outcome);
}

/// By the way that the message took, or by another one if that is down now.
void relay_centre::answer(std::size_t way, std::string_view to, std::uint64_t number,
                          relay_outcome outcome) {
  const auto ways = carrier_.ways();
  for (std::size_t i = 0; i < ways; ++i) {
    const auto tried = (way + i) % ways;
    if (!carrier_.is_up(tried))
      continue;
    carrier_.carry(tried, to, encode_outcome(node_, number, outcome), 0);
    return;
  }
}

void relay_centre::tick() {
  release_held();
  const auto now = now_();
  // the oldest are the first
  while (!sent_.empty() && now >= sent_.begin()->second.ends_at)
    finish(sent_.begin(), relay_outcome::unavailable);
  while (!running_.empty() && now >= running_.begin()->second.ends_at) {
    running_bytes_ -= running_.begin()->second.bytes;
    running_.erase(running_.begin());
  }
}

} // namespace canang::cluster
