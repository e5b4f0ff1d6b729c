#include "app/toml_document.hpp"

#include <gtest/gtest.h>

#include <string>

namespace canang::app {
namespace {

using kind = toml_value::kind;

toml_value read(const std::string& text) {
  auto result = read_toml(text);
  if (const auto* const fault = std::get_if<text_fault>(&result)) {
    ADD_FAILURE() << fault->at.line << ':' << fault->at.column << ": " << fault->what;
    return {};
  }
  return std::get<toml_value>(std::move(result));
}

text_fault fault_of(const std::string& text) {
  const auto result = read_toml(text);
  if (const auto* const fault = std::get_if<text_fault>(&result))
    return *fault;
  ADD_FAILURE() << "taken: " << text;
  return {};
}

void expect_fault(const std::string& text, text_place at, const std::string& part = {}) {
  const auto fault = fault_of(text);
  EXPECT_EQ(fault.at.line, at.line) << text << ": " << fault.what;
  EXPECT_EQ(fault.at.column, at.column) << text << ": " << fault.what;
  EXPECT_NE(fault.what.find(part), std::string::npos) << fault.what;
  EXPECT_EQ(fault.what.find('\n'), std::string::npos) << fault.what;
}

TEST(toml_document_test, has_values_of_the_kinds_that_settings_have) {
  const auto document = read("text = \"25s\"\nnumber = 1_000\nnone = -5\nyes = true\nno = false\n"
                             "list = ['a', \"b\",\n  'c',\n]\nempty = []\n");
  ASSERT_EQ(document.what, kind::table);
  ASSERT_EQ(document.entries.size(), 7U);
  const auto expect = [&](std::size_t i, const char* key, kind what, const char* text) {
    EXPECT_EQ(document.entries[i].key, key);
    EXPECT_EQ(document.entries[i].value.what, what) << key;
    EXPECT_EQ(document.entries[i].value.text, text) << key;
  };
  expect(0, "text", kind::text, "25s");
  expect(1, "number", kind::integer, "1000");
  expect(2, "none", kind::integer, "-5");
  expect(3, "yes", kind::boolean, "true");
  expect(4, "no", kind::boolean, "false");
  expect(5, "list", kind::list, "");
  EXPECT_EQ(document.entries[5].value.items, (std::vector<std::string>{"a", "b", "c"}));
  expect(6, "empty", kind::list, "");
}

TEST(toml_document_test, has_tables_and_the_order_and_the_places_of_the_text) {
  const auto document =
    read("\xEF\xBB\xBFzz = 1\r\naa = 2\n\n[rooms]\nkey = \"v\"\n[namespaces.\"ä.b\"]\nx.y = 3\n");
  ASSERT_EQ(document.entries.size(), 4U);
  EXPECT_EQ(document.entries[0].key, "zz");
  EXPECT_EQ(document.entries[1].key, "aa");
  EXPECT_EQ(document.entries[1].value.at, (text_place{2, 6}));
  const auto& rooms = document.entries[2];
  EXPECT_EQ(rooms.key, "rooms");
  ASSERT_EQ(rooms.value.entries.size(), 1U);
  EXPECT_EQ(rooms.value.entries[0].at, (text_place{5, 1}));
  EXPECT_EQ(rooms.value.entries[0].value.at, (text_place{5, 7}));
  const auto& spaces = document.entries[3].value;
  ASSERT_EQ(spaces.entries.size(), 1U);
  EXPECT_EQ(spaces.entries[0].key, "ä.b");
  EXPECT_EQ(spaces.entries[0].at, (text_place{6, 13}));
  ASSERT_EQ(spaces.entries[0].value.entries.size(), 1U);
  EXPECT_EQ(spaces.entries[0].value.entries[0].value.what, kind::table);
}

TEST(toml_document_test, has_of_a_fraction_a_text_that_is_no_integer) {
  const std::pair<const char*, const char*> texts[] = {
    {"0.05", "0.05"}, {"1.0", "1.0"},    {"-2.50", "-2.5"}, {"1e3", "1000.0"},
    {"0.0", "0.0"},   {"1e-7", "1e-07"}, {"inf", "inf"},    {"nan", "nan"}};
  for (const auto& [given, wanted] : texts) {
    const auto document = read(std::string{"a = "} + given);
    ASSERT_EQ(document.entries.size(), 1U);
    EXPECT_EQ(document.entries[0].value.what, kind::fraction) << given;
    EXPECT_EQ(document.entries[0].value.text, wanted);
  }
}

TEST(toml_document_test, says_of_what_no_setting_has_that_it_is_of_no_use) {
  for (const auto* const text : {"a = 2026-01-01", "a = 07:32:00", "a = [1]", "a = ['x', 1]",
                                 "a = [['x']]", "[[a]]\nb = 1"}) {
    const auto document = read(text);
    ASSERT_EQ(document.entries.size(), 1U);
    EXPECT_EQ(document.entries[0].value.what, kind::unusable) << text;
  }
}

TEST(toml_document_test, names_line_and_column_of_what_is_wrong) {
  expect_fault("a = 1\nb = \"x\n", {2, 7}, "a quote is missing");
  expect_fault("a = 1\n b = \n", {2, 6}, "value");
  expect_fault("[rooms\n", {1, 7});
  expect_fault("[ = 1\n", {1, 3}, "key"); // which the parser takes for impossible
  expect_fault("[[\n", {1, 3});
  expect_fault("s\u0154 = 1\n", {1, 2}); // of which it does not know that it is no blank
  expect_fault("[[s\u0154]]\n", {1, 4});
  expect_fault("a = 1\nb = 2\n  a = 3\n", {3, 3}, "'a'");
  expect_fault("[rooms]\n[x]\n[rooms]\n", {3, 1}, "rooms");
  expect_fault("a = 1\n[a]\n", {2, 1});
  expect_fault("a = 99999999999999999999\n", {1, 25}, "integer");
}

TEST(toml_document_test, tells_who_has_a_file_of_before_that_values_are_quoted_now) {
  const auto expect_hint = [](const std::string& text, std::uint32_t line, const std::string& key) {
    const auto fault = fault_of(text);
    EXPECT_EQ(fault.at.line, line) << text;
    EXPECT_NE(fault.what.find("values are quoted now, as in " + key + " = \"...\""),
              std::string::npos)
      << text << ": " << fault.what;
  };
  expect_hint("# comment\nworkers=2\nping-interval=25s\n", 3, "ping-interval");
  expect_hint("listen=127.0.0.1:80\n", 1, "listen");
  expect_hint("listen=[::]:80\nx=1\n", 1, "listen");
  expect_hint("log-level = info\n", 1, "log-level");
  expect_hint("\nhistory-ttl=1h", 2, "history-ttl");
  expect_hint("redis=redis://localhost\n", 1, "redis");
  expect_hint("presence=*\n", 1, "presence");
  expect_hint("redis-prefix=a.b\n", 1, "redis-prefix");
  EXPECT_EQ(fault_of("ping-interval = \"25s\n").what.find("quoted now"), std::string::npos);
}

TEST(toml_document_test, shows_no_value_since_it_may_be_a_password) {
  for (const auto* const text :
       {"redis = redis://ann:q7q8q9@host\n", "redis = \"redis://ann:q7q8q9@host\n",
        "internal-key = 777888999777888999777888999\n", "a = 'q7q8q9' q7q8q9\n",
        "a = { b = 'q7q8q9' c = 2 }\n", "redis = ['q7q8q9' 'q7q8q9']\n", "a = truq7q8q9\n",
        "a = 0x777888999777888999777888999\n", "a = 777888999.777888999e7778889997778889999\n"}) {
    const auto fault = fault_of(text).what;
    EXPECT_EQ(fault.find("q7q8q9"), std::string::npos) << fault;
    EXPECT_EQ(fault.find("777888999"), std::string::npos) << fault;
  }
}

TEST(toml_document_test, is_utf8_and_says_where_it_is_not) {
  expect_fault("a = 'x'\nb = '\xC3\xA4\xFF'\n", {2, 7}, "UTF-8");
  expect_fault("# \xED\xA0\x80\n", {1, 3}, "UTF-8");
  expect_fault("a = 1 # \xE2\x82", {1, 9}, "ends within");
}

TEST(toml_document_test, is_not_larger_than_settings_get) {
  expect_fault(std::string(max_toml_bytes + 1, '#'), {1, 1}, "bytes");
  EXPECT_EQ(read(std::string(max_toml_bytes, '#')).entries.size(), 0U);
}

/// A table in a table is a call in a call for the parser: they must not overflow the stack.
TEST(toml_document_test, is_not_deeper_than_a_stack) {
  std::string dots;
  for (int i = 0; i < 100'000; ++i)
    dots += "a.";
  expect_fault("x = 1\n" + dots + "a = 1\n", {2, 1}, "dots");
  std::string deepest;
  for (std::size_t i = 0; i < max_dots_a_line; ++i)
    deepest += "a.";
  deepest += "a";
  EXPECT_EQ(read("[" + deepest + "]\n" + deepest + " = 1\n").entries.size(), 1U);
  std::string nested = "b = ";
  for (std::size_t i = 0; i < max_nested_values - 1; ++i)
    nested += "[\n{ " + deepest + " = ";
  EXPECT_FALSE(fault_of(nested).what.empty());
  EXPECT_FALSE(fault_of("b = " + std::string(200'000, '[')).what.empty());
  EXPECT_FALSE(fault_of("b = " + std::string(200'000, '{')).what.empty());
}

} // namespace
} // namespace canang::app
