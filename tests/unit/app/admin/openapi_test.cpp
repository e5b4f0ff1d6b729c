#include "app/admin/openapi.hpp"

#include "app/admin/api_request.hpp"

#include <gtest/gtest.h>

#include <simdjson.h>

#include <set>
#include <string>

namespace canang::admin {
namespace {

std::set<std::string> described_paths() {
  simdjson::dom::parser parser;
  const simdjson::padded_string text{openapi_json};
  simdjson::dom::object paths;
  EXPECT_EQ(parser.parse(text)["paths"].get(paths), simdjson::SUCCESS);
  std::set<std::string> names;
  for (const auto path : paths)
    names.emplace(path.key);
  return names;
}

TEST(openapi, all_methods_are_described_and_no_others) {
  std::set<std::string> expected{"/api/batch", "/api/openapi.json"};
  for (const auto& method : api_methods())
    expected.insert("/api/" + std::string{method.name});
  EXPECT_EQ(described_paths(), expected);
}

} // namespace
} // namespace canang::admin
