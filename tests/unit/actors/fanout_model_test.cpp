#include "actors/fanout.hpp"
#include "net/protocol/plain.hpp"
#include "tests/unit/support/bracket_protocol.hpp"
#include "tests/unit/support/fake_session.hpp"
#include "tests/unit/support/seed.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace canang::actors {
namespace {

/// Sequence numbers of the publications that a session has, or is to have, by room.
using streams = std::map<room_id, std::vector<int>>;

/// Random joins, leaves, deliveries and flushes against a model that keeps a list a member. Each
/// publication says its room and number, so that each session's bytes can be read again.
class world {
public:
  explicit world(std::uint32_t seed) : random_(seed) {
    for (connection_id id = 1; id <= 12; ++id)
      connect(id);
  }

  void step() {
    const auto id = random_.roll<connection_id>(1, 12);
    const auto room = random_.roll<room_id>(101, 104);
    switch (random_.roll(0, 20)) {
    case 0:
      members_.detach(id);
      clients_[id].rooms.clear();
      finished_.push_back(std::move(clients_[id]));
      connect(id);
      break;
    case 1:
    case 2:
      members_.leave(room, id, 0);
      clients_[id].rooms.erase(room);
      break;
    case 3:
    case 4:
    case 5: join(id, room); break;
    case 6:
    case 7: end_turn(); break;
    default: deliver(id, room); break;
    }
  }

  void check() {
    end_turn();
    for (const auto& [id, one] : clients_)
      check(one);
    for (const auto& one : finished_)
      check(one);
  }

private:
  /// One write for each session, however many rooms it is in. Two sorts of those that are in one room are written
  /// in pieces, as they were before there were several: publishers without echo, and who joined in the turn.
  void end_turn() {
    std::map<connection_id, std::size_t> before;
    for (const auto& [id, one] : clients_)
      before[id] = one.session->writes;
    members_.flush();
    for (const auto& [id, one] : clients_)
      if (one.rooms.size() > 1) {
        EXPECT_LE(one.session->writes - before[id], 1U) << "client " << id;
      }
    for (room_id each = 101; each <= 104; ++each)
      flushed(each);
  }

  struct client {
    test::fake_session_ptr session;
    const net::wire_format* format = nullptr;
    std::map<room_id, std::vector<int>> rooms; // what waits for the end of the turn
    streams expected;
  };

  void connect(connection_id id) {
    auto& one = clients_[id] = client{};
    one.session = test::make_fake_session();
    if (random_.one_in(5))
      one.session->takes_bytes = random_.roll<std::size_t>(0, 3000);
    one.format = random_.one_in(2) ? &test::brackets() : &net::plain_format();
    members_.attach(id, one.session);
  }

  cluster::publication_ptr publication(room_id room, connection_id publisher, bool echo) {
    auto message = std::make_shared<cluster::publication>();
    message->data = std::to_string(room) + ':' + std::to_string(++last_) + ';';
    // now and then one that fills a turn's buffer
    message->data.append(random_.one_in(40) ? random_.roll<std::size_t>(10'000, 150'000)
                                            : random_.roll<std::size_t>(0, 200),
                         '.');
    message->publisher = publisher;
    message->echo = echo;
    message->type = random_.one_in(2) ? cluster::payload_type::text : cluster::payload_type::binary;
    sent_[last_] = message;
    return message;
  }

  void join(connection_id id, room_id room) {
    auto& one = clients_[id];
    if (one.rooms.count(room) > 0)
      return;
    add_member request{room, id, one.format, {}};
    for (int i = random_.roll(-3, 3); i > 0; --i) {
      request.recovered.push_back(publication(room, 0, true));
      one.expected[room].push_back(last_);
    }
    members_.add(request);
    one.rooms[room];
  }

  void deliver(connection_id publisher, room_id room) {
    const bool echo = random_.one_in(2);
    const auto before = taken();
    members_.deliver(room, publication(room, publisher, echo));
    for (auto& [id, one] : clients_)
      if (one.rooms.count(room) > 0 && (echo || id != publisher))
        one.rooms[room].push_back(last_);
    if (taken() != before)
      flushed(room); // early; that it comes when it should is tested elsewhere
  }

  std::size_t taken() const {
    std::size_t sum = 0;
    for (const auto& [id, one] : clients_)
      sum += one.session->got.size() + one.session->close_codes.size();
    return sum;
  }

  void flushed(room_id room) {
    for (auto& [id, one] : clients_) {
      if (const auto found = one.rooms.find(room); found != one.rooms.end()) {
        auto& all = one.expected[room];
        all.insert(all.end(), found->second.begin(), found->second.end());
        found->second.clear();
      }
    }
  }

  /// Bytes before the data of the frame at the front of `frames`.
  static std::size_t header_size(const net::wire_format& format, std::string_view frames) {
    if (&format == &test::brackets())
      return 1;
    return frames.at(1) == 127 ? 10 : frames.at(1) == 126 ? 4 : 2;
  }

  /// Reads a session's bytes frame by frame, which have to be exactly what its protocol makes of the
  /// publications.
  void check(const client& one) {
    streams got;
    std::string_view rest = one.session->got;
    while (!rest.empty()) {
      const auto data = rest.substr(header_size(*one.format, rest));
      const auto colon = data.find(':');
      ASSERT_EQ(colon, 3U);
      const int number = std::stoi(std::string{data.substr(colon + 1, 12)});
      ASSERT_EQ(sent_.count(number), 1U);
      const auto& message = *sent_[number];
      std::string frame;
      one.format->encode({message.type == cluster::payload_type::text ? net::frame_type::text
                                                                      : net::frame_type::binary,
                          message.data},
                         frame);
      ASSERT_TRUE(rest.starts_with(frame)) << "publication " << number;
      rest.remove_prefix(frame.size());
      got[std::stoul(message.data)].push_back(number);
    }
    const bool is_whole = one.session->close_codes.empty();
    for (const auto& [room, expected] : one.expected) {
      auto& numbers = got[room];
      if (is_whole) {
        ASSERT_EQ(numbers, expected);
      } else { // a slow one has a beginning
        ASSERT_LE(numbers.size(), expected.size());
        ASSERT_TRUE(std::equal(numbers.begin(), numbers.end(), expected.begin()));
      }
      got.erase(room);
    }
    ASSERT_TRUE(got.empty()) << "publications of rooms where it was no member";
  }

  test::dice random_;
  net::loop_context context_{{}};
  fanout members_{context_};
  std::map<connection_id, client> clients_;
  std::vector<client> finished_;
  std::map<int, cluster::publication_ptr> sent_;
  int last_ = 0;
};

TEST(fanout, agrees_with_a_plain_model) {
  const auto seed = test::random_seed();
  for (std::uint32_t round = 0; round < 60; ++round) {
    SCOPED_TRACE(seed + round);
    world all{seed + round};
    for (int i = 0; i < 500; ++i)
      all.step();
    all.check();
    if (testing::Test::HasFatalFailure())
      return;
  }
}

} // namespace
} // namespace canang::actors
