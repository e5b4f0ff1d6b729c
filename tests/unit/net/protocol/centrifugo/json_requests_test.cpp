#include "tests/support/described_request.hpp"

#include <gtest/gtest.h>

#include <malloc.h>
#include <time.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace canang::net::centrifugo {
namespace {

using namespace std::string_literals;
using test::described;

using examples = std::vector<std::pair<std::string, std::string>>;

/// Of a copy that ends where its memory ends, so that AddressSanitizer sees a byte read too much.
std::string read(std::string_view message) {
  const std::vector<char> exact{message.begin(), message.end()};
  return described(json_requests(), {exact.data(), exact.size()});
}

std::string nested(std::size_t depth) {
  return R"({"id":1,"send":{"data":)" + std::string(depth, '[') + std::string(depth, ']') + "}}";
}

const examples good{
  {"", ""},
  {"\n\n \r\n", ""},
  {"{}", "0 none;"},
  {"{}\n", "0 none;"},
  {"{}\r\n\r\n", "0 none;"},
  {"\n{}", "0 none;0 none;"},
  {"{}\n\n{\"id\":2}\n", "0 none;0 none;2 unknown;"},
  {" { \"id\" : 4294967295 , \"ping\" : { } } ", "4294967295 ping;"},
  {R"({"id":1,"connect":{"token":"t","name":"js","version":"1.2","data":{"a":1}}})",
   R"(1 connect token=t data={"a":1} name=js version=1.2;)"},
  {R"({"id":1,"connect":{"subs":{"a":{"recover":true},"b":null}}})",
   "1 connect sub=a!:0 sub=b?:0;"},
  {R"({"id":1,"connect":{"subs":{"\u0061":{"x":[1],"offset":7,"epoch":"e\n","recover":true}}}})",
   "1 connect sub=a!e\n:7;"},
  {R"({"id":1,"connect":{"subs":{}}})", "1 connect;"},
  {R"({"id":1,"connect":{"subs":null}})", "1 connect;"},
  {R"({"id":1,"connect":{"subs":{"a":{}},"subs":{}}})", "1 connect;"},
  {R"({"id":2,"subscribe":{"channel":"c","token":"t","recover":true,"epoch":"e","offset":7,)"
   R"("data":1,"positioned":true,"recoverable":true,"join_leave":true,"delta":"fossil","flag":1}})",
   "2 subscribe channel=c token=t data=1 recover positioned recoverable join_leave epoch=e "
   "offset=7 delta=fossil;"},
  {R"({"id":2,"subscribe":{"channel":"c","recover":false}})", "2 subscribe channel=c;"},
  {R"({"id":2,"subscribe":{"offset":18446744073709551615}})",
   "2 subscribe offset=18446744073709551615;"},
  {R"({"id":3,"unsubscribe":{"channel":"c"}})", "3 unsubscribe channel=c;"},
  {R"({"id":4,"publish":{"channel":"c","data":{"a" : [1, 2]}}})",
   R"(4 publish channel=c data={"a" : [1, 2]};)"},
  {R"({"id":5,"presence":{"channel":"c"}})", "5 presence channel=c;"},
  {R"({"id":6,"presence_stats":{"channel":"c"}})", "6 presence_stats channel=c;"},
  {R"({"id":7,"history":{"channel":"c","limit":-1,"reverse":true,"since":{"offset":3,"epoch":"e"}}})",
   "7 history channel=c limit=-1 since=e:3 reverse;"},
  {R"({"id":7,"history":{"limit":2147483647,"since":{}}})", "7 history limit=2147483647 since=:0;"},
  {R"({"id":7,"history":{"limit":-2147483648,"since":null}})", "7 history limit=-2147483648;"},
  {R"({"id":8,"ping":{}})", "8 ping;"},
  {R"({"send":{"data":"x"}})", R"(0 send data="x";)"},
  {R"({"id":9,"rpc":{"method":"m","data":[]}})", "9 rpc data=[] method=m;"},
  {R"({"id":10,"refresh":{"token":"t"}})", "10 refresh token=t;"},
  {R"({"id":11,"sub_refresh":{"channel":"c","token":"t"}})", "11 sub_refresh channel=c token=t;"},
  {R"({"id":1,"no such":{"channel":"c"}})", "1 unknown;"},
  {R"({"no such":[{"a":[]}]})", "0 none;"},
  {R"({"id":1,"publish":null,"ping":null})", "1 unknown;"},
  {R"({"id":null,"subscribe":{"channel":null,"recover":null,"offset":null}})", "0 subscribe;"},
  // escapes
  {R"({"\u0069d":1,"pu\u0062lish":{"ch\u0061nnel":"a\u0062","d\u0061ta":"\u0062"}})",
   R"(1 publish channel=ab data="\u0062";)"},
  {R"({"id":1,"presence":{"channel":"\"\\\/\b\f\n\r\t"}})", "1 presence channel=\"\\/\b\f\n\r\t;"},
  {R"({"id":1,"presence":{"channel":"\u00e9\u20AC\ud83d\uDE00|"}})",
   "1 presence channel=\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80|;"},
  {R"({"id":1,"presence":{"channel":"\u0000"}})", "1 presence channel="s + '\0' + ";"},
  {R"({"id":1,"sub_refresh":{"channel":"\u0061","token":"\u0062"}})",
   "1 sub_refresh channel=a token=b;"},
  {"{\"id\":1,\"presence\":{\"channel\":\"\xc3\xa9\"}}", "1 presence channel=\xc3\xa9;"},
  // of equal names the last counts, of methods the first in the protocol's order
  {R"({"id":1,"id":2,"ping":{}})", "2 ping;"},
  {R"({"publish":{"channel":"a","data":1,"data":2},"id":1,"publish":{"channel":"b"}})",
   "1 publish channel=b;"},
  {R"({"id":1,"publish":{"channel":"a","data":1,"d\u0061ta":2}})", "1 publish channel=a data=2;"},
  {R"({"id":1,"presence":{"channel":"a","channel":null}})", "1 presence channel=a;"},
  {R"({"publish":{"channel":"a","data":1},"connect":{"token":"t"},"id":1,"rpc":{"data":2}})",
   "1 connect token=t;"},
  {nested(max_json_depth - 2), "1 send data=" + std::string(62, '[') + std::string(62, ']') + ";"},
};

const examples bad{
  {R"({"id":1,"connect":{"subs":{"a":{"offset":"7"}}}})", "an offset in quotes"},
  {R"({"id":1,"connect":{"subs":{"a":{"recover":1}}}})", "a number for a flag"},
  {R"({"id":1,"connect":{"subs":{"a":7}}})", "a number for a subscription"},
  {R"({"id":1,"connect":{"subs":["a"]}})", "an array of subscriptions"},
  {"x", "no JSON"},
  {"\xef\xbb\xbf{}", "a byte order mark"},
  {"{", "no end"},
  {"[]", "an array"},
  {"null", "null"},
  {"\"id\"", "a string"},
  {"1", "a number"},
  {"{} {}", "text behind the object"},
  {"{}x", "text behind the object"},
  {"{}}", "text behind the object"},
  {"{},", "text behind the object"},
  {"{}\0"s, "a zero byte behind the object"},
  {"{\"id\":\0001}"s, "a zero byte"},
  {"{\"id\"\n:1}", "a command on two lines"},
  {"{,}", "a comma too much"},
  {R"({"id":1,})", "a comma too much"},
  {R"({"id":1 "ping":{}})", "no comma"},
  {R"({"id" 1})", "no colon"},
  {R"({id:1})", "a name without quotes"},
  {R"({'id':1})", "wrong quotes"},
  {R"({"id":})", "no value"},
  {R"({"id":"1"})", "an id in quotes"},
  {R"({"id":-1})", "a negative id"},
  {R"({"id":-0})", "a negative id"},
  {R"({"id":1.0})", "an id with a fraction"},
  {R"({"id":1e0})", "an id with an exponent"},
  {R"({"id":4294967296})", "an id too large"},
  {R"({"id":01})", "an id with a zero in front"},
  {R"({"id":+1})", "an id with a plus"},
  {R"({"id":true})", "an id that is a flag"},
  {R"({"id":1,"ping":1})", "a method that is a number"},
  {R"({"id":1,"ping":[]})", "a method that is an array"},
  {R"({"id":1,"connect":{},"ping":""})", "a method that does not count, and is a string"},
  {R"({"id":1,"connect":{},"ping":{]})", "a method that does not count, and is no JSON"},
  {R"({"id":1,"connect":{"token":1}})", "a token that is a number"},
  {R"({"id":1,"connect":{"token":{}}})", "a token that is an object"},
  {R"({"id":1,"connect":{"subs":[]}})", "subs that are an array"},
  {R"({"id":1,"subscribe":{"recover":1}})", "a flag that is a number"},
  {R"({"id":1,"subscribe":{"recover":"true"}})", "a flag in quotes"},
  {R"({"id":1,"subscribe":{"recover":12345}})", "a flag as long as false"},
  {R"({"id":1,"subscribe":{"recover":trux}})", "a flag that is no word"},
  {R"({"id":1,"subscribe":{"offset":-1}})", "a negative offset"},
  {R"({"id":1,"subscribe":{"offset":1.5}})", "an offset with a fraction"},
  {R"({"id":1,"subscribe":{"offset":18446744073709551616}})", "an offset too large"},
  {R"({"id":1,"history":{"limit":2147483648}})", "a limit too large"},
  {R"({"id":1,"history":{"limit":-2147483649}})", "a limit too small"},
  {R"({"id":1,"history":{"since":7}})", "a place that is a number"},
  {R"({"id":1,"history":{"since":{"offset":-1}}})", "a place with a negative offset"},
  {R"({"id":1,"presence":{"channel":"\u12g4"}})", "no hex digit"},
  {R"({"id":1,"presence":{"channel":"\x41"}})", "no escape"},
  {"{\"id\":1,\"presence\":{\"channel\":\"\x01\"}}", "a control character"},
  {"{\"id\":1,\"presence\":{\"channel\":\"\xff\"}}", "no UTF-8"},
  {"{\"id\":1,\"presence\":{\"channel\":\"\xc3\"}}", "half a character"},
  {"{\"x\":\"\xed\xa0\x80\",\"id\":1}", "a surrogate in UTF-8"},
  {nested(max_json_depth - 1), "nested too deep"},
  {R"({"id":1,"x":)" + std::string(1'000'000, '[') + std::string(1'000'000, ']') + "}",
   "nested far too deep"},
  {"{}\nx\n{}", "a line among others"},
};

TEST(json_requests_test, reads_what_the_protocol_has) {
  for (const auto& [message, said] : good)
    EXPECT_EQ(read(message), said) << message;
}

TEST(json_requests_test, refuses_what_is_no_command) {
  for (const auto& [message, why] : bad) {
    const auto said = read(message);
    EXPECT_TRUE(said.ends_with("bad")) << why << ": " << message.substr(0, 200) << ": " << said;
  }
}

TEST(json_requests_test, data_is_any_json_as_it_was_sent) {
  for (const std::string data : {"null", "false", "-1.50e+3", "1E400", R"("\u00e4\n")", "[ ]",
                                 R"([1,2,{"x":[]}])", R"({"b":1,"a":2,"b":3})",
                                 "123456789012345678901234567890", "[[],[[ ]\t,{}]\r]", R"("\"}")"})
    for (const std::string space : {"", " ", "\t \r"})
      EXPECT_EQ(read(R"({"id":1,"rpc":{"data":)" + space + data + space + "}}"),
                "1 rpc data=" + data + ";");
}

TEST(json_requests_test, data_that_is_no_json_is_never_given) {
  for (const std::string data : {"", "nul", "NaN", "01", "'a'", "\"\t\"", "[1,]", "{1:1}", "1 1",
                                 R"({"a":1}})", "\"\xc0\xaf\"", "{\"\xff\":1}"})
    EXPECT_EQ(read(R"({"id":1,"rpc":{"data":)" + data + "}}"), "bad") << data;
}

TEST(json_requests_test, a_message_that_is_cut_anywhere_says_nothing_else) {
  for (const auto& [message, said] : good)
    for (std::size_t size = 0; size < message.size(); ++size) {
      const auto cut = read(message.substr(0, size));
      // the commands that are whole, and no more
      const auto whole = cut.ends_with("bad") ? cut.substr(0, cut.size() - 3) : cut;
      EXPECT_TRUE(said.starts_with(whole)) << message.substr(0, size) << ": " << cut;
    }
}

TEST(json_requests_test, nothing_is_read_after_a_fault) {
  auto& reader = json_requests();
  request said;
  reader.begin("{}\nx\n{}");
  EXPECT_EQ(reader.next(said), read_result::command);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(reader.next(said), read_result::bad);
  reader.begin("{}");
  EXPECT_EQ(reader.next(said), read_result::command);
  EXPECT_EQ(reader.next(said), read_result::end);
  EXPECT_EQ(reader.next(said), read_result::end);
}

TEST(json_requests_test, one_command_says_nothing_of_another) {
  EXPECT_EQ(read("{\"id\":1,\"subscribe\":{\"channel\":\"\\u0061\",\"recover\":true}}\n"
                 "{\"id\":2,\"history\":{\"since\":{}}}\n{\"id\":3,\"ping\":{}}"),
            "1 subscribe channel=a recover;2 history since=:0;3 ping;");
}

TEST(json_requests_test, a_message_has_so_many_commands_and_not_one_more) {
  std::string message;
  for (std::size_t i = 0; i < max_commands_in_message; ++i)
    message += "{}\n";
  EXPECT_FALSE(read(message).ends_with("bad"));
  EXPECT_FALSE(read(message + std::string(1'000'000, '\n')).ends_with("bad"));
  EXPECT_TRUE(read(message + "{}").ends_with("0 none;bad"));
  EXPECT_TRUE(read(std::string(max_commands_in_message, '\n') + "{}").ends_with("bad"));
}

TEST(json_requests_test, views_of_strings_with_escapes_stay_while_the_command_is_looked_at) {
  const std::string long_token(300'000, 't');
  const auto line = [&](std::string_view id) {
    return R"({"id":)" + std::string{id} + R"(,"sub_refresh":{"token":"\u0061)" + long_token
           + R"(","channel":"\u0062"}})";
  };
  const auto said = " sub_refresh channel=b token=a" + long_token + ";";
  EXPECT_EQ(read(line("1") + "\n" + line("12")), "1" + said + "12" + said);
  EXPECT_EQ(read(line("3")), "3" + said);
}

TEST(json_requests_test, memory_for_a_large_message_is_given_back) {
  const auto used = [] {
    const auto now = ::mallinfo2();
    return now.uordblks + now.hblkhd;
  };
  const auto large = R"({"id":1,"refresh":{"token":"\n)" + std::string(1 << 20, 't') + "\"}}";
  const auto and_bad = large + "\nx";
  const auto before = used();
  if (before == 0)
    GTEST_SKIP() << "a sanitizer's allocator does not say";
  auto& reader = json_requests();
  for (const auto& message : {std::cref(large), std::cref(and_bad)}) {
    request said;
    reader.begin(message.get());
    ASSERT_EQ(reader.next(said), read_result::command);
    EXPECT_GE(used(), before + large.size());
    EXPECT_NE(reader.next(said), read_result::command);
    EXPECT_LT(used(), before + large.size() / 2);
    // also if its end is not asked for
    reader.begin(message.get());
    ASSERT_EQ(reader.next(said), read_result::command);
    reader.begin({});
    EXPECT_LT(used(), before + large.size() / 2);
  }
}

/// Seconds that this thread has computed, whatever else the machine does.
double computed() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// How many times as long a message takes that is 8 times as long.
template <class Message>
double growth(const Message& message) {
  const auto seconds = [](const std::string& text) {
    auto best = std::numeric_limits<double>::max();
    for (int i = 0; i < 5; ++i) {
      const auto start = computed();
      (void)described(json_requests(), text);
      best = std::min(best, computed() - start);
    }
    return best;
  };
  return seconds(message(8 * 256 * 1024)) / seconds(message(256 * 1024));
}

std::string repeated(std::string_view piece, std::size_t bytes) {
  std::string all;
  while (all.size() + piece.size() <= bytes)
    all += piece;
  return all;
}

TEST(json_requests_test, time_grows_with_the_length_of_the_message_and_no_faster) {
  const auto in_data = [](std::string_view piece, std::string_view last) {
    return growth([=](std::size_t bytes) {
      return R"({"id":1,"send":{"data":[)" + repeated(piece, bytes) + std::string{last} + "]}}";
    });
  };
  constexpr auto squared = 64.0; // and 8 what is linear
  EXPECT_LT(in_data("[[]],", "0"), squared / 2);
  EXPECT_LT(in_data(R"({"a":"\u0061"},)", "0"), squared / 2);
  EXPECT_LT(in_data("1", ""), squared / 2);
  EXPECT_LT(growth([](std::size_t bytes) {
              return "{" + repeated(R"("\u0064":1,)", bytes) + R"("id":1})";
            }),
            squared / 2);
  EXPECT_LT(growth([](std::size_t bytes) { return std::string(bytes, '\n') + "x"; }), squared / 2);
  EXPECT_LT(growth([](std::size_t bytes) {
              return "{\"id\":1,\"connect\":{\"token\":\"" + repeated(R"(\ud83d\ude00)", bytes)
                     + "\"}}";
            }),
            squared / 2);
}

} // namespace
} // namespace canang::net::centrifugo
