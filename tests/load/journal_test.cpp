#include "bench/load/journal.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace canang::load {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream file{path};
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(journal, writes_a_line_an_event_and_says_that_it_is_whole) {
  const auto path = testing::TempDir() + "canang-journal-test";
  {
    journal j{path};
    j.head(2, 3);
    j.note(1'234'567'890, 'c', 4);
    j.note(1'234'999'999, 'f', 4, "timed out");
    j.note(2'000'000'000, 'p', 5, "epoch", 17, "4:0");
    j.end();
  }
  EXPECT_EQ(text_of(path), "# rooms 2 members 3\n"
                           "1234567 c 4\n"
                           "1234999 f 4 timed_out\n"
                           "2000000 p 5 epoch 17 4:0\n"
                           "# end\n");
  std::remove(path.c_str());
}

TEST(journal, that_was_not_ended_lacks_the_last_line) {
  const auto path = testing::TempDir() + "canang-journal-test-cut";
  { journal{path}.note(1'000, 'c', 0); }
  EXPECT_EQ(text_of(path), "1 c 0\n");
  std::remove(path.c_str());
}

TEST(journal, that_cannot_be_written_is_an_error) {
  EXPECT_THROW(journal{"/no/such/folder/journal"}, std::runtime_error);
  journal full{"/dev/full"};
  full.note(1'000, 'c', 0);
  EXPECT_THROW(full.end(), std::runtime_error);
}

} // namespace
} // namespace canang::load
