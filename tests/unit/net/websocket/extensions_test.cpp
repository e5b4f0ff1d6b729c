#include "net/websocket/extensions.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

// What is agreed on of what clients offer (RFC 6455, 9.1; RFC 7692, 5 and 7.1).

namespace canang::net {
namespace {

constexpr std::string_view taken =
  "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// What is answered; "malformed" where the connection is to be failed.
std::string answer_to(std::string_view offered) {
  const auto agreed = agree_on_extensions(offered);
  if (!agreed)
    return "malformed";
  EXPECT_EQ(agreed->answer.empty(), agreed->packing == compression::none) << offered;
  return agreed->answer;
}

compression packing_of(std::string_view offered) {
  const auto agreed = agree_on_extensions(offered);
  EXPECT_TRUE(agreed) << offered;
  return agreed ? agreed->packing : compression::none;
}

TEST(extensions, none_is_agreed_on_where_none_is_offered) {
  for (const auto* const offered : {"", " ", "\t", ",", " , ,", "x-webkit-deflate-frame",
                                    "permessage-bzip2; level=9, x", "permessage-deflate2"})
    EXPECT_EQ(answer_to(offered), "") << offered;
}

TEST(extensions, rfc_7692_7_1_1_no_side_takes_over_a_context_whatever_was_offered) {
  for (const auto* const offered :
       {"permessage-deflate", " permessage-deflate ",
        "permessage-deflate;server_no_context_takeover",
        "permessage-deflate; client_no_context_takeover",
        "permessage-deflate ; client_no_context_takeover ;\tserver_no_context_takeover"})
    EXPECT_EQ(answer_to(offered), taken) << offered;
  EXPECT_EQ(packing_of("permessage-deflate"), compression::deflate);
}

TEST(extensions, rfc_7692_7_1_2_1_the_servers_window_is_no_larger_than_the_client_wants) {
  const auto bits = [](const char* n) {
    return std::string{"permessage-deflate; server_max_window_bits="} + n;
  };
  EXPECT_EQ(answer_to(bits("15")), std::string{taken} + "; server_max_window_bits=15");
  EXPECT_EQ(packing_of(bits("15")), compression::deflate);
  for (const auto* const n : {"9", "10", "11", "12", "13", "14", "\"12\"", "\"1\\2\""}) {
    EXPECT_EQ(answer_to(bits(n)), std::string{taken} + "; server_max_window_bits=9") << n;
    EXPECT_EQ(packing_of(bits(n)), compression::narrow_deflate) << n;
  }
  EXPECT_EQ(answer_to(bits("8")), "") << "zlib does not make one of 256 bytes";
}

TEST(extensions, rfc_7692_7_1_2_2_the_clients_window_may_be_as_large_as_there_are) {
  for (const auto* const offered : {"permessage-deflate; client_max_window_bits",
                                    "permessage-deflate; client_max_window_bits=8",
                                    "permessage-deflate; client_max_window_bits=15",
                                    "permessage-deflate; client_max_window_bits=\"10\""})
    EXPECT_EQ(answer_to(offered), taken) << offered;
}

TEST(extensions, rfc_7692_7_offers_with_wrong_parameters_are_declined) {
  for (const auto* const parameters : {"x",
                                       "level=9",
                                       "Server_no_context_takeover",
                                       "server_no_context_takeover=1",
                                       "client_no_context_takeover=true",
                                       "server_no_context_takeover; server_no_context_takeover",
                                       "client_no_context_takeover; client_no_context_takeover",
                                       "server_max_window_bits",
                                       "server_max_window_bits=7",
                                       "server_max_window_bits=16",
                                       "server_max_window_bits=09",
                                       "server_max_window_bits=1",
                                       "server_max_window_bits=150",
                                       "server_max_window_bits=ten",
                                       "server_max_window_bits=+9",
                                       "server_max_window_bits=10; server_max_window_bits=10",
                                       "client_max_window_bits=7",
                                       "client_max_window_bits=16",
                                       "client_max_window_bits=08",
                                       "client_max_window_bits; client_max_window_bits",
                                       "client_max_window_bits=9; client_max_window_bits"}) {
    const auto offered = std::string{"permessage-deflate; "} + parameters;
    EXPECT_EQ(answer_to(offered), "") << offered;
    EXPECT_EQ(answer_to(offered + ", permessage-deflate"), taken) << "the next one is as good";
    EXPECT_EQ(answer_to("x, " + offered + ", permessage-deflate; server_max_window_bits=9"),
              std::string{taken} + "; server_max_window_bits=9");
  }
}

TEST(extensions, rfc_7692_5_the_first_offer_that_can_be_taken_is) {
  EXPECT_EQ(answer_to("permessage-deflate; server_max_window_bits=10, permessage-deflate"),
            std::string{taken} + "; server_max_window_bits=9");
  EXPECT_EQ(answer_to("permessage-deflate, permessage-deflate; server_max_window_bits=10"), taken);
}

TEST(extensions, rfc_6455_9_1_what_is_no_list_of_extensions_fails_the_connection) {
  for (const auto* const offered : {";",
                                    "permessage-deflate;",
                                    "permessage-deflate; ",
                                    "permessage-deflate;;x",
                                    "a b",
                                    "a, b c",
                                    "a; =1",
                                    "a; x=",
                                    "a; x=,b",
                                    "a; x=\"",
                                    "a; x=\"1",
                                    "a; x=\"\"",
                                    "a; x=\"1 2\"",
                                    "a; x=1 2",
                                    "a; x=\"1\\",
                                    "\"a\"",
                                    "a=1",
                                    "a; x==1",
                                    "permessage-deflate, (",
                                    "\xc3\xa9"})
    EXPECT_EQ(answer_to(offered), "malformed") << offered;
  EXPECT_EQ(answer_to(std::string_view{"a\0", 2}), "malformed");
}

} // namespace
} // namespace canang::net
