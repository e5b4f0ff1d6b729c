#include "app/hook_options.hpp"

#include "app/identity_options.hpp"
#include "app/options.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

namespace canang::app {
namespace {

using namespace std::chrono_literals;
using net::hook_kind;

struct hook_options_test : testing::Test {
  options into;
  std::vector<std::string> files;

  ~hook_options_test() override {
    for (const auto& name : files)
      ::unlink(name.c_str());
  }

  std::string file(std::string_view content) {
    files.push_back(testing::TempDir() + "canang_hook_options_" + std::to_string(::getpid()) + '_'
                    + std::to_string(files.size()));
    std::ofstream{files.back(), std::ios::binary} << content;
    return files.back();
  }

  /// @returns what is wrong; empty: nothing.
  std::string read(std::vector<std::string> arguments) {
    std::vector<const char*> argv{"canang"};
    for (const auto& argument : arguments)
      argv.push_back(argument.c_str());
    into = {};
    return reread_options(static_cast<int>(argv.size()), argv.data(), into).value_or("");
  }

  [[nodiscard]] const net::hook_settings& hooks() const { return into.server.hooks; }
};

TEST_F(hook_options_test, ask_nobody_by_default) {
  EXPECT_EQ(read({}), "");
  EXPECT_FALSE(hooks().are_any());
  EXPECT_EQ(hooks().timeout, 1s);
  EXPECT_EQ(hooks().in_flight, 128U);
  EXPECT_FALSE(hooks().fails_open);
  EXPECT_EQ(hook_warning(hooks()), "");
}

TEST_F(hook_options_test, name_a_url_for_each_question_and_event) {
  const std::pair<const char*, hook_kind> all[]{
    {"--hook-connect", hook_kind::connect},         {"--hook-refresh", hook_kind::refresh},
    {"--hook-subscribe", hook_kind::subscribe},     {"--hook-publish", hook_kind::publish},
    {"--hook-sub-refresh", hook_kind::sub_refresh}, {"--hook-rpc", hook_kind::rpc},
    {"--hook-disconnect", hook_kind::disconnect},   {"--hook-rooms", hook_kind::rooms}};
  for (const auto& [flag, what] : all) {
    EXPECT_EQ(read({flag, "https://app.example:8443/canang?key=secret"}), "") << flag;
    ASSERT_TRUE(hooks().of(what)) << flag;
    const auto& to = *hooks().of(what);
    EXPECT_TRUE(to.uses_tls && to.is_safe);
    EXPECT_EQ(to.host, "app.example");
    EXPECT_EQ(to.port, "8443");
    EXPECT_EQ(to.target, "/canang?key=secret");
    EXPECT_EQ(to.shown.find("secret"), std::string::npos);
    EXPECT_NE(read({flag, "ftp://app.example/?key=secret"}), "");
    EXPECT_EQ(read({flag, "ftp://app.example/?key=secret"}).find("secret"), std::string::npos);
  }
}

TEST_F(hook_options_test, warn_where_others_can_answer) {
  EXPECT_EQ(read({"--hook-rpc=http://127.0.0.1:3000/rpc"}), "");
  EXPECT_EQ(hook_warning(hooks()), "");
  EXPECT_EQ(read({"--hook-rpc=http://app.example/rpc?key=secret"}), "");
  EXPECT_NE(hook_warning(hooks()).find("app.example"), std::string::npos);
  EXPECT_EQ(hook_warning(hooks()).find("secret"), std::string::npos);
}

TEST_F(hook_options_test, have_a_secret_from_a_file_or_a_flag) {
  EXPECT_EQ(read({"--hook-secret=sixteen-characters"}), "");
  EXPECT_EQ(hooks().secret, "sixteen-characters");
  EXPECT_EQ(read({"--hook-secret-file", file("sixteen-characters\r\n")}), "");
  EXPECT_EQ(hooks().secret, "sixteen-characters");
  EXPECT_NE(read({"--hook-secret=short"}), "");
  EXPECT_EQ(read({"--hook-secret=short"}).find("short"), std::string::npos);
  EXPECT_NE(read({"--hook-secret-file", file("two\nlines are too much")}), "");
  EXPECT_NE(read({"--hook-secret-file", file(std::string(2000, 'x'))}), "");
  EXPECT_NE(read({"--hook-secret-file=/nonexistent"}), "");
  EXPECT_NE(read({"--hook-secret=sixteen-characters", "--hook-secret-file", file("x")}), "");
}

TEST_F(hook_options_test, pass_on_fields_of_requests_but_not_those_of_the_request_itself) {
  EXPECT_EQ(read({"--hook-headers", "Cookie,authorization", "--hook-headers", "X-Real-IP,cookie"}),
            "");
  EXPECT_EQ(hooks().headers, (std::vector<std::string>{"cookie", "authorization", "x-real-ip"}));
  for (const auto* name : {"Host", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade",
                           "X-Canang-Signature", "a b", "a:b", "a\r\nb"})
    EXPECT_NE(read({"--hook-headers", name}), "") << name;
}

TEST_F(hook_options_test, say_what_becomes_of_clients_without_an_answer) {
  EXPECT_EQ(read({"--hook-fail=open", "--hook-timeout=250ms", "--hook-in-flight=16"}), "");
  EXPECT_TRUE(hooks().fails_open);
  EXPECT_EQ(hooks().timeout, 250ms);
  EXPECT_EQ(hooks().in_flight, 16U);
  for (const auto* bad :
       {"--hook-fail=yes", "--hook-timeout=0s", "--hook-in-flight=0", "--hook-in-flight=5000"})
    EXPECT_NE(read({bad}), "") << bad;
}

TEST_F(hook_options_test, take_only_authorities_that_there_are) {
  EXPECT_NE(read({"--hook-ca=/nonexistent"}), "");
  EXPECT_NE(read({"--hook-ca", file("no certificate")}), "");
}

TEST_F(hook_options_test, let_a_program_say_who_clients_are_instead_of_keys) {
  EXPECT_EQ(read({"--anonymous=no"}), "");
  EXPECT_NE(settle_identities(into).fault, "");
  EXPECT_EQ(read({"--anonymous=no", "--hook-connect=http://127.0.0.1/connect"}), "");
  EXPECT_EQ(settle_identities(into).fault, "");
}

} // namespace
} // namespace canang::app
