#include "net/protocol/centrifugo/emulation_body.hpp"

#include <gtest/gtest.h>

#include <string>

namespace canang::net::centrifugo {
namespace {

using namespace std::string_literals;

std::string described(const std::optional<emulation_request>& read) {
  return read ? read->node + '|' + read->session + '|' + read->message : "nothing"s;
}

TEST(emulation_body, is_read_from_json) {
  EXPECT_EQ(described(read_json_emulation(R"({"session":"s1","node":"n1","data":"{\"id\":1}"})")),
            R"(n1|s1|{"id":1})");
  EXPECT_EQ(
    described(read_json_emulation(" {\"d\":[1,{}], \"data\" : \"a\\nb\\u00e4\xc3\xa4\\\\\", "
                                  "\"node\":\"n\",\"session\":\"s\"}\n")),
    "n|s|a\nb\xc3\xa4\xc3\xa4\\");
  EXPECT_EQ(described(read_json_emulation(R"({"node":"a","node":"b","session":"s","data":"x"})")),
            "b|s|x")
    << "of two the last one counts";
}

TEST(emulation_body, is_nothing_where_the_json_is_not_that) {
  const auto long_name = R"({"session":"s","data":"x","node":")" + std::string(65, 'n') + "\"}";
  const auto deep = R"({"session":"s","node":"n","data":"x","y":)" + std::string(70, '[')
                    + std::string(70, ']') + "}";
  for (const auto& wrong : {""s,
                            "{}"s,
                            "[]"s,
                            "null"s,
                            "text"s,
                            R"("{}")"s,
                            R"({"session":"s","node":"n"})"s,
                            R"({"session":"s","data":"x"})"s,
                            R"({"node":"n","data":"x"})"s,
                            R"({"session":"s","node":"n","data":""})"s,
                            R"({"session":"","node":"n","data":"x"})"s,
                            R"({"session":"s","node":"n","data":{}})"s,
                            R"({"session":"s","node":"n","data":null})"s,
                            R"({"session":5,"node":"n","data":"x"})"s,
                            R"({"session":"s","node":"n","data":"x"}})"s,
                            R"({"session":"s","node":"n","data":"x")"s,
                            R"({"session":"s","node":"n","data":"x"},{})"s,
                            "{\"session\":\"s\",\"node\":\"n\",\"data\":\"\xff\"}"s,
                            long_name,
                            deep})
    EXPECT_EQ(described(read_json_emulation(wrong)), "nothing") << wrong;
}

TEST(emulation_body, is_read_from_protobuf) {
  EXPECT_EQ(described(read_protobuf_emulation("\x0a\x02n1\x12\x02s1\x1a\x03\0ab"s)), "n1|s1|\0ab"s);
  EXPECT_EQ(described(read_protobuf_emulation("\x20\x05\x0a\x01n\x12\x01s\x0a\x01m\x1a\x01x"s)),
            "m|s|x")
    << "what is not known is skipped, of two the last one counts";
}

TEST(emulation_body, is_nothing_where_the_protobuf_is_not_that) {
  for (const auto& wrong :
       {""s, "{}"s, "\x0a"s, "\x0a\x05n"s, "\x0a\x01n\x12\x01s"s, "\x0a\x01n\x1a\x01x"s,
        "\x12\x01s\x1a\x01x"s, "\x0a\x01n\x12\x01s\x1a\x00"s, "\x08\x01\x12\x01s\x1a\x01x"s,
        "\x00\x01"s, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"s,
        "\x0a\x01n\x12\x01s\x1a\x01x\x0b"s,
        "\x0a\x41"s + std::string(65, 'n') + "\x12\x01s\x1a\x01x"s})
    EXPECT_EQ(described(read_protobuf_emulation(wrong)), "nothing");
}

} // namespace
} // namespace canang::net::centrifugo
