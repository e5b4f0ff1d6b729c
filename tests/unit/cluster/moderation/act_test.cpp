#include "cluster/moderation/act.hpp"

#include <gtest/gtest.h>

namespace canang::cluster {
namespace {

namespace ip = boost::asio::ip;

TEST(address_prefix, is_read_in_one_form) {
  const auto text_of = [](std::string_view text) {
    const auto read = read_act_addresses(text);
    return read ? to_text(*read) : std::string{"none"};
  };
  EXPECT_EQ(text_of("192.0.2.7"), "192.0.2.7/32");
  EXPECT_EQ(text_of("192.0.2.0/24"), "192.0.2.0/24");
  EXPECT_EQ(text_of("10.0.0.0/8"), "10.0.0.0/8");
  EXPECT_EQ(text_of("::ffff:192.0.2.7"), "192.0.2.7/32");
  EXPECT_EQ(text_of("2001:DB8::/32"), "2001:db8::/32");
  EXPECT_EQ(text_of("2001:db8::1"), "2001:db8::1/128");
}

TEST(address_prefix, that_is_none_or_half_the_world_is_refused) {
  for (const auto* const text :
       {"", "localhost", "192.0.2.1/24", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/-1", "0.0.0.0/0",
        "8.0.0.0/7", "::/0", "2000::/15", "::/16", "::/64", "::ffff:0:0/96", "::ffff:128.0.0.0/97",
        "fe80::1%1", "192.0.2.0/24 ", "unix", "1.2.3"})
    EXPECT_FALSE(read_act_addresses(text)) << text;
  EXPECT_FALSE(read_act_addresses(std::string(100'000, '1')));
}

TEST(address_prefix, contains_what_begins_with_it) {
  const auto contains = [](std::string_view prefix, const char* address) {
    return read_act_addresses(prefix)->contains(ip::make_address(address));
  };
  EXPECT_TRUE(contains("192.0.2.0/24", "192.0.2.255"));
  EXPECT_FALSE(contains("192.0.2.0/24", "192.0.3.0"));
  EXPECT_TRUE(contains("192.0.2.128/25", "192.0.2.129"));
  EXPECT_FALSE(contains("192.0.2.128/25", "192.0.2.127"));
  EXPECT_TRUE(contains("192.0.2.0/24", "::ffff:192.0.2.9"));
  EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
}

TEST(act_key, is_written_and_read_alike) {
  const act_key keys[]{
    {.subject = "ann"},
    {.kind = act_kind::mute, .scope = act_scope::room, .place = "chat:1", .subject = "a b"},
    {.scope = act_scope::name_space, .place = "chat", .subject = "ann"},
    {.target = act_target::address, .subject = "192.0.2.0/24"},
    {.kind = act_kind::lockdown, .target = act_target::all, .scope = act_scope::room, .place = "x"},
    {.kind = act_kind::lockdown, .target = act_target::all}};
  for (const auto& key : keys) {
    ASSERT_TRUE(is_valid(key)) << to_text(key);
    EXPECT_EQ(read_act_key(to_text(key)), key) << to_text(key);
  }
}

TEST(act_key, that_cannot_be_is_refused) {
  const std::string long_name(256, 'x');
  for (const auto& text : {std::string{},
                           std::string{"bu*"},
                           std::string{"bu*\n"},
                           std::string{"xu*\nann"},
                           std::string{"bx*\nann"},
                           std::string{"bux\nann"},
                           std::string{"bu*room\nann"},
                           std::string{"bur\nann"},
                           std::string{"bun\nann"},
                           std::string{"buna:b\nann"},
                           std::string{"l-*\nann"},
                           std::string{"lu*\nann"},
                           std::string{"b-*\n"},
                           std::string{"ba*\nann"},
                           std::string{"ba*\n192.0.2.1"},
                           std::string{"ba*\n192.0.2.1/24"},
                           std::string{"bu*\nan\nn"},
                           std::string{"bu*\nan\x01n"},
                           "bu*\n" + long_name,
                           "bur" + long_name + "\nann",
                           std::string(100'000, 'b')})
    EXPECT_FALSE(read_act_key(text)) << text.substr(0, 40);
}

TEST(stored_act, is_read_strictly) {
  const auto good = read_stored_act("1 17 42 spam and more");
  ASSERT_TRUE(good);
  EXPECT_EQ(good->made_ms, 17U);
  EXPECT_EQ(good->ends_ms, 42U);
  EXPECT_EQ(good->reason, "spam and more");
  EXPECT_EQ(read_stored_act("1 17 0 ")->reason, "");
  for (const auto& text :
       {std::string{}, std::string{"2 17 42 x"}, std::string{"1 x 42 x"}, std::string{"1 17 -1 x"},
        std::string{"1 17"}, std::string{"1 17 42 a\nb"}, "1 17 42 " + std::string(101, 'x')})
    EXPECT_FALSE(read_stored_act(text)) << text.substr(0, 40);
}

TEST(stored_act, that_it_was_lifted_is_told_from_it) {
  EXPECT_EQ(read_lifted("0 17"), 17U);
  EXPECT_FALSE(read_stored_act("0 17"));
  for (const auto* const text :
       {"", "0", "0 ", "0 x", "0 -1", "0 17 ", "0 17 42 x", "1 17 42 x", "17"})
    EXPECT_FALSE(read_lifted(text)) << text;
}

TEST(moderation_act, tells_its_reason_in_what_fits_into_a_close_frame) {
  const auto never = moderation_act::clock::time_point::max();
  EXPECT_EQ(told_to_client(*make_act({.subject = "ann"}, "spam", 1, never)), "banned: spam");
  EXPECT_EQ(told_to_client(*make_act({.kind = act_kind::mute, .subject = "ann"}, "", 1, never)),
            "muted");
  EXPECT_LE(
    told_to_client(*make_act({.subject = "ann"}, std::string(max_act_reason_bytes, 'x'), 1, never))
      .size(),
    123U);
}

} // namespace
} // namespace canang::cluster
