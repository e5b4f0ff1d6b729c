#include "net/stream/room_ids_layer.hpp"

#include "net/limits.hpp"
#include "tests/unit/support/seed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

namespace canang::net {
namespace {

/// What is below the layer: takes so many bytes at a time.
class narrow_place final : public byte_layer {
public:
  explicit narrow_place(std::string& out) : out_(out) {}

  read_result read(int, std::span<char>) override { return {.size = 0}; }
  std::ptrdiff_t write(int, const iovec* pieces, std::size_t count) override {
    if (fault != 0)
      return fault;
    std::size_t taken = 0;
    for (std::size_t i = 0; i < count && taken < room; ++i) {
      const auto size = std::min(room - taken, pieces[i].iov_len);
      out_.append(static_cast<const char*>(pieces[i].iov_base), size);
      taken += size;
    }
    room -= taken;
    wire_bytes += taken;
    return taken == 0 ? -EAGAIN : static_cast<std::ptrdiff_t>(taken);
  }
  int flush(int) override { return 0; }
  bool holds_output() const noexcept override { return false; }
  std::size_t held_bytes() const noexcept override { return 0; }
  std::size_t take_wire_bytes() noexcept override { return std::exchange(wire_bytes, 0); }

  std::size_t room = 0;
  std::size_t wire_bytes = 0;
  int fault = 0;

private:
  std::string& out_;
};

struct room_ids_layer_test : testing::Test {
  std::string out;
  narrow_place* below = nullptr;
  std::unique_ptr<room_ids_layer> layer;

  void make(std::vector<room_ids_layer::room> rooms) {
    auto place = std::make_unique<narrow_place>(out);
    below = place.get();
    layer = std::make_unique<room_ids_layer>(std::move(rooms), std::move(place));
  }

  std::ptrdiff_t write(std::string_view bytes) {
    const iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
    return layer->write(-1, &piece, 1);
  }
};

TEST_F(room_ids_layer_test, makes_the_same_however_the_bytes_are_cut) {
  std::string in;
  std::string expected;
  std::string at_a = "p:1";
  for (int i = 2; i < 40; ++i) {
    at_a = "p:" + std::to_string(i);
    in += "event: x\nid: a=" + at_a + "\ndata: id: a=1\ndata: i\ndata: \n\n:\n\nid: nobody\n\n";
    expected += "event: x\nid: a=" + at_a
                + ",b%20=q:1\ndata: id: a=1\ndata: i\ndata: \n\n:\n\n"
                  "id: a="
                + at_a + ",b%20=q:1\n\n";
  }
  test::dice dice{test::random_seed()};
  for (int round = 0; round < 200; ++round) {
    out.clear();
    make({{"a", "p:1"}, {"b%20", "q:1"}});
    std::string_view left = in;
    while (!left.empty() || layer->holds_output()) {
      below->room = dice.roll<std::size_t>(0, 300);
      const auto size = dice.roll<std::size_t>(0, 100);
      const auto taken = write(left.substr(0, size));
      ASSERT_GE(taken, 0);
      left.remove_prefix(static_cast<std::size_t>(taken));
    }
    ASSERT_EQ(out, expected);
  }
}

TEST_F(room_ids_layer_test, holds_little_of_what_is_not_taken_below) {
  make({{std::string(3000, 'r'), "p:1"}, {"a"}});
  std::string in;
  for (int i = 0; i < 10'000; ++i)
    in += "id: a=p:" + std::to_string(i) + "\ndata: 1\n\n";
  const auto taken = write(in);
  EXPECT_TRUE(layer->holds_output());
  EXPECT_LT(taken, 300) << "what would make more than it may hold is not taken";
  EXPECT_EQ(write(std::string_view{in}.substr(static_cast<std::size_t>(taken))), 0);
  EXPECT_LT(layer->held_bytes(), max_stream_piece_bytes + 4096);
  EXPECT_GT(layer->held_bytes(), max_stream_piece_bytes / 2);
  below->room = 1 << 20U;
  EXPECT_EQ(layer->flush(-1), 0);
  EXPECT_FALSE(layer->holds_output());
  EXPECT_LT(out.size(), max_stream_piece_bytes + 4096);
}

TEST_F(room_ids_layer_test, takes_a_long_line_in_pieces) {
  make({{"a"}, {"b"}});
  const auto in = "id: a=p:1\ndata: " + std::string(100'000, 'd') + "\n\n";
  EXPECT_LT(write(in), 40'000);
  EXPECT_TRUE(layer->holds_output());
  EXPECT_LE(layer->held_bytes(), max_stream_piece_bytes);
}

/// An EventSource keeps the last id.
TEST_F(room_ids_layer_test, says_nothing_twice) {
  make({{"a", "p:1"}, {"b", "q:1"}});
  below->room = 1000;
  EXPECT_GT(write("id: a=p:1\ndata: 1\n\nid: b=q:1\ndata: 2\n\nid: b=q:2\ndata: 3\n\n"
                  "id: b=q:2\ndata: 4\n\nid: a=p:1\ndata: 5\n\n"),
            0);
  EXPECT_EQ(out, "id: a=p:1,b=q:1\ndata: 1\n\ndata: 2\n\nid: a=p:1,b=q:2\ndata: 3\n\n"
                 "data: 4\n\ndata: 5\n\n");
  EXPECT_EQ(layer->take_wire_bytes(), out.size()) << "not what it took";
  EXPECT_EQ(layer->take_wire_bytes(), 0U);
}

TEST_F(room_ids_layer_test, tells_of_faults_below) {
  make({{"a"}});
  write("data: 1\n\n");
  ASSERT_TRUE(layer->holds_output());
  below->fault = -EPIPE;
  EXPECT_EQ(layer->flush(-1), -EPIPE);
  EXPECT_EQ(write("data: 2\n\n"), -EPIPE);
}

} // namespace
} // namespace canang::net
