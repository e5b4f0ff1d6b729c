#include "base/trace_context.hpp"

#include <gtest/gtest.h>

#include <string>
#include <unordered_set>

namespace canang {
namespace {

constexpr auto good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(trace_context, is_read_and_written) {
  const auto at = parse_traceparent(good);
  ASSERT_TRUE(at);
  EXPECT_EQ(at->trace_high, 0x0af7651916cd43ddU);
  EXPECT_EQ(at->trace_low, 0x8448eb211c80319cU);
  EXPECT_EQ(at->span, 0xb7ad6b7169203331U);
  EXPECT_TRUE(at->is_sampled);
  EXPECT_EQ(to_traceparent(*at), good);
  EXPECT_EQ(trace_id_of(*at), "0af7651916cd43dd8448eb211c80319c");
}

TEST(trace_context, reads_one_bit_of_the_flags) {
  const std::string start{good, 53};
  for (const auto* const flags : {"01", "03", "ff"})
    EXPECT_TRUE(parse_traceparent(start + flags).value().is_sampled) << flags;
  for (const auto* const flags : {"00", "02", "fe"})
    EXPECT_FALSE(parse_traceparent(start + flags).value().is_sampled) << flags;
  EXPECT_EQ(to_traceparent(parse_traceparent(start + "02").value()), start + "00");
}

TEST(trace_context, reads_the_first_fields_of_later_versions) {
  EXPECT_TRUE(parse_traceparent("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
  EXPECT_TRUE(parse_traceparent("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what"));
  EXPECT_FALSE(parse_traceparent("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01what"));
}

TEST(trace_context, is_nothing_where_it_is_not_well_formed) {
  const std::string text{good};
  EXPECT_FALSE(parse_traceparent(""));
  EXPECT_FALSE(parse_traceparent(text + "-"));
  EXPECT_FALSE(parse_traceparent(text + "-more"));
  EXPECT_FALSE(parse_traceparent(text + " "));
  EXPECT_FALSE(parse_traceparent("ff" + text.substr(2)));
  EXPECT_FALSE(parse_traceparent("00-00000000000000000000000000000000-b7ad6b7169203331-01"));
  EXPECT_FALSE(parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"));
  for (std::size_t i = 0; i < text.size(); ++i) {
    EXPECT_FALSE(parse_traceparent(text.substr(0, i))) << i;
    for (const char wrong : {'g', 'A', ' ', '\0', '_'}) {
      auto other = text;
      other[i] = wrong;
      EXPECT_FALSE(parse_traceparent(other)) << other;
    }
  }
}

TEST(trace_context, has_ids_of_its_own) {
  std::unordered_set<std::uint64_t> ids;
  constexpr std::size_t count = 1000;
  for (std::size_t i = 0; i < count; ++i) {
    const auto at = new_trace();
    EXPECT_TRUE(at.is_sampled);
    const auto child = child_of(at);
    EXPECT_EQ(child.trace_high, at.trace_high);
    EXPECT_EQ(child.trace_low, at.trace_low);
    EXPECT_EQ(parse_traceparent(to_traceparent(child)), child);
    for (const auto id : {at.trace_high, at.trace_low, at.span, child.span})
      EXPECT_TRUE(ids.insert(id).second);
  }
}

} // namespace
} // namespace canang
