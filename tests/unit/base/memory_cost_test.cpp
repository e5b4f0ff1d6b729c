#include "base/memory_cost.hpp"

#include "base/name_map.hpp"
#include "base/rare_text.hpp"
#include "cluster/publication.hpp"

#include <gtest/gtest.h>

namespace canang::cluster {
namespace {

TEST(memory_cost, of_an_allocation_is_its_size_class) {
  const std::pair<std::size_t, std::size_t> table[]{
    {0, 0},           {1, 16},         {16, 16},     {17, 32},         {112, 112},
    {128, 128},       {129, 160},      {160, 160},   {161, 192},       {256, 256},
    {257, 320},       {1024, 1024},    {1025, 1280}, {14'336, 14'336}, {14'337, 16'384},
    {60'000, 65'536}, {65'536, 69'632}};
  for (const auto& [asked, taken] : table)
    EXPECT_EQ(allocated(asked), taken) << asked;
}

TEST(memory_cost, of_a_text_is_nothing_where_it_lies_in_its_string) {
  EXPECT_EQ(heap_of_text(15), 0U);
  EXPECT_EQ(heap_of_text(16), 32U);
  EXPECT_EQ(heap_of(std::string(1000, 'x')), 1024U);
  EXPECT_EQ(rare_text{}.cost(), 0U);
  EXPECT_EQ(rare_text{"ann"}.cost(), sizeof(std::string));
  EXPECT_GT(rare_text{std::string(255, 'x')}.cost(), 256U);
}

TEST(memory_cost, of_a_publication_is_never_nothing) {
  publication empty;
  publication large;
  large.data.resize(60'000);
  EXPECT_GE(empty.cost(), sizeof(publication));
  EXPECT_LT(empty.cost(), sizeof(publication) + 64);
  EXPECT_GE(large.cost(), 60'000U);
  EXPECT_LT(large.cost(), 72'000U);
}

TEST(memory_cost, of_a_crowd_that_is_gone_is_given_back) {
  name_map<int> table;
  for (int i = 0; i < 100'000; ++i)
    table.emplace(std::to_string(i), i);
  give_back_buckets(table);
  EXPECT_GT(table.bucket_count(), 50'000U) << "they are in use";
  for (int i = 10; i < 100'000; ++i)
    table.erase(std::to_string(i));
  give_back_buckets(table);
  EXPECT_LT(table.bucket_count(), 100U);
  EXPECT_EQ(table.size(), 10U);
}

} // namespace
} // namespace canang::cluster
