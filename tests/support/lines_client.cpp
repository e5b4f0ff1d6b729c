#include "tests/support/lines_client.hpp"

#include "tests/support/lines_protocol.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

namespace canang::sim {

namespace {

client_options asked_of(std::uint32_t loop, const net::wire_format& format) {
  client_options asked;
  asked.room.clear();
  asked.loop = loop;
  asked.format = &format;
  return asked;
}

std::string next_word(std::string_view& rest) {
  const auto end = std::min(rest.find(' '), rest.size());
  std::string word{rest.substr(0, end)};
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return word;
}

std::uint64_t next_number(std::string_view& rest) { return std::stoull(next_word(rest)); }

} // namespace

lines_client::lines_client(sim_node& node, std::uint32_t loop, net::recovered_in place)
  : lines_client(node, loop, lines_format(place)) {}

lines_client::lines_client(sim_node& node, std::uint32_t loop, const net::wire_format& format)
  : node_(node), peer_(node.connect(asked_of(loop, format))) {
  lines_ = "hello client" + std::to_string(peer_.number);
  send();
}

std::uint32_t lines_client::join(const std::string& room, const std::string& history) {
  return add(kind::join, room, history);
}

std::uint32_t lines_client::leave(const std::string& room) { return add(kind::leave, room, {}); }

std::uint32_t lines_client::publish(const std::string& room, const std::string& text) {
  return add(kind::publish, room, text);
}

std::uint32_t lines_client::shout(const std::string& room, const std::string& text) {
  return add(kind::shout, room, text);
}

std::uint32_t lines_client::ask(const std::string& room, const std::string& what) {
  return add(kind::ask, room, what);
}

std::uint32_t lines_client::add(kind what, const std::string& room, const std::string& text) {
  static constexpr const char* words[]{"join ", "leave ", "publish ", "shout ", "tell "};
  const auto number = ++last_request_;
  requests_[number] = {what, room, text, {}};
  if (!lines_.empty())
    lines_ += '\n';
  lines_ += words[static_cast<int>(what)] + std::to_string(number) + ' ' + room;
  if (!text.empty())
    lines_ += ' ' + text;
  if (!is_gathering_)
    send();
  return number;
}

void lines_client::send() {
  is_gathering_ = false;
  if (!lines_.empty())
    peer_.peer->send(net::frame_type::text, std::exchange(lines_, {}));
}

void lines_client::verify() {
  const auto& received = peer_.peer->received;
  for (; judged_ < received.size(); ++judged_) {
    SCOPED_TRACE("client " + std::to_string(peer_.number) + ", message " + std::to_string(judged_)
                 + ": " + received[judged_].payload);
    take(received[judged_].payload);
    if (testing::Test::HasFailure())
      return;
  }
}

void lines_client::take(std::string_view rest) {
  const auto what = next_word(rest);
  if (what == "welcome")
    return;
  if (what == "joined") {
    take_joined(rest);
  } else if (what == "failed") {
    take_failed(rest);
  } else if (what == "broken") {
    take_broken(rest);
  } else if (what == "message") {
    const auto room = next_word(rest);
    const auto offset = next_number(rest);
    take_publication(room, offset, rest);
  } else if (what == "left") {
    const auto number = static_cast<std::uint32_t>(next_number(rest));
    rooms_[std::string{rest}].is_in = false;
    note_answer(number, kind::leave, "left");
  } else if (what == "stored") {
    const auto number = static_cast<std::uint32_t>(next_number(rest));
    const auto offset = next_number(rest);
    note_answer(number, requests_[number].what, "stored");
    const auto& asked = requests_[number];
    ASSERT_LE(offset, record(asked.room).size());
    EXPECT_EQ(record(asked.room)[offset - 1]->data, asked.text);
  } else if (what == "members" || what == "counts" || what == "history") {
    const auto number = static_cast<std::uint32_t>(next_number(rest));
    EXPECT_EQ(requests_[number].text, what);
    note_answer(number, kind::ask, rest.empty() ? "nobody" : rest);
  } else if (what == "ended") {
    ended_.emplace_back(rest);
    auto& room = rooms_[next_word(rest)];
    EXPECT_TRUE(room.is_in) << "it is told the end of what it is not in";
    room.is_in = false;
  } else {
    ADD_FAILURE() << "what is that?";
  }
}

void lines_client::take_joined(std::string_view rest) {
  const auto number = static_cast<std::uint32_t>(next_number(rest));
  const auto room = next_word(rest);
  const auto epoch = next_word(rest); // there is one only
  auto& membership = rooms_[room];
  EXPECT_FALSE(membership.is_in) << "twice";
  membership = {true, next_number(rest) + 1, epoch};
  const bool is_recovered = next_word(rest) == "yes";
  if (const auto& since = requests_[number].text; is_recovered) {
    EXPECT_EQ(since, epoch + ':' + std::to_string(membership.next - 1));
  }
  note_answer(number, kind::join, "joined");
  while (!rest.empty() && !testing::Test::HasFailure()) {
    const auto offset = next_number(rest);
    take_publication(room, offset, next_word(rest));
  }
}

void lines_client::take_publication(const std::string& room, std::uint64_t offset,
                                    std::string_view text) {
  auto& membership = rooms_[room];
  ASSERT_TRUE(membership.is_in) << "it is not in that room";
  ASSERT_EQ(offset, membership.next) << "a gap, or a double";
  ASSERT_LE(offset, record(room).size());
  EXPECT_EQ(text, record(room)[offset - 1]->data);
  ++membership.next;
}

/// It goes on later than what it has.
void lines_client::take_broken(std::string_view rest) {
  auto& membership = rooms_[next_word(rest)];
  ASSERT_TRUE(membership.is_in) << "it is not in that room";
  next_word(rest);
  const auto offset = next_number(rest);
  ASSERT_GE(offset, membership.next) << "nothing is lost";
  EXPECT_EQ(rest, "no");
  membership.next = offset + 1;
  ++losses_;
}

/// What is said at once can be judged by what was said before.
void lines_client::take_failed(std::string_view rest) {
  const auto number = static_cast<std::uint32_t>(next_number(rest));
  const auto why = next_word(rest);
  const std::string room{rest};
  ASSERT_EQ(requests_.count(number), 1U);
  note_answer(number, requests_[number].what, why);
  const bool is_in = rooms_[room].is_in;
  if (why == "joined_before") {
    EXPECT_TRUE(is_in || awaits_join(room));
  } else if (why == "not_joined" && requests_[number].what == kind::leave) {
    EXPECT_FALSE(is_in);
  } else if (why == "left" && requests_[number].what == kind::join) {
    EXPECT_FALSE(is_in);
  }
}

void lines_client::note_answer(std::uint32_t number, kind what, std::string_view answer) {
  ASSERT_EQ(requests_.count(number), 1U);
  auto& asked = requests_[number];
  EXPECT_EQ(asked.what, what);
  EXPECT_EQ(asked.answer, "") << "a second answer to request " << number;
  asked.answer = answer;
}

bool lines_client::awaits_join(const std::string& room) const {
  return std::any_of(requests_.begin(), requests_.end(), [&](const auto& one) {
    return one.second.what == kind::join && one.second.room == room && one.second.answer.empty();
  });
}

void lines_client::verify_complete() {
  verify();
  if (peer_.peer->session == nullptr || !peer_.peer->session->is_open())
    return;
  for (const auto& [number, asked] : requests_)
    EXPECT_NE(asked.answer, "") << "client " << peer_.number << ", request " << number << " to "
                                << asked.room << " has no answer";
  for (const auto& [room, membership] : rooms_)
    if (membership.is_in) {
      EXPECT_EQ(membership.next, record(room).size() + 1)
        << "client " << peer_.number << " lacks something of " << room;
    }
  EXPECT_FALSE(peer_.peer->reading_is_paused)
    << "client " << peer_.number << " is not read any more";
}

std::string lines_client::answer(std::uint32_t request) const {
  const auto found = requests_.find(request);
  return found == requests_.end() ? std::string{} : found->second.answer;
}

bool lines_client::is_in(const std::string& room) const {
  const auto found = rooms_.find(room);
  return found != rooms_.end() && found->second.is_in;
}

std::string lines_client::position(const std::string& room) {
  const auto& at = rooms_[room];
  return at.epoch + ':' + std::to_string(at.next - 1);
}

const std::vector<cluster::publication_ptr>& lines_client::record(const std::string& room) {
  return node_.broker_of(room).record(room);
}

} // namespace canang::sim
