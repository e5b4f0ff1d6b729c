#include "cluster/control/wire.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <random>
#include <string>

namespace canang::cluster {
namespace {

const std::string node = "abcdefgh23";
const std::string client(max_control_client_bytes, 'c');

control_message read(const std::string& bytes) {
  control_message message;
  EXPECT_EQ(read_control_message(bytes, message), control_wire_errc::none) << bytes;
  return message;
}

control_wire_errc fault_of(const std::string& bytes) {
  control_message message;
  return read_control_message(bytes, message);
}

TEST(control_wire, reads_the_commands_that_it_writes) {
  const control_command commands[]{
    disconnect_user{"ann", 3503, "force disconnect"},
    disconnect_user{std::string(max_control_name_bytes, 'u'), 4999,
                    std::string(max_control_reason_bytes, 'r')},
    disconnect_user{"line\nwith a break \xc3\xa4", 3000, ""},
    remove_from_room{"ann", "kitchen"},
    remove_from_room{std::string(max_control_name_bytes, ' '),
                     std::string(max_control_name_bytes, '\n')},
    disconnect_user{"ann", 3503, "", "abcdefgh23/7"},
    disconnect_user{"ann", 3503, "", {}, {"abcdefgh23/7", "b/1"}},
    disconnect_user{"", 3503, "bye", "abcdefgh23/7", std::vector(max_spared_clients, client)},
    remove_from_room{"", "kitchen", "abcdefgh23/7"},
    add_to_room{"ann", "kitchen"},
    add_to_room{"ann", "kitchen", "abcdefgh23/7"},
    add_to_room{"", "kitchen", client, position{"", 0}},
    add_to_room{"ann", "kitchen", {}, position{"epoch", ~std::uint64_t{0}}},
    refresh_user{"ann"},
    refresh_user{"ann", "abcdefgh23/7", 1'900'000'000},
    refresh_user{"", "abcdefgh23/7", 1},
    read_acts{.key = "bu*\nann", .made_ms = 1'900'000'000'000},
    read_acts{.key = "bu*\nann", .made_ms = ~std::uint64_t{0}, .is_lifted = true},
    count_user{"ann"},
    count_user{"", client},
  };
  std::uint64_t number = 0;
  for (const auto& command : commands) {
    const auto message = read(encode(node, ++number, command));
    EXPECT_EQ(message.node, node);
    EXPECT_EQ(message.number, number);
    EXPECT_EQ(std::get<control_command>(message.content), command);
  }
}

TEST(control_wire, reads_the_answers_that_it_writes) {
  for (const auto& answer : {control_answer{control_outcome::done, 0},
                             control_answer{control_outcome::done, ~std::uint64_t{0}},
                             control_answer{control_outcome::unsupported, 0}}) {
    const auto message = read(encode(node, 17, answer));
    EXPECT_EQ(message.number, 17U);
    EXPECT_EQ(std::get<control_answer>(message.content), answer);
  }
}

TEST(control_wire, its_largest_command_fits) {
  const std::string name(max_control_name_bytes, 'n');
  const control_command largest[]{
    disconnect_user{name, 4999, std::string(max_control_reason_bytes, 'r'), client,
                    std::vector(max_spared_clients, client)},
    add_to_room{name, name, client, position{name, ~std::uint64_t{0}}},
    read_acts{.key = std::string(max_control_key_bytes, 'k'), .made_ms = ~std::uint64_t{0}},
  };
  for (const auto& one : largest)
    EXPECT_LE(encode(node, ~std::uint64_t{0}, one).size(), max_control_message_bytes);
}

TEST(control_wire, knows_that_a_command_is_of_a_newer_release) {
  const auto message = read("1 abcdefgh23 c 5 promote\n" + std::string("\3\0abc", 5));
  EXPECT_TRUE(std::holds_alternative<unknown_command>(message.content));
  EXPECT_EQ(message.number, 5U);
}

TEST(control_wire, tells_what_is_wrong_with_a_message) {
  EXPECT_EQ(fault_of(""), control_wire_errc::foreign);
  EXPECT_EQ(fault_of("hello"), control_wire_errc::foreign);
  EXPECT_EQ(fault_of("hello there\n"), control_wire_errc::foreign);
  EXPECT_EQ(fault_of(std::string(3000, '1')), control_wire_errc::foreign);
  EXPECT_EQ(fault_of("2 abcdefgh23 c 5 disconnect\n"), control_wire_errc::version);
  EXPECT_EQ(fault_of("99999999999999999999 abcdefgh23 c 5 x\n"), control_wire_errc::foreign);
  for (const std::string line : {
         "1 short c 5 disconnect\n",       // no node
         "1 ABCDEFGH23 c 5 disconnect\n",  // none of ours
         "1 abcdefgh23 x 5 disconnect\n",  // no such kind
         "1 abcdefgh23 c 0 disconnect\n",  // numbers begin at 1
         "1 abcdefgh23 c -1 disconnect\n", //
         "1 abcdefgh23 c 5 \n",            // no command
         "1 abcdefgh23 c 5 disconnect\n",  // no fields
         "1 abcdefgh23 a 5 done\n",        // no count
         "1 abcdefgh23 a 5 perhaps 1\n",   //
         "1 abcdefgh23 a 5 done 1 2\n",    //
         "1 abcdefgh23 a 5 done 1\nrest",  //
         "1 abcdefgh23\n",                 //
         "1\n",                            //
       })
    EXPECT_EQ(fault_of(line), control_wire_errc::malformed) << line;
}

TEST(control_wire, an_order_of_a_moderator_is_read_strictly) {
  const auto good = encode(node, 1, read_acts{.key = "k", .made_ms = 7, .is_lifted = true});
  const std::string head = "1 abcdefgh23 c 1 acts\n";
  EXPECT_EQ(good, head + std::string("\1\0k\1\0007\6\0lifted", 14));
  for (const auto& fields :
       {std::string("\1\0k", 3), std::string("\1\0k\1\0x\6\0lifted", 14),
        std::string("\1\0k\1\0007\6\0Lifted", 14), std::string("\0\0\1\0007\6\0lifted", 13),
        std::string("\1\0k\1\0007\6\0lifted\0\0", 16)})
    EXPECT_EQ(fault_of(head + fields), control_wire_errc::malformed) << fields;
}

TEST(control_wire, refuses_what_is_beyond_the_limits) {
  EXPECT_FALSE(is_valid(disconnect_user{"", 3503, ""}));
  EXPECT_FALSE(is_valid(disconnect_user{std::string(max_control_name_bytes + 1, 'u'), 3503, ""}));
  EXPECT_FALSE(is_valid(disconnect_user{"u", 2999, ""}));
  EXPECT_FALSE(is_valid(disconnect_user{"u", 5000, ""}));
  EXPECT_FALSE(
    is_valid(disconnect_user{"u", 3503, std::string(max_control_reason_bytes + 1, 'r')}));
  EXPECT_FALSE(is_valid(disconnect_user{"u", 3503, "", client + "c"}));
  EXPECT_FALSE(is_valid(disconnect_user{"u", 3503, "", "a b"}));
  EXPECT_FALSE(is_valid(disconnect_user{"u", 3503, "", {}, {""}}));
  EXPECT_FALSE(
    is_valid(disconnect_user{"u", 3503, "", {}, std::vector(max_spared_clients + 1, client)}));
  EXPECT_FALSE(is_valid(refresh_user{""}));
  EXPECT_FALSE(is_valid(refresh_user{"u", {}, 0}));
  EXPECT_FALSE(is_valid(refresh_user{"u", {}, -1}));
  EXPECT_FALSE(is_valid(count_user{""}));
  EXPECT_FALSE(is_valid(count_user{std::string(max_control_name_bytes + 1, 'u')}));
  EXPECT_FALSE(is_valid(add_to_room{"", "r"}));
  EXPECT_FALSE(is_valid(add_to_room{"u", ""}));
  EXPECT_FALSE(is_valid(add_to_room{"u", "r", "a b"}));
  EXPECT_FALSE(
    is_valid(add_to_room{"u", "r", {}, position{std::string(max_control_name_bytes + 1, 'e'), 1}}));
  EXPECT_FALSE(is_valid(remove_from_room{"u", ""}));
  EXPECT_FALSE(is_valid(remove_from_room{"", "r"}));
  EXPECT_EQ(fault_of(encode(node, 1, disconnect_user{"u", 1000, ""})),
            control_wire_errc::malformed);
  EXPECT_EQ(fault_of(encode(node, 1, remove_from_room{"u", ""})), control_wire_errc::malformed);
  const auto good = encode(node, 1, remove_from_room{"u", "r"});
  EXPECT_EQ(fault_of(good + std::string(max_control_message_bytes, '\0')),
            control_wire_errc::malformed);
}

TEST(control_wire, older_nodes_read_what_they_can_do) {
  const auto plain = encode(node, 1, disconnect_user{"u", 3503, ""});
  EXPECT_EQ(plain, "1 abcdefgh23 c 1 disconnect\n" + std::string("\1\0u\4\0003503\0\0", 11));
  EXPECT_TRUE(encode(node, 1, disconnect_user{"u", 3503, "", "n/1"})
                .starts_with("1 abcdefgh23 c 1 disconnect-some\n"))
    << "one that they do not know, so that they do not disconnect all";
  EXPECT_TRUE(encode(node, 1, remove_from_room{"u", "r", "n/1"})
                .starts_with("1 abcdefgh23 c 1 remove-one\n"));
}

TEST(control_wire, a_message_that_is_cut_anywhere_is_none) {
  const auto whole = encode(node, 123, disconnect_user{"ann", 3503, "bye"});
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_NE(fault_of(whole.substr(0, size)), control_wire_errc::none) << size;
}

TEST(control_wire, whatever_comes_is_read_or_refused) {
  std::mt19937_64 engine{7};
  const auto whole = encode(node, 123, disconnect_user{"ann", 3503, "bye"});
  for (int round = 0; round < 20'000; ++round) {
    auto bytes = whole;
    for (auto changes = engine() % 4 + 1; changes > 0; --changes)
      bytes[engine() % bytes.size()] = static_cast<char>(engine());
    control_message message;
    if (read_control_message(bytes, message) != control_wire_errc::none)
      continue;
    if (const auto* const command = std::get_if<control_command>(&message.content)) {
      EXPECT_TRUE(is_valid(*command));
    }
  }
}

} // namespace
} // namespace canang::cluster
