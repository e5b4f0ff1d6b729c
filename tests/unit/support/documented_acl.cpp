#include "tests/unit/support/documented_acl.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <regex>

namespace canang::test {

std::vector<std::string> documented_acl(const std::string& prefix) {
  std::ifstream file{CANANG_SOURCE_DIR "/docs/configuration.md"};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  const auto begin = text.rfind("\n\n", text.find("ACL"));
  const auto paragraph = text.substr(begin, text.find("\n\n", begin + 2) - begin);
  std::vector<std::string> rules{"--user",
                                 acl_user,
                                 "on",
                                 std::string{">"} + acl_password,
                                 "~" + prefix + ":*",
                                 "&" + prefix + ":*",
                                 "-@all"};
  const std::regex command{R"(\+[a-z|]+)"};
  for (std::sregex_iterator at{paragraph.begin(), paragraph.end(), command}, end; at != end; ++at)
    rules.push_back(at->str());
  EXPECT_GT(rules.size(), 27U) << "no list of an ACL in docs/configuration.md";
  return rules;
}

} // namespace canang::test
