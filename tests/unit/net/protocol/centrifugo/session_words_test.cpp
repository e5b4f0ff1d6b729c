#include "net/protocol/centrifugo.hpp"

#include <gtest/gtest.h>

namespace canang::net {
namespace {

std::uint16_t code_of(close_reason why, std::uint16_t given) {
  return centrifugo_json_session().close(why, given, "text").code;
}

TEST(centrifugo_session, says_with_its_code_whether_the_client_comes_back) {
  EXPECT_EQ(code_of(close_reason::drain, 1012), 3001);
  EXPECT_EQ(code_of(close_reason::rebalance, 1012), 3001);
  EXPECT_EQ(code_of(close_reason::slow_consumer, 1008), 3008);
  EXPECT_EQ(code_of(close_reason::over_budget, 1008), 3008);
  EXPECT_EQ(code_of(close_reason::rate_limited, 1008), 3013);
  EXPECT_EQ(code_of(close_reason::unidentified, 1008), 3502);
  EXPECT_EQ(code_of(close_reason::not_allowed, 1008), 3507);
  EXPECT_EQ(code_of(close_reason::handler_error, 1011), 3004);
}

TEST(centrifugo_session, leaves_codes_of_its_own_and_of_the_wire_as_they_are) {
  EXPECT_EQ(code_of(close_reason::disconnected, 3503), 3503);
  EXPECT_EQ(code_of(close_reason::disconnected, 4001), 4001);
  EXPECT_EQ(code_of(close_reason::protocol_error, 3501), 3501);
  EXPECT_EQ(code_of(close_reason::too_big, 1009), 1009);
  EXPECT_EQ(code_of(close_reason::bad_payload, 1007), 1007);
}

TEST(centrifugo_session, pings_with_an_empty_message) {
  EXPECT_EQ(centrifugo_json_session().ping, (std::string_view{"\x81\x02{}", 4}));
  EXPECT_EQ(centrifugo_protobuf_session().ping, (std::string_view{"\x82\x01\x00", 3}));
}

} // namespace
} // namespace canang::net
