// Whatever one call of a script touches lies in one slot of a Redis Cluster, as seen on a real redis-server.

#include "cluster/rooms/room_scripts.hpp"
#include "tests/unit/support/presence_fixture.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace canang::cluster {
namespace {

/// CRC16 as Redis Cluster has it (XMODEM), of what stands in the first braces.
unsigned slot_of(std::string_view key) {
  if (const auto open = key.find('{'); open != std::string_view::npos)
    if (const auto close = key.find('}', open); close != std::string_view::npos && close > open + 1)
      key = key.substr(open + 1, close - open - 1);
  unsigned crc = 0;
  for (const char c : key) {
    crc ^= static_cast<unsigned>(static_cast<unsigned char>(c)) << 8U;
    for (int bit = 0; bit < 8; ++bit)
      crc = ((crc & 0x8000U) != 0 ? (crc << 1U) ^ 0x1021U : crc << 1U) & 0xFFFFU;
  }
  return crc % 16384;
}

/// The words of a line of MONITOR; as far as they matter here, escapes stay as they are.
std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  bool is_inside = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') {
      is_inside = !is_inside;
      if (is_inside)
        words.emplace_back();
    } else if (is_inside) {
      words.back() += line[i];
      if (line[i] == '\\')
        words.back() += line[++i];
    }
  }
  return words;
}

/// Reads all that a Redis is told, on the io_context of the test.
class monitor {
public:
  monitor(boost::asio::io_context& io, std::uint16_t port) : socket_(io) {
    socket_.connect({boost::asio::ip::address_v4::loopback(), port});
    boost::asio::write(socket_, boost::asio::buffer(std::string_view{"MONITOR\r\n"}));
    read();
  }

  std::string text;

private:
  void read() {
    socket_.async_read_some(boost::asio::buffer(input_),
                            [this](const boost::system::error_code& ec, std::size_t size) {
                              if (ec)
                                return;
                              text.append(input_.data(), size);
                              read();
                            });
  }

  boost::asio::ip::tcp::socket socket_;
  std::array<char, 65'536> input_{};
};

struct redis_slots : presence_fixture {
  /// Everything that nodes do on Redis.
  void live() {
    auto& a = start("n1");
    auto& b = start("n2");
    open(a, "told");
    open(b, "told");
    open(a, "unborn");
    a.join("told", 1, "ann");
    b.join("told", 2, "bob");
    a.publish("told", "x", "key");
    EXPECT_TRUE(until([&] { return a.rooms["told"].publications.size() == 3; }));
    publish_outside(a, "r", "1", "k");
    publish_outside(a, "r", "2", "l", true);
    read_history(a, "r");
    a.leave("told", 1);
    rest();
    a.ahead += 4s;               // its grace is over, and the room has been quiet
    for (int i = 0; i < 50; ++i) // all slots of the positions, and of the sweeps
      a.broker->tick();
    EXPECT_TRUE(until([&] { return a.events("told").size() == 3; }));
    a.close("unborn");
    b.broker.reset();
    let_lapse(a, "n2");
    a.ahead += 2s;
    EXPECT_TRUE(becomes(a, "told", "|"));
    EXPECT_TRUE(until([&] { return holders(a) == "n1:64 "; }));
    rest();
  }
};

TEST(slots, are_those_of_redis_cluster) {
  EXPECT_EQ(slot_of("foo"), 12182U);
  EXPECT_EQ(slot_of("{user1000}.following"), slot_of("user1000"));
  EXPECT_EQ(slot_of("somekey"), 11058U);
}

TEST_F(redis_slots, one_call_of_a_script_touches_one) {
  EXPECT_EQ(raw({"PING"}), "PONG");
  monitor watched{io, process->port()};
  EXPECT_TRUE(test::run_until(io, [&] { return !watched.text.empty(); }));
  live();
  const auto& scripts = room_scripts();
  std::map<std::string_view, std::string_view> names;
  for (const auto* script : {&scripts.publish, &scripts.read, &scripts.positions, &scripts.presence,
                             &scripts.leave, &scripts.reap, &scripts.lease, &scripts.sweep,
                             &scripts.bury, &scripts.release, &scripts.unordered, &scripts.history})
    names.emplace(script->sha(), script->name());
  std::set<std::string_view> seen;
  for (std::size_t at = 0; at < watched.text.size();) {
    const auto end = watched.text.find('\n', at);
    const auto line = std::string_view{watched.text}.substr(at, end - at);
    at = end == std::string::npos ? watched.text.size() : end + 1;
    const auto words = words_of(line);
    if (line.find(" lua]") != std::string_view::npos || words.size() < 4 || words[0] != "EVALSHA")
      continue;
    const auto name = names.find(words[1]);
    ASSERT_NE(name, names.end()) << line;
    seen.insert(name->second);
    const auto count = std::stoul(words[2]);
    ASSERT_GT(count, 0U) << name->second << ": on which node of a cluster would it run?";
    for (std::size_t i = 1; i < count; ++i)
      EXPECT_EQ(slot_of(words[3 + i]), slot_of(words[3]))
        << name->second << ": " << words[3 + i] << " and " << words[3];
  }
  EXPECT_EQ(seen.size(), names.size()) << "some script was not called";
}

} // namespace
} // namespace canang::cluster
