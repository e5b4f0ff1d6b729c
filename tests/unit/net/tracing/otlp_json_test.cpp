#include "net/tracing/otlp_json.hpp"

#include <gtest/gtest.h>

#include <simdjson.h>

#include <array>
#include <chrono>
#include <string>

namespace canang::net {
namespace {

using std::chrono::nanoseconds;

const trace_context at{.trace_high = 0x0af7651916cd43ddU,
                       .trace_low = 0x8448eb211c80319cU,
                       .span = 0x00ad6b7169203331U,
                       .is_sampled = true};

span example() {
  return {.at = at,
          .parent = 0x1fU,
          .kind = span_kind::producer,
          .name = "broker",
          .began = span::clock::time_point{nanoseconds{1'000}},
          .ended = span::clock::time_point{nanoseconds{3'500}},
          .attributes = {{"canang.room", std::string{"a \"room\""}},
                         {"canang.bytes", std::int64_t{-9'007'199'254'740'993}}}};
}

TEST(otlp_json, is_what_a_collector_reads) {
  const std::array spans{example()};
  EXPECT_EQ(
    encode_spans({.service = "canang", .version = "1.2", .instance = "n1"}, spans, 5'000'000'000),
    R"({"resourceSpans":[{"resource":{"attributes":[)"
    R"({"key":"service.name","value":{"stringValue":"canang"}},)"
    R"({"key":"service.version","value":{"stringValue":"1.2"}},)"
    R"({"key":"service.instance.id","value":{"stringValue":"n1"}}]},)"
    R"("scopeSpans":[{"scope":{"name":"canang","version":"1.2"},"spans":[)"
    R"({"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"00ad6b7169203331",)"
    R"("parentSpanId":"000000000000001f","flags":1,"name":"broker","kind":4,)"
    R"("startTimeUnixNano":"5000001000","endTimeUnixNano":"5000003500","attributes":[)"
    R"({"key":"canang.room","value":{"stringValue":"a \"room\""}},)"
    R"({"key":"canang.bytes","value":{"intValue":"-9007199254740993"}}]}]}]}]})");
}

TEST(otlp_json, tells_faults_and_has_no_parent_where_there_is_none) {
  auto one = example();
  one.parent = 0;
  one.fault = "not stored\nin time";
  one.ended = one.began - nanoseconds{1};
  const std::array spans{one, one};
  simdjson::dom::parser parser;
  const auto text = encode_spans({}, spans, 0);
  const simdjson::dom::array told =
    parser.parse(text)["resourceSpans"].at(0)["scopeSpans"].at(0)["spans"].get_array();
  ASSERT_EQ(told.size(), 2U);
  for (const auto& span : told) {
    EXPECT_EQ(span["parentSpanId"].error(), simdjson::NO_SUCH_FIELD);
    EXPECT_EQ(std::uint64_t{span["status"]["code"]}, 2U);
    EXPECT_EQ(std::string_view{span["status"]["message"]}, "not stored\nin time");
    EXPECT_EQ(std::string_view{span["endTimeUnixNano"]},
              std::string_view{span["startTimeUnixNano"]});
  }
}

TEST(otlp_json, reads_how_many_were_rejected) {
  const auto rejected = [](std::string_view answer) {
    std::string why;
    return std::pair{rejected_spans(answer, why), why};
  };
  using result = std::pair<std::uint64_t, std::string>;
  EXPECT_EQ(rejected(R"({"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}})"),
            (result{3, "too old"}));
  EXPECT_EQ(rejected(R"({"partialSuccess":{"rejectedSpans":3}})"), (result{3, ""}));
  EXPECT_EQ(rejected(R"({"partialSuccess":{"errorMessage":"a warning"}})"),
            (result{0, "a warning"}));
  for (const auto* const answer :
       {"", "{}", R"({"partialSuccess":null})", R"({"partialSuccess":{}})", "<html>", "[]",
        R"({"partialSuccess":{"rejectedSpans":"-1"}})",
        R"({"partialSuccess":{"rejectedSpans":-1}})",
        R"({"partialSuccess":{"rejectedSpans":"9999999999999999999999"}})",
        R"({"partialSuccess":{"rejectedSpans":"x"}})"})
    EXPECT_EQ(rejected(answer).first, 0U) << answer;
}

} // namespace
} // namespace canang::net
