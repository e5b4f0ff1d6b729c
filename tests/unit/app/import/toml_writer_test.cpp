#include "app/import/toml_writer.hpp"

#include "app/toml_document.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <variant>

namespace canang::app {
namespace {

TEST(toml_writer_test, quotes_any_text_so_that_it_reads_back) {
  for (const std::string& text :
       {std::string{"plain"}, std::string{"a \"quote\" and a \\"},
        std::string{"two\nlines\t\x01\x7f"}, std::string{"ét\u00e9 \u202e"}, std::string{},
        std::string{"\0", 1}}) {
    const auto read = read_toml("key = " + toml_text(text));
    const auto* const document = std::get_if<toml_value>(&read);
    ASSERT_NE(document, nullptr) << toml_text(text);
    EXPECT_EQ(document->entries.at(0).value.text, text);
  }
}

TEST(toml_writer_test, breaks_comments_into_lines_and_lets_nothing_out_of_them) {
  toml_writer out;
  out.note("a\nlisten = 1 " + std::string(300, 'x') + " " + std::string(3000, '.'));
  EXPECT_EQ(out.text().find("\nlisten"), std::string::npos);
  std::size_t start = 0;
  while (start < out.text().size()) {
    const auto end = out.text().find('\n', start);
    EXPECT_EQ(out.text().substr(start, 2), "# ");
    EXPECT_LE(end - start, 100U);
    start = end + 1;
  }
  EXPECT_TRUE(std::holds_alternative<toml_value>(read_toml(out.text())));
}

TEST(toml_writer_test, does_not_cut_within_a_character) {
  toml_writer out;
  std::string word = "x";
  for (int i = 0; i < 200; ++i)
    word += "\u00e9";
  out.note(word);
  EXPECT_TRUE(std::holds_alternative<toml_value>(read_toml(out.text())));
}

TEST(toml_writer_test, writes_lines_lists_and_tables) {
  toml_writer out;
  out.line("a", "1", "x.y");
  out.list("b", {"one"}, "");
  out.list("c", {"one", "two"}, "z");
  out.table("", "rooms");
  out.table("namespaces.", "a.b");
  EXPECT_EQ(out.text(),
            "a = 1  # x.y\nb = \"one\"\nc = [  # z\n  \"one\",\n  \"two\",\n]\n\n[rooms]\n\n"
            "[namespaces.\"a.b\"]\n");
}

} // namespace
} // namespace canang::app
