// One write a session and turn, also over many rooms: counted where the kernel takes them.

#include "net/protocol/plain.hpp"
#include "tests/unit/support/fanout_fixture.hpp"

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace canang::actors {
namespace {

using test::brackets;
using test::room_a;
using test::room_b;

/// A socket that keeps what each system call wrote apart from the others, and may be written to right away.
class counted_socket {
public:
  explicit counted_socket(net::send_lanes& lanes) : lanes_(lanes), lane_(lanes.acquire()) {
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends_.data()), 0);
    lanes_.clear(lane_, ends_[0]);
  }
  counted_socket(const counted_socket&) = delete;
  counted_socket& operator=(const counted_socket&) = delete;
  ~counted_socket() {
    lanes_.release(lane_);
    for (const auto end : ends_)
      ::close(end);
  }

  [[nodiscard]] std::uint32_t lane() const { return lane_; }

  /// What each call wrote since the last time.
  [[nodiscard]] std::vector<std::string> calls() const {
    std::vector<std::string> all;
    std::string bytes(1U << 18U, '\0');
    for (;;) {
      const auto size = ::recv(ends_[1], bytes.data(), bytes.size(), 0);
      if (size <= 0)
        return all;
      all.push_back(bytes.substr(0, static_cast<std::size_t>(size)));
    }
  }

private:
  net::send_lanes& lanes_;
  std::uint32_t lane_;
  std::array<int, 2> ends_{};
};

using calls = std::vector<std::string>;

struct turn_slices_test : test::fanout_fixture {
  /// A session that the fan-out writes to directly.
  test::fake_session_ptr attach_direct(connection_id id, const counted_socket& socket) {
    auto session = test::make_fake_session();
    session->lane_number = socket.lane();
    members.attach(id, session);
    return session;
  }
};

TEST_F(turn_slices_test, write_a_session_of_many_rooms_once_a_turn) {
  const counted_socket one{context.lanes};
  const counted_socket other{context.lanes};
  const auto session = attach_direct(1, one);
  attach_direct(2, other);
  constexpr room_id rooms = 10;
  for (room_id room = 1; room <= rooms; ++room)
    add(room, 1);
  add(3, 2);
  for (int turn = 0; turn < 3; ++turn) {
    for (room_id room = 1; room <= rooms; ++room) {
      deliver(room, "a" + std::to_string(room));
      deliver(room, "b" + std::to_string(room));
    }
    EXPECT_TRUE(one.calls().empty()) << "not before the turn ends";
    members.flush();
    std::string all;
    for (room_id room = 1; room <= rooms; ++room)
      all += "<a" + std::to_string(room) + "><b" + std::to_string(room) + ">";
    EXPECT_EQ(one.calls(), calls{all}) << "one system call";
    EXPECT_EQ(other.calls(), calls{"<a3><b3>"});
  }
  EXPECT_TRUE(session->sends.empty()) << "the session need not be touched";
  EXPECT_EQ(context.metrics.deliveries_total.value(), 3U * (2 * rooms + 2));
  EXPECT_EQ(context.metrics.sent_bytes_total.value(), 3U * (2 * (9 * 4 + 5) + 8));
}

TEST_F(turn_slices_test, write_as_many_rooms_as_one_may_be_in_with_one_call) {
  const counted_socket one{context.lanes};
  attach_direct(1, one);
  const auto most = net::session_limits{}.max_rooms_per_connection;
  for (room_id room = 1; room <= most; ++room)
    add(room, 1);
  for (room_id room = 1; room <= most; ++room)
    deliver(room, "x");
  members.flush();
  EXPECT_EQ(one.calls().size(), 1U);
  EXPECT_EQ(context.metrics.deliveries_total.value(), most);
}

TEST_F(turn_slices_test, are_not_needed_before_a_second_room_nor_after_it_is_left) {
  const counted_socket one{context.lanes};
  attach_direct(1, one);
  add(room_a, 1);
  deliver(room_a, "1");
  members.flush();
  add(room_b, 1);
  deliver(room_a, "2");
  deliver(room_b, "3");
  members.flush();
  members.leave(room_a, 1, 0);
  deliver(room_a, "4");
  deliver(room_b, "5");
  members.flush();
  EXPECT_EQ(one.calls(), (calls{"<1>", "<2><3>", "<5>"}));
  members.detach(1);
}

TEST_F(turn_slices_test, keep_the_order_of_a_room_when_its_buffer_is_full_before_the_turn_ends) {
  const auto a = attach(1);
  add(room_a, 1);
  add(room_b, 1);
  deliver(room_a, "1");
  deliver(room_b, "2");
  deliver(room_a, std::string(net::max_turn_buffer_bytes, 'x'));
  EXPECT_TRUE(a->got.ends_with("x>")) << "at once";
  deliver(room_a, "3");
  members.flush();
  EXPECT_TRUE(a->got.starts_with("<1><xx"));
  EXPECT_TRUE(a->got.ends_with("x><2><3>") || a->got.ends_with("x><3><2>"));
  EXPECT_EQ(a->writes, 2U);
}

TEST_F(turn_slices_test, leave_out_what_a_member_of_many_rooms_sent_itself) {
  const auto a = attach(1);
  add(room_a, 1);
  add(room_b, 1);
  deliver(room_a, "1");
  deliver(room_a, "own", 1, false);
  deliver(room_a, "2");
  deliver(room_b, "3");
  members.flush();
  EXPECT_EQ(a->got, "<1><2><3>");
  EXPECT_EQ(a->writes, 1U) << "runs of frames, in one write";
}

TEST_F(turn_slices_test, count_what_a_session_does_not_take) {
  const auto slow = attach(1);
  for (const auto room : {room_a, room_b, room_id{3}})
    add(room, 1);
  slow->takes_bytes = 7;
  deliver(room_a, "1");
  deliver(room_b, "2");
  deliver(room_b, "3");
  deliver(3, "4");
  members.flush();
  EXPECT_EQ(slow->got, "<1>");
  EXPECT_EQ(slow->close_codes, std::vector<std::uint16_t>{1008});
  EXPECT_EQ(context.metrics.deliveries_total.value(), 1U);
  EXPECT_EQ(context.metrics.messages_dropped_total.value(), 3U);
}

/// A socket whose buffer is nearly full takes a part of what is written at once.
TEST_F(turn_slices_test, hand_the_rest_to_the_session_when_the_socket_takes_a_part) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
  const auto session = test::make_fake_session();
  session->lane_number = context.lanes.acquire();
  context.lanes.clear(session->lane_number, ends[0]);
  members.attach(1, session);
  constexpr room_id rooms = 40;
  std::string all;
  for (room_id room = 1; room <= rooms; ++room)
    add(room, 1);
  for (room_id room = 1; room <= rooms; ++room) {
    const std::string data(20'000, static_cast<char>('a' + room % 26));
    all += '<' + data + '>';
    deliver(room, data);
  }
  members.flush();
  std::string taken(all.size(), '\0');
  const auto size = ::recv(ends[1], taken.data(), taken.size(), 0);
  ASSERT_GT(size, 0);
  taken.resize(static_cast<std::size_t>(size));
  ASSERT_LT(taken.size(), all.size()) << "the kernel takes all of it: the test needs more";
  EXPECT_TRUE(taken + session->got == all) << taken.size() << " and " << session->got.size();
  EXPECT_EQ(context.metrics.deliveries_total.value(), rooms);
  for (const auto end : ends)
    ::close(end);
}

} // namespace
} // namespace canang::actors
