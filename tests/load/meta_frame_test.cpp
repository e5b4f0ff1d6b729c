#include "bench/load/meta_frame.hpp"

#include <gtest/gtest.h>

#include <string>

namespace canang::load {
namespace {

using kind = meta_frame::kind;

TEST(meta_frame, reads_a_publication) {
  const auto frame = parse_meta_frame(R"({"epoch":"q3k8zn5tca","offset":18,"data":"7:0:..."})");
  EXPECT_EQ(frame.what, kind::publication);
  EXPECT_EQ(frame.epoch, "q3k8zn5tca");
  EXPECT_EQ(frame.offset, 18U);
  EXPECT_EQ(frame.text, "7:0:...");
}

TEST(meta_frame, reads_joins_that_recovered_and_that_did_not) {
  const auto good = parse_meta_frame(
    R"({"join":{"room":"load-7","epoch":"q3k8zn5tca","offset":17,"recovered":true}})");
  EXPECT_EQ(good.what, kind::join);
  EXPECT_EQ(good.epoch, "q3k8zn5tca");
  EXPECT_EQ(good.offset, 17U);
  EXPECT_TRUE(good.recovered);
  const auto bad = parse_meta_frame(
    R"({"join":{"room":"load-7","epoch":"q3k8zn5tca","offset":0,"recovered":false}})");
  EXPECT_EQ(bad.what, kind::join);
  EXPECT_FALSE(bad.recovered);
}

TEST(meta_frame, reads_the_position_of_an_event) {
  const auto frame = parse_meta_frame(R"({"epoch":"e","offset":3,"left":{"id":"a","user":"b"}})");
  EXPECT_EQ(frame.what, kind::event);
  EXPECT_EQ(frame.offset, 3U);
  EXPECT_EQ(frame.text, R"("left":{"id":"a","user":"b"}})");
}

TEST(meta_frame, reads_the_code_of_an_error) {
  const auto frame = parse_meta_frame(R"({"error":{"code":"unavailable","message":"try again"}})");
  EXPECT_EQ(frame.what, kind::error);
  EXPECT_EQ(frame.text, "unavailable");
}

TEST(meta_frame, anything_else_is_malformed_and_so_is_every_beginning) {
  for (const std::string whole :
       {R"({"epoch":"e","offset":18,"data":"7:0:..."})",
        R"({"join":{"room":"r","epoch":"e","offset":17,"recovered":true}})",
        R"({"epoch":"e","offset":3,"joined":{"id":"a","user":"b"}})"}) {
    for (std::size_t size = 0; size + 1 < whole.size(); ++size)
      EXPECT_EQ(parse_meta_frame(std::string_view{whole}.substr(0, size)).what, kind::malformed)
        << whole.substr(0, size);
  }
  EXPECT_EQ(parse_meta_frame("hello").what, kind::malformed);
  EXPECT_EQ(parse_meta_frame(R"({"epoch":"e","offset":x,"data":""})").what, kind::malformed);
}

} // namespace
} // namespace canang::load
