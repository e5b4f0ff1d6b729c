#include "actors/node/announcement.hpp"

#include <gtest/gtest.h>

#include <string>

namespace canang::actors {
namespace {

using namespace std::chrono_literals;

const std::string plain = R"({"id":"n1","address":"\",\"announces\":{","rooms":3})";
const net::emulation_key key{1, 0xFEDCBA9876543210};

cluster::redis_roster::roster living(const std::vector<std::string>& descriptions) {
  cluster::redis_roster::roster all;
  for (const auto& description : descriptions)
    all.push_back({"n" + std::to_string(all.size()), description});
  return all;
}

TEST(announcement, is_read_by_others_and_hidden_from_the_rest) {
  const auto told = announce(plain, {.key = key, .reads_notes = true});
  EXPECT_EQ(announcement_in(told).key, key);
  EXPECT_TRUE(announcement_in(told).reads_notes);
  EXPECT_EQ(without_announcement(told), plain);
  const auto less = announce(plain, {});
  EXPECT_EQ(announcement_in(less).key, std::nullopt);
  EXPECT_FALSE(announcement_in(less).reads_notes);
  EXPECT_EQ(without_announcement(less), plain);
}

TEST(announcement, of_an_older_or_a_newer_node_is_taken_as_it_is) {
  for (const char* older : {"{}", plain.c_str(), "", "[]", "no json", R"({"announces":7})"}) {
    EXPECT_EQ(announcement_in(older).key, std::nullopt) << older;
    EXPECT_FALSE(announcement_in(older).reads_notes) << older;
    EXPECT_EQ(without_announcement(older), older);
  }
  const auto newer =
    announcement_in(R"({"id":"n","announces":{"reads":[{},"more","notes"],"key":"x","other":[]}})");
  EXPECT_TRUE(newer.reads_notes);
  EXPECT_EQ(newer.key, std::nullopt);
}

TEST(notes_agreement, holds_while_all_nodes_read_them) {
  const auto reads = announce(plain, {.reads_notes = true});
  notes_agreement agreed;
  notes_agreement::clock::time_point now{1h};
  EXPECT_TRUE(agreed.all_read(living({reads}), now));
  EXPECT_TRUE(agreed.all_read(living({reads, reads}), now));
  EXPECT_FALSE(agreed.all_read(living({reads, plain}), now));
  now += 20s;
  EXPECT_FALSE(agreed.all_read(living({"{}", reads}), now));
  now += notes_agreement::memory - 1s;
  EXPECT_FALSE(agreed.all_read(living({reads}), now)) << "a Redis that has lost its data";
  now += 1s;
  EXPECT_TRUE(agreed.all_read(living({reads}), now));
}

} // namespace
} // namespace canang::actors
