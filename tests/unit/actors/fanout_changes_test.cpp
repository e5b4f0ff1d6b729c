#include "net/limits.hpp"
#include "tests/unit/support/change_protocol.hpp"
#include "tests/unit/support/fanout_fixture.hpp"
#include "tests/unit/support/seed.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::actors {
namespace {

/// What a turn brings is one message.
class one_a_turn final : public net::framing {
public:
  void append(std::string&, net::frame_type, std::string_view) const override {}
  const framing& of_turn() const noexcept override { return net::websocket_framing(); }
};

const net::framing& batches() {
  static const one_a_turn instance;
  return instance;
}

using test::fake_session_ptr;
using test::room_a;
using test::room_b;

struct fanout_changes : test::fanout_fixture {
  test::change_protocol language;
  net::wire_format format{language, net::websocket_framing()};
  net::wire_format other{language, batches()};

  void turn(room_id room, std::string data) {
    deliver(room, std::move(data));
    members.flush();
  }

  void come_and_go(room_id room) {
    auto moved = std::make_shared<cluster::publication>();
    moved->data = "{}";
    moved->kind = cluster::publication_kind::joined;
    members.deliver(room, moved);
  }

  /// What it got since this was asked last.
  static std::string news(const fake_session_ptr& session) {
    return std::exchange(session->got, {});
  }

  fake_session_ptr come(room_id room, connection_id id, std::vector<std::string> recovered = {}) {
    auto session = attach(id);
    session->open();
    add(room, id, format, std::move(recovered));
    return session;
  }

  std::uint64_t held() const { return context.metrics.outbox_memory_bytes.value(); }
};

TEST_F(fanout_changes, tell_the_first_whole_and_each_next_one_as_a_change) {
  const auto a = come(room_a, 1);
  const auto b = come(room_a, 2);
  EXPECT_EQ(news(a), "{}");
  news(b);
  turn(room_a, "1");
  turn(room_a, "2");
  deliver(room_a, "3");
  deliver(room_a, "4");
  members.flush();
  EXPECT_EQ(news(a), "<1>[1>2][2>3][3>4]");
  EXPECT_EQ(news(b), "<1>[1>2][2>3][3>4]");
  EXPECT_EQ(language.encoded_changes, 3) << "once for all members";
}

TEST_F(fanout_changes, tell_a_newcomer_all_of_its_first_turn_whole) {
  const auto a = come(room_a, 1);
  turn(room_a, "1");
  const auto b = come(room_a, 2);
  news(b);
  deliver(room_a, "2");
  deliver(room_a, "3");
  members.flush();
  turn(room_a, "4");
  EXPECT_EQ(news(a), "{}<1>[1>2][2>3][3>4]");
  EXPECT_EQ(news(b), "<2><3>[3>4]");
}

TEST_F(fanout_changes, reach_one_that_comes_within_a_turn) {
  const auto a = come(room_a, 1);
  deliver(room_a, "1");
  const auto b = come(room_a, 2);
  deliver(room_a, "2");
  const auto c = come(room_a, 3);
  members.flush();
  turn(room_a, "3");
  EXPECT_EQ(news(a), "{}<1>[1>2][2>3]");
  EXPECT_EQ(news(b), "{}<2>[2>3]");
  EXPECT_EQ(news(c), "{}<3>");
  turn(room_a, "4");
  EXPECT_EQ(news(c), "[3>4]");
}

TEST_F(fanout_changes, go_on_behind_what_was_recovered) {
  const auto a = come(room_a, 1, {"1", "2", "!3"});
  turn(room_a, "4");
  EXPECT_EQ(news(a), "{<1>[1>2]<!3>}[!3>4]");
  const auto b = come(room_a, 2, {"4"});
  const auto c = come(room_a, 3, {"3"});
  turn(room_a, "5");
  EXPECT_EQ(news(a), "[4>5]");
  EXPECT_EQ(news(b), "{<4>}[4>5]");
  EXPECT_EQ(news(c), "{<3>}<5>") << "it has something else than the others";
  turn(room_a, "6");
  EXPECT_EQ(news(c), "[5>6]");
}

TEST_F(fanout_changes, are_not_of_what_one_that_recovered_has_not) {
  const auto a = come(room_a, 1);
  deliver(room_a, "skips the history");
  const auto b = come(room_a, 2, {"1"});
  turn(room_a, "2");
  EXPECT_EQ(news(a), "{}<skips the history>[skips the history>2]");
  EXPECT_EQ(news(b), "{<1>}<2>");
}

TEST_F(fanout_changes, are_not_of_what_one_was_told_who_has_gone) {
  const auto stays = join(room_a, 8); // of a format without changes, so that the room stays
  const auto gone = come(room_a, 1);
  deliver(room_a, "1");
  members.leave(room_a, 1, 0); // within the turn
  members.flush();
  const auto b = come(room_a, 2);
  const auto c = come(room_a, 3, {"1"});
  come_and_go(room_a);
  members.flush(); // a turn without a message
  turn(room_a, "2");
  EXPECT_EQ(news(b), "{}<2>");
  EXPECT_EQ(news(c), "{<1>}[1>2]");
}

TEST_F(fanout_changes, are_not_told_of_who_comes_and_goes) {
  const auto a = come(room_a, 1);
  come_and_go(room_a);
  members.flush();
  turn(room_a, "1");
  come_and_go(room_a);
  turn(room_a, "2");
  EXPECT_EQ(news(a), "{}<1>[1>2]");
}

TEST_F(fanout_changes, leave_all_others_as_they_are) {
  const auto a = come(room_a, 1);
  const auto plain = join(room_a, 2);
  const auto b = attach(3);
  add(room_a, 3, other);
  turn(room_a, "1");
  turn(room_a, "2");
  EXPECT_EQ(news(a), "{}<1>[1>2]");
  EXPECT_EQ(news(plain), "<1><2>");
  members.leave(room_a, 1, 0);
  turn(room_a, "3");
  EXPECT_EQ(news(plain), "<3>");
  EXPECT_EQ(news(a), "");
}

TEST_F(fanout_changes, stop_where_a_payload_is_too_large) {
  const auto a = come(room_a, 1);
  const std::string most(net::max_change_bytes, 'x');
  turn(room_a, most);
  turn(room_a, "1");
  EXPECT_EQ(news(a), "{}<" + most + ">[" + most + ">1]");
  turn(room_a, most + "x");
  EXPECT_LT(held(), net::max_change_bytes) << "it is not held";
  turn(room_a, "2");
  turn(room_a, "3");
  EXPECT_EQ(news(a), "<" + most + "x><2>[2>3]");
}

TEST_F(fanout_changes, begin_anew_when_memory_was_short) {
  const auto a = come(room_a, 1);
  turn(room_a, "1");
  EXPECT_GT(held(), 0U);
  members.let_go_kept();
  EXPECT_EQ(held(), 0U);
  const auto b = come(room_a, 2, {"1"});
  turn(room_a, "2");
  turn(room_a, "3");
  EXPECT_EQ(news(a), "{}<1><2>[2>3]");
  EXPECT_EQ(news(b), "{<1>}<2>[2>3]");
}

TEST_F(fanout_changes, hold_nothing_for_rooms_where_nobody_wants_them) {
  join(room_a, 1);
  turn(room_a, "1");
  EXPECT_EQ(held(), 0U);
  const auto b = come(room_a, 2);
  turn(room_a, "2");
  EXPECT_GT(held(), 0U);
  members.leave(room_a, 2, 0);
  EXPECT_EQ(held(), 0U);
  turn(room_a, "3");
  EXPECT_EQ(held(), 0U);
  come(room_b, 3);
  turn(room_b, "4");
  members.detach(3);
  EXPECT_EQ(held(), 0U);
}

/// Rooms with members that come, with something recovered or not, and go, while publications come of which some are
/// large, or are no messages. Each member must be able to make of what it is told what all others have.
class world {
public:
  explicit world(std::uint32_t seed) : random_(seed) {}

  void step() {
    const auto room = random_.roll<room_id>(101, 102);
    switch (random_.roll(0, 12)) {
    case 0:
    case 1: come(room); break;
    case 2: go(); break;
    case 3:
    case 4: members_.flush(); break;
    case 5:
      if (random_.one_in(5))
        members_.let_go_kept();
      break;
    default: deliver(room); break;
    }
  }

  void check() {
    members_.flush();
    for (const auto& one : clients_)
      check(*one);
    EXPECT_GT(told_changes_, 0U);
  }

  void end() {
    for (connection_id id = 1; id <= clients_.size(); ++id)
      members_.detach(id);
    members_.on_tick(net::loop_context::clock::now() + 2 * net::join_piece_ttl); // forgets pages
    EXPECT_EQ(context_.metrics.outbox_memory_bytes.value(), 0U);
  }

private:
  struct client {
    room_id room = 0;
    test::fake_session_ptr session;
    std::vector<std::string> expected;
    bool is_here = true;
  };

  cluster::publication_ptr message(std::string data) {
    auto made = std::make_shared<cluster::publication>();
    made->data = std::move(data);
    made->received_at = net::loop_context::clock::now();
    return made;
  }

  void come(room_id room) {
    auto& one = *clients_.emplace_back(std::make_unique<client>());
    one.room = room;
    one.session = test::make_fake_session();
    one.session->open();
    const auto id = clients_.size();
    members_.attach(id, one.session);
    add_member request{room, id, random_.one_in(2) ? &format_ : &other_, {}};
    auto& kept = kept_[room];
    const auto from = random_.roll<std::size_t>(0, kept.size());
    if (random_.one_in(2))
      for (auto i = from; i < kept.size(); ++i)
        request.recovered.push_back(kept[i]);
    for (const auto& was : request.recovered)
      one.expected.push_back(was->data);
    members_.add(request);
  }

  void go() {
    if (clients_.empty())
      return;
    const auto id = random_.roll<connection_id>(1, clients_.size());
    auto& one = *clients_[id - 1];
    if (!one.is_here)
      return;
    members_.flush();
    members_.leave(one.room, id, 0);
    one.is_here = false;
  }

  void deliver(room_id room) {
    auto data = std::to_string(++last_);
    if (random_.one_in(10))
      data.insert(0, "!");
    if (random_.one_in(40))
      data.append(net::max_change_bytes, '.');
    if (random_.one_in(5))
      data = "again";
    const auto one = message(data);
    members_.deliver(room, one);
    if (random_.one_in(10)) { // of which nobody hears
      auto moved = std::make_shared<cluster::publication>();
      moved->kind = cluster::publication_kind::left;
      members_.deliver(room, moved);
    }
    for (const auto& to : clients_)
      if (to->is_here && to->room == room)
        to->expected.push_back(data);
    if (!random_.one_in(8)) // else it skips the history
      kept_[room].push_back(one);
    if (kept_[room].size() > 5)
      kept_[room].erase(kept_[room].begin());
  }

  void check(const client& one) {
    std::vector<std::string> got;
    std::string_view rest = one.session->got;
    while (!rest.empty()) {
      const auto mark = rest.front();
      rest.remove_prefix(1);
      if (mark == '{' || mark == '}')
        continue;
      ASSERT_TRUE(mark == '<' || mark == '[') << mark;
      const auto end = rest.find(mark == '<' ? '>' : ']');
      ASSERT_NE(end, std::string_view::npos);
      auto said = rest.substr(0, end);
      rest.remove_prefix(end + 1);
      if (mark == '[') {
        ++told_changes_;
        ASSERT_FALSE(got.empty());
        ASSERT_EQ(said.substr(0, said.find('>')), got.back()) << "a change of what it has";
        said.remove_prefix(said.find('>') + 1);
      }
      got.emplace_back(said);
    }
    ASSERT_EQ(got, one.expected);
  }

  test::dice random_;
  test::change_protocol language_;
  net::wire_format format_{language_, net::websocket_framing()};
  net::wire_format other_{language_, batches()};
  net::loop_context context_{{}};
  fanout members_{context_};
  std::vector<std::unique_ptr<client>> clients_;
  std::map<room_id, std::vector<cluster::publication_ptr>> kept_;
  std::size_t told_changes_ = 0;
  int last_ = 0;
};

TEST(fanout_changes_model, each_member_can_make_of_them_what_all_others_have) {
  const auto seed = test::random_seed();
  for (std::uint32_t round = 0; round < 100 && !testing::Test::HasFailure(); ++round) {
    SCOPED_TRACE(seed + round);
    world all{seed + round};
    for (int i = 0; i < 400; ++i)
      all.step();
    all.check();
    all.end();
  }
}

} // namespace
} // namespace canang::actors
