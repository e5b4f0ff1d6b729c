#pragma once

#include <string>
#include <vector>

namespace canang::test {

/// The user of the tests on a real Redis, who may do what docs/configuration.md names and nothing else.
inline constexpr const char* acl_user = "canang";
inline constexpr const char* acl_password = "secret";

/// As redis-server takes that user: `--user canang on ...`, for keys and channels of a prefix.
[[nodiscard]] std::vector<std::string> documented_acl(const std::string& prefix);

} // namespace canang::test
