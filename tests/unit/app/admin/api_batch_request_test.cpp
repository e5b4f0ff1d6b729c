#include "app/admin/api_batch_request.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

namespace canang::admin {
namespace {

std::vector<api_batch::entry> commands(const std::string& list) {
  auto parsed = parse_batch(R"({"commands":)" + list + "}");
  if (const auto* const error = std::get_if<api_error>(&parsed)) {
    ADD_FAILURE() << list << ": " << error->message;
    return {};
  }
  return std::get<api_batch>(parsed).commands;
}

api_error fault(const std::string& body) {
  const auto parsed = parse_batch(body);
  if (!std::holds_alternative<api_error>(parsed)) {
    ADD_FAILURE() << "it is taken";
    return {};
  }
  return std::get<api_error>(parsed);
}

TEST(api_batch_request, reads_commands_in_their_order) {
  const auto all = commands(R"([ {"publish" : {"channel":"r", "data": {"b": 1.50, "a": [ 2 ]}}},
                                 {"history":{"channel":"r","limit":1},"publish":null},
                                 {"info":{}} ])");
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].method, "publish");
  EXPECT_EQ(std::get<api_publish>(std::get<api_command>(all[0].command)).content.data,
            R"({"b":1.50,"a":[2]})");
  EXPECT_EQ(all[1].method, "history");
  EXPECT_EQ(std::get<api_history>(std::get<api_command>(all[1].command)).limit, 1U);
  EXPECT_TRUE(std::holds_alternative<api_info>(std::get<api_command>(all[2].command)));
  EXPECT_TRUE(commands("[]").empty());
  EXPECT_TRUE(std::holds_alternative<api_batch>(parse_batch(R"({"commands":[],"parallel":true})")));
}

TEST(api_batch_request, what_cannot_be_done_is_an_error_of_that_command) {
  const std::pair<std::string, api_errc> cases[]{
    {"{}", api_errc::method_not_found},
    {R"({"publish":null})", api_errc::method_not_found},
    {R"({"dance":{}})", api_errc::method_not_found},
    {R"({"batch":{"commands":[]}})", api_errc::method_not_found},
    {R"({"rpc":{"method":"x"}})", api_errc::method_not_found},
    {R"({"publish":{"channel":"r","data":1},"info":{}})", api_errc::bad_request},
    {R"({"publish":{"data":1}})", api_errc::bad_request},
    {R"({"subscribe":{"user":"ann","channel":"r","data":1}})", api_errc::not_available},
  };
  for (const auto& [command, code] : cases) {
    const auto all = commands("[" + command + R"(,{"info":{}}])");
    ASSERT_EQ(all.size(), 2U) << command;
    ASSERT_TRUE(std::holds_alternative<api_error>(all[0].command)) << command;
    EXPECT_EQ(std::get<api_error>(all[0].command).code, code) << command;
    EXPECT_EQ(std::get<api_error>(all[0].command).status, 200U) << command;
    EXPECT_TRUE(std::holds_alternative<api_command>(all[1].command)) << command;
  }
}

TEST(api_batch_request, what_cannot_be_read_spoils_the_batch) {
  for (const std::string body :
       {"", "[]", R"({"commands":{}})", R"({"commands":[1]})", R"({"commands":[null]})",
        R"({"commands":[{"info":7}]})", R"({"commands":[{"publish":{"channel":7,"data":1}}]})",
        R"({"commands":[{"info":{}}],"parallel":7})", R"({"commands":[{"info":{}}]} x)"})
    EXPECT_EQ(fault(body).status, 400U) << body;
  EXPECT_EQ(fault(R"({"commands":[{"info":{}},{"publish":{"channel":7,"data":1}}]})").message,
            "bad request: command 2: 'channel' has to be a string");
  EXPECT_EQ(fault("{}").message, "bad request: 'commands' is missing");
  EXPECT_EQ(fault("{}").status, 200U);
}

std::string list_of(const std::string& command, std::size_t count) {
  std::string list = "[";
  for (std::size_t i = 0; i < count; ++i)
    list += (i == 0 ? "" : ",") + command;
  return list + "]";
}

TEST(api_batch_request, is_bounded_with_all_that_it_publishes) {
  EXPECT_EQ(commands(list_of(R"({"info":{}})", max_api_publishes)).size(), max_api_publishes);
  for (const auto& list :
       {list_of(R"({"info":{}})", max_api_publishes + 1),
        list_of(R"({"broadcast":{"channels":["a","b","c"],"data":1}})", max_api_publishes / 3 + 1),
        list_of(R"({"broadcast":{"channels":)" + list_of(R"("a")", 500) + R"(,"data":")"
                  + std::string(20'000, 'x') + "\"}}",
                2)}) {
    const auto error = fault(R"({"commands":)" + list + "}");
    EXPECT_EQ(error.status, 200U);
    EXPECT_EQ(error.code, api_errc::bad_request);
  }
}

} // namespace
} // namespace canang::admin
