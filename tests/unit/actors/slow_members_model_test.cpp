#include "tests/unit/support/bracket_protocol.hpp"
#include "tests/unit/support/seed.hpp"
#include "tests/unit/support/slow_rooms.hpp"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace canang::actors {
namespace {

using cluster::slow_consumers;

/// `ROOM:OFFSET;` is a publication, `!ROOM:OFFSET;` says that something before that is lost, and that it is the last;
/// `|ROOM:OFFSET;` that nothing is, though what follows has offsets of another epoch.
class offsets_protocol final : public net::protocol {
public:
  net::conversation_ptr converse() const override {
    static test::bracket_words instance;
    return net::conversation_ptr{&instance};
  }

  void encode(const net::outgoing_publication& one, const net::framing&,
              std::string& out) const override {
    append(out, one.room, one.offset);
  }

  bool encode_break(const net::room_position& at, const net::framing&,
                    std::string& out) const override {
    out += at.recovered ? '|' : '!';
    append(out, at.room, at.offset);
    return true;
  }

private:
  static void append(std::string& out, std::string_view room, std::uint64_t offset) {
    out += room;
    out += ':';
    out += std::to_string(offset);
    out += ';';
  }
};

/// Clients that take what waits for them whenever chance wants it, of rooms that they come to and leave; commands are
/// answered meanwhile, settings change, and epochs do. Each client judges what it gets.
class world : test::slow_rooms {
public:
  explicit world(std::uint32_t seed) : slow_rooms(slow_consumers::latest, 2000), random_(seed) {
    for (connection_id id = 1; id <= 5; ++id)
      connect(id);
  }

  void step() {
    const auto id = random_.roll<connection_id>(1, 5);
    const auto room = random_.roll<room_id>(1, 3);
    auto& one = clients_[id];
    switch (random_.roll(0, 25)) {
    case 0:
      members.detach(id);
      judge(one);
      if (random_.one_in(2))
        one.session->drop_waiting();
      connect(id);
      break;
    case 1: leave(id, room); break;
    case 2:
    case 3:
    case 4: come(id, room); break;
    case 5:
    case 6: answer(one, 'a' + std::to_string(++one.answers_sent) + ';'); break;
    case 7:
    case 8:
    case 9: members.flush(); break;
    case 10: one.session->is_full = random_.one_in(2); break;
    case 11:
      change(random_.one_in(4)   ? slow_consumers::disconnect
             : random_.one_in(2) ? slow_consumers::latest
                                 : slow_consumers::drop_oldest);
      break;
    case 12:
      if (random_.one_in(5))
        members.let_go_kept();
      break;
    case 13:
      if (random_.one_in(3))
        one.session->take_all();
      break;
    case 14:
    case 15:
    case 16:
      if (one.session->has_waiting())
        one.session->take();
      break;
    case 17:
      if (random_.one_in(3))
        begin_epoch(room);
      break;
    default: publish(room); break;
    }
    judge(one);
  }

  /// Everybody reads: who is still in a room has its end.
  void finish() {
    members.flush();
    for (auto& [id, one] : clients_) {
      one.session->is_full = false;
      one.session->take_all();
    }
    members.flush();
    for (auto& [id, one] : clients_) {
      one.session->take_all();
      judge(one);
      ASSERT_EQ(one.answers_got, one.answers_sent) << "client " << id;
      for (const auto& [room, next] : one.next) {
        if (next) {
          ASSERT_EQ(*next, offsets[room] + 1) << "client " << id << ", room " << room;
        }
      }
    }
    ASSERT_EQ(held(), 0U) << "nobody waits for it";
  }

  [[nodiscard]] std::uint64_t lost_of_all() const {
    return lost(net::slow_loss::latest) + lost(net::slow_loss::drop_oldest);
  }

private:
  struct client {
    test::fake_session_ptr session;
    std::map<room_id, std::optional<std::uint64_t>>
      next; // offset that is due; none: it is told of none
    std::map<room_id, bool> is_in;
    std::size_t judged = 0;
    int answers_sent = 0;
    int answers_got = 0;
  };

  void connect(connection_id id) {
    auto& one = clients_[id] = client{};
    one.session = test::make_fake_session();
    one.session->open();
    members.attach(id, one.session);
  }

  void answer(client& to, const std::string& text) {
    const auto frame = context.buffers.make(text);
    to.session->send(frame, 0, frame->size());
  }

  /// What it is told of coming and going stands where it happens.
  void come(connection_id id, room_id room) {
    auto& one = clients_[id];
    if (one.is_in[room])
      return;
    answer(one, '+' + std::to_string(room) + ':' + std::to_string(offsets[room]) + ';');
    add_member request{room, id, &format_, {}};
    request.room_name = std::to_string(room);
    members.add(request);
    one.is_in[room] = true;
  }

  void leave(connection_id id, room_id room) {
    auto& one = clients_[id];
    members.leave(room, id, 0);
    if (std::exchange(one.is_in[room], false))
      answer(one, '-' + std::to_string(room) + ":0;");
  }

  void publish(room_id room) { deliver(room, std::string(random_.roll<std::size_t>(0, 300), '.')); }

  /// Its offsets are above all that were, so that they tell which epoch they are of.
  void begin_epoch(room_id room) {
    const auto before = offsets[room];
    offsets[room] += 1000;
    ended_at_[{room, offsets[room]}] = before;
    members.tell_break({room, std::to_string(room), {"epoch", offsets[room]}, random_.one_in(3)});
  }

  void judge(client& one) {
    auto rest = std::string_view{one.session->got}.substr(one.judged);
    one.judged = one.session->got.size();
    while (!rest.empty()) {
      const auto end = rest.find(';');
      ASSERT_NE(end, std::string_view::npos);
      judge(one, rest.substr(0, end));
      if (testing::Test::HasFatalFailure())
        return;
      rest.remove_prefix(end + 1);
    }
  }

  void judge(client& one, std::string_view word) {
    SCOPED_TRACE(std::string{word});
    const char kind = word.front();
    if (kind == 'a') {
      ASSERT_EQ(std::stoi(std::string{word.substr(1)}), ++one.answers_got) << "lost, or overtaken";
      return;
    }
    const bool is_sign = kind == '+' || kind == '-' || kind == '!' || kind == '|';
    if (is_sign)
      word.remove_prefix(1);
    const auto room = static_cast<room_id>(std::stoul(std::string{word}));
    const auto offset = std::stoull(std::string{word.substr(word.find(':') + 1)});
    auto& next = one.next[room];
    if (kind == '+') {
      next = offset + 1;
    } else if (kind == '-') {
      next.reset();
    } else {
      ASSERT_TRUE(next) << "it is not in that room";
      if (kind == '!') {
        ASSERT_GE(offset, *next) << "nothing is lost";
      } else if (kind == '|') {
        ASSERT_EQ(ended_at_.at({room, offset}) + 1, *next) << "something is missing";
      } else {
        ASSERT_EQ(offset, *next) << "a gap that it was not told of, or a double";
      }
      next = offset + 1;
    }
  }

  test::dice random_;
  offsets_protocol language_;
  net::wire_format format_{language_, net::websocket_framing()};
  std::map<connection_id, client> clients_;
  std::map<std::pair<room_id, std::uint64_t>, std::uint64_t> ended_at_; // by where the next began
};

TEST(slow_members, lose_nothing_in_silence_and_get_the_rest_once_and_in_order) {
  const auto seed = test::random_seed();
  std::uint64_t lost = 0;
  for (std::uint32_t round = 0; round < 300; ++round) {
    SCOPED_TRACE(seed + round);
    world all{seed + round};
    for (int i = 0; i < 600 && !testing::Test::HasFatalFailure(); ++i)
      all.step();
    if (!testing::Test::HasFatalFailure())
      all.finish();
    if (testing::Test::HasFatalFailure())
      return;
    lost += all.lost_of_all();
  }
  EXPECT_GT(lost, 1000U);
}

} // namespace
} // namespace canang::actors
