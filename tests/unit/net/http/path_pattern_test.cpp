#include "net/http/path_pattern.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace canang::net {
namespace {

/// What `pattern` names `name` in `path`, or "no" where it is not for it.
std::string named(const char* pattern, std::string_view path, std::string_view name = "x") {
  path_values values;
  const path_pattern compiled{pattern};
  return compiled.matches(path, values) ? std::string{values[name]} : "no";
}

TEST(path_pattern, is_for_its_literal_path_alone) {
  EXPECT_EQ(named("/nodes", "/nodes"), "");
  EXPECT_EQ(named("/", "/"), "");
  EXPECT_EQ(named("/a/b", "/a/b"), "");
  for (const char* path : {"", "/", "nodes", "/node", "/nodesx", "/nodes/", "//nodes", "/Nodes",
                           "/nodes/a", "/%6eodes", "*"})
    EXPECT_EQ(named("/nodes", path), "no") << path;
}

TEST(path_pattern, names_one_segment_that_is_not_empty) {
  EXPECT_EQ(named("/api/{x}", "/api/publish"), "publish");
  EXPECT_EQ(named("/api/{x}", "/api/a%2Fb"), "a%2Fb") << "as it stands";
  EXPECT_EQ(named("/{y}/of/{x}", "/a/of/b"), "b");
  EXPECT_EQ(named("/{y}/of/{x}", "/a/of/b", "y"), "a");
  EXPECT_EQ(named("/{y}/of/{x}", "/a/of/b", "z"), "");
  for (const char* path : {"/api", "/api/", "/api/a/", "/api/a/b", "/api//"})
    EXPECT_EQ(named("/api/{x}", path), "no") << path;
}

TEST(path_pattern, names_a_rest_which_may_be_empty) {
  EXPECT_EQ(named("/ws/{x*}", "/ws/a"), "a");
  EXPECT_EQ(named("/ws/{x*}", "/ws/a/b/"), "a/b/");
  EXPECT_EQ(named("/ws/{x*}", "/ws/"), "");
  EXPECT_EQ(named("/{x*}", "/"), "");
  EXPECT_EQ(named("/{x*}", "//"), "/");
  for (const char* path : {"/ws", "/wsx", "/", "", "*"})
    EXPECT_EQ(named("/ws/{x*}", path), "no") << path;
}

TEST(path_pattern, may_go_on_behind_a_rest) {
  EXPECT_EQ(named("/rooms/{x*}/presence", "/rooms/a/presence"), "a");
  EXPECT_EQ(named("/rooms/{x*}/presence", "/rooms/a/b/presence"), "a/b");
  EXPECT_EQ(named("/rooms/{x*}/presence", "/rooms/presence/presence"), "presence");
  EXPECT_EQ(named("/rooms/{x*}/presence", "/rooms//presence"), "");
  for (const char* path : {"/rooms/presence", "/rooms/a", "/rooms/a/presence/", "/rooms/apresence"})
    EXPECT_EQ(named("/rooms/{x*}/presence", path), "no") << path;
  EXPECT_EQ(named("/{a}/{b*}/{c}/end/{x}", "/1/2/3/4/end/5"), "5");
  EXPECT_EQ(named("/{a}/{b*}/{c}/end/{x}", "/1/2/3/4/end/5", "a"), "1");
  EXPECT_EQ(named("/{a}/{b*}/{c}/end/{x}", "/1/2/3/4/end/5", "b"), "2/3");
  EXPECT_EQ(named("/{a}/{b*}/{c}/end/{x}", "/1/2/3/4/end/5", "c"), "4");
}

TEST(path_pattern, refuses_what_is_none) {
  for (const char* text : {"", "a", "*", "/{a*}/{b*}", "/{a}/{b}/{c}/{d}/{e}"})
    EXPECT_THROW(path_pattern{text}, std::invalid_argument) << text;
}

TEST(path_pattern, comes_before_one_that_says_less) {
  const auto before = [](const char* one, const char* other) {
    const path_pattern first{one};
    const path_pattern second{other};
    return first.comes_before(second) && !second.comes_before(first);
  };
  EXPECT_TRUE(before("/a", "/{x}"));
  EXPECT_TRUE(before("/{x}", "/{x*}"));
  EXPECT_TRUE(before("/a/{x*}", "/{x*}"));
  EXPECT_TRUE(before("/rooms/{x*}/presence", "/rooms/{x*}"));
  EXPECT_TRUE(before("/a/b", "/a"));
}

} // namespace
} // namespace canang::net
