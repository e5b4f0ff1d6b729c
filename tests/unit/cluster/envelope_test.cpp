#include "cluster/envelope.hpp"

#include "cluster/partitions.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

namespace canang::cluster {
namespace {

using namespace std::string_literals;

constexpr std::uint64_t here = 0x1122334455667788;

std::shared_ptr<publication> message_of(std::string data) {
  auto message = std::make_shared<publication>();
  message->data = std::move(data);
  message->publisher = 42;
  return message;
}

std::string batch_of(const std::vector<publication_ptr>& messages, std::uint64_t origin = here) {
  std::string bytes;
  append_batch_header(bytes, {origin, 7});
  for (const auto& message : messages)
    append_publication(bytes, *message);
  return bytes;
}

std::string message_bytes(const std::string& header, const std::string& batch) {
  return header + "\n" + batch;
}

TEST(envelope, brings_back_every_field) {
  auto odd = message_of("\0\xff\n"s);
  odd->type = payload_type::binary;
  odd->echo = false;
  auto left = message_of(R"({"id":"n/1"})");
  left->kind = publication_kind::left;
  auto joined = message_of("");
  joined->kind = publication_kind::joined;
  const auto bytes =
    message_bytes("1 abcdefghij 41 4", batch_of({message_of("hello"), odd, left, joined}));
  batch got;
  ASSERT_EQ(read_message(bytes, here, got), envelope_errc::none);
  EXPECT_EQ(got.epoch, "abcdefghij");
  EXPECT_EQ(got.first, 41U);
  EXPECT_EQ(got.last(), 44U);
  ASSERT_EQ(got.publications.size(), 4U);
  EXPECT_EQ(got.publications[0]->data, "hello");
  EXPECT_EQ(got.publications[0]->offset, 41U);
  EXPECT_EQ(got.publications[0]->epoch, "abcdefghij");
  EXPECT_EQ(got.publications[0]->publisher, 42U);
  EXPECT_TRUE(got.publications[0]->echo);
  EXPECT_EQ(got.publications[1]->data, odd->data);
  EXPECT_EQ(got.publications[1]->type, payload_type::binary);
  EXPECT_FALSE(got.publications[1]->echo);
  EXPECT_EQ(got.publications[2]->kind, publication_kind::left);
  EXPECT_EQ(got.publications[3]->kind, publication_kind::joined);
  EXPECT_EQ(got.publications[3]->offset, 44U);
}

std::shared_ptr<publication> message_with(publication_notes notes, std::string data) {
  auto message = message_of(std::move(data));
  message->notes = std::make_unique<const publication_notes>(std::move(notes));
  return message;
}

TEST(envelope, brings_back_author_and_tags) {
  const publication_author ann{std::string(255, 'u'), "n/1"};
  const std::vector<publication_tag> tags{{"kind", "a \xc3\xa4"}, {"long", std::string(1024, 'v')}};
  const std::vector<publication_ptr> sent{
    message_with({.author = ann}, "hello"),
    message_with({.author = publication_author{"", "n/2"}}, ""),
    message_with({.tags = tags}, "tagged"), message_with({.author = ann, .tags = tags}, "both"),
    message_of("none")};
  const auto bytes = message_bytes("1 abcdefghij 1 5", batch_of(sent, here + 1));
  batch got;
  ASSERT_EQ(read_message(bytes, here, got), envelope_errc::none);
  ASSERT_EQ(got.publications.size(), sent.size());
  for (std::size_t i = 0; i + 1 < sent.size(); ++i) {
    EXPECT_EQ(got.publications[i]->data, sent[i]->data);
    ASSERT_TRUE(got.publications[i]->notes) << i;
    EXPECT_EQ(*got.publications[i]->notes, *sent[i]->notes) << i;
  }
  EXPECT_EQ(got.publications[4]->data, "none");
  EXPECT_FALSE(got.publications[4]->notes);
  const auto alone = message_bytes("1 abcdefghij 1 1", batch_of({sent[3]}));
  for (std::size_t size = 13; size < alone.size(); ++size)
    ASSERT_NE(read_message(alone.substr(0, size), here, got), envelope_errc::none) << size;
}

TEST(envelope, can_do_without_notes_for_nodes_that_do_not_read_them) {
  const auto message = message_with({.tags = {{"k", "v"}}}, "hello");
  std::string bytes;
  append_publication(bytes, *message, false);
  EXPECT_EQ(bytes[0], 0) << "flags that older nodes know";
  for (const bool with_notes : {true, false}) {
    batch got;
    ASSERT_EQ(read_message(unordered_message(*message, {1, 1}, with_notes), here, got),
              envelope_errc::none);
    EXPECT_EQ(got.publications[0]->data, "hello");
    EXPECT_EQ(got.publications[0]->notes != nullptr, with_notes);
  }
}

TEST(envelope, brings_back_what_tokens_say_of_an_author) {
  const std::string long_info = '"' + std::string(4094, 'i') + '"';
  const std::vector<publication_ptr> sent{
    message_with(
      {.author = publication_author{"ann", "n/1", long_info, long_info}, .tags = {{"k", "v"}}},
      "both"),
    message_with({.author = publication_author{"ann", "n/1", "{}", ""}}, "its own"),
    message_with({.author = publication_author{"", "n/1", "", "[1]"}}, "")};
  const auto bytes = message_bytes("1 abcdefghij 1 3", batch_of(sent, here));
  batch got;
  ASSERT_EQ(read_message(bytes, here, got), envelope_errc::none);
  ASSERT_EQ(got.publications.size(), sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) {
    ASSERT_TRUE(got.publications[i]->notes) << i;
    EXPECT_EQ(*got.publications[i]->notes, *sent[i]->notes) << i;
    EXPECT_EQ(got.publications[i]->data, sent[i]->data);
    EXPECT_EQ(got.publications[i]->size(), sent[i]->size());
  }
  const auto alone = message_bytes("1 abcdefghij 1 1", batch_of({sent[1]}));
  EXPECT_NE(alone.find("\2\3ann\3n/1\2\0{}\0\0\0its own"s), std::string::npos)
    << "as it is written";
  for (std::size_t size = 13; size < alone.size(); ++size)
    ASSERT_NE(read_message(alone.substr(0, size), here, got), envelope_errc::none) << size;
  for (const auto& [part, bad] : {std::pair{"\2\3ann"s, '\3'}, {"\2\0{}"s, '\xff'}}) {
    auto changed = alone;
    changed[alone.rfind(part)] = bad;
    EXPECT_EQ(read_message(changed, here, got), envelope_errc::truncated) << part;
  }
}

TEST(envelope, refuses_an_author_with_an_info_that_is_empty) {
  const publication_notes notes{.author = publication_author{"ann", "n/1", "7", ""}};
  auto bytes = message_bytes("1 abcdefghij 1 1", batch_of({message_with(notes, "")}));
  batch got;
  ASSERT_EQ(read_message(bytes, here, got), envelope_errc::none);
  const auto info = bytes.rfind("\1\0007\0\0\0"s);
  ASSERT_NE(info, std::string::npos);
  bytes.replace(info, 3, "\0\0"s);
  bytes[info - 13] = static_cast<char>(bytes[info - 13] - 1); // of its size
  EXPECT_EQ(read_message(bytes, here, got), envelope_errc::truncated);
}

TEST(envelope, refuses_notes_that_are_longer_than_what_they_are_part_of) {
  const publication_notes notes{.author = publication_author{"ann", "n/1"}, .tags = {{"k", "v"}}};
  const auto good = message_bytes("1 abcdefghij 1 1", batch_of({message_with(notes, "")}));
  batch got;
  ASSERT_EQ(read_message(good, here, got), envelope_errc::none);
  for (const auto& part : {"\1\3ann"s, "\3ann"s, "\3n/1"s, "\1\1k"s, "\1k"s, "\1\0v"s, "\0v"s}) {
    auto bad = good;
    bad[good.rfind(part)] = '\xff';
    EXPECT_EQ(read_message(bad, here, got), envelope_errc::truncated) << part;
  }
}

TEST(envelope, tells_up_to_where_a_history_was_removed) {
  batch got;
  got.publications.push_back(std::make_shared<publication>());
  ASSERT_EQ(read_message("3 abcdefghij 41\n", here, got), envelope_errc::none);
  EXPECT_TRUE(got.is_removal);
  EXPECT_FALSE(got.is_unordered());
  EXPECT_EQ(got.epoch, "abcdefghij");
  EXPECT_EQ(got.first, 41U);
  EXPECT_TRUE(got.publications.empty());
  ASSERT_EQ(
    read_message(message_bytes("1 abcdefghij 41 1", batch_of({message_of("x")})), here, got),
    envelope_errc::none);
  EXPECT_FALSE(got.is_removal);
  for (const std::string bytes :
       {"3 abcdefghij 0\n", "3 abcdefghij 41", "3 abcdefghij 41\nx", "3 abcdefghij -1\n",
        "3 ABCDEFGHIJ 41\n", "3 abcdefghij\n", "3 \n"})
    EXPECT_EQ(read_message(bytes, here, got), envelope_errc::truncated) << bytes;
}

TEST(envelope, of_what_has_no_place_in_the_order_has_no_offsets) {
  const auto bytes = unordered_message(*message_of("now\n"), {here, 9});
  batch got;
  got.epoch = "left over";
  ASSERT_EQ(read_message(bytes, here, got), envelope_errc::none);
  EXPECT_TRUE(got.is_unordered());
  EXPECT_EQ(got.epoch, "");
  ASSERT_EQ(got.publications.size(), 1U);
  EXPECT_EQ(got.publications[0]->data, "now\n");
  EXPECT_EQ(got.publications[0]->offset, 0U);
  EXPECT_EQ(got.publications[0]->epoch, "");
  for (std::size_t size = 2; size < bytes.size(); ++size)
    EXPECT_EQ(read_message(bytes.substr(0, size), here, got), envelope_errc::truncated) << size;
  EXPECT_EQ(read_message("2 2" + bytes.substr(3), here, got), envelope_errc::truncated);
  EXPECT_EQ(read_message("2 0" + bytes.substr(3), here, got), envelope_errc::truncated);
  EXPECT_EQ(
    read_message(message_bytes("1 abcdefghij 41 1", batch_of({message_of("x")})), here, got),
    envelope_errc::none);
  EXPECT_FALSE(got.is_unordered());
}

TEST(envelope, knows_no_publisher_of_another_origin) {
  batch got;
  const auto bytes = message_bytes("1 abcdefghij 1 1", batch_of({message_of("x")}, here + 1));
  ASSERT_EQ(read_message(bytes, here, got), envelope_errc::none);
  EXPECT_EQ(got.publications[0]->publisher, 0U);
}

TEST(envelope, says_what_is_wrong_with_a_message) {
  const auto good = batch_of({message_of("hello")});
  batch got;
  const auto verdict = [&](const std::string& bytes) { return read_message(bytes, here, got); };
  for (const auto& foreign : {""s, "hello"s, "{\"a\":1}"s, "-1 a"s, " 1"s, "1"s})
    EXPECT_EQ(verdict(foreign), envelope_errc::foreign) << foreign;
  for (const auto& version : {"4 abcdefghij 1 1"s, "0 abcdefghij 1 1"s, "99999999999 x"s})
    EXPECT_EQ(verdict(message_bytes(version, good)), envelope_errc::version) << version;
  for (const auto& header :
       {"1 "s, "1 abcdefghij"s, "1 abcdefghij 1"s, "1 abcdefghij 0 1"s, "1 abcdefghij 1 0"s,
        "1 abcdefghij 1 2"s, "1 abcdefghij -1 1"s, "1 abcdefghijk 1 1"s, "1 abcdefgh\"j 1 1"s,
        "1 abcdefgh\xffj 1 1"s, "1 abcdefghij 18446744073709551615 1"s,
        "1 abcdefghij 1 18446744073709551615"s})
    EXPECT_EQ(verdict(message_bytes(header, good)), envelope_errc::truncated) << header;
  const auto whole = message_bytes("1 abcdefghij 1 1", good);
  for (std::size_t size = 13; size < whole.size(); ++size)
    EXPECT_NE(verdict(whole.substr(0, size)), envelope_errc::none) << size;
  EXPECT_EQ(verdict(whole + "x"), envelope_errc::truncated);
}

TEST(envelope, counts_a_batch_of_a_stream_back_from_its_last_offset) {
  batch got;
  const auto bytes = batch_of({message_of("a"), message_of("b"), message_of("c")});
  ASSERT_EQ(read_batch(bytes, "abcdefghij", 9, here, got), envelope_errc::none);
  EXPECT_EQ(got.first, 7U);
  EXPECT_EQ(got.publications[2]->offset, 9U);
  EXPECT_EQ(read_batch(bytes, "abcdefghij", 2, here, got), envelope_errc::truncated);
}

// What nodes of different versions have to agree on for ever.
TEST(partitions, are_the_same_everywhere) {
  EXPECT_EQ(partition_of("lobby"), partition_of("lobby"));
  std::set<partition_id> used;
  for (int i = 0; i < 2000; ++i)
    used.insert(partition_of("room" + std::to_string(i)));
  EXPECT_EQ(used.size(), partition_count);
  EXPECT_EQ(*used.rbegin(), partition_count - 1);
}

TEST(partitions, move_only_to_a_shard_that_is_new) {
  const std::vector<std::string> two{"a:6379/0", "b:6379/0"};
  const std::vector<std::string> swapped{"b:6379/0", "a:6379/0"};
  const std::vector<std::string> three{"a:6379/0", "b:6379/0", "c:6379/0"};
  const partition_map before{two};
  const partition_map other_order{swapped};
  const partition_map after{three};
  std::size_t moved = 0;
  std::size_t of_a = 0;
  for (partition_id p = 0; p < partition_count; ++p) {
    EXPECT_EQ(two[before.shard_of(p)], swapped[other_order.shard_of(p)]);
    of_a += before.shard_of(p) == 0 ? 1 : 0;
    if (before.shard_of(p) != after.shard_of(p)) {
      ++moved;
      EXPECT_EQ(after.shard_of(p), 2U);
    }
  }
  EXPECT_GT(of_a, 16U);
  EXPECT_LT(of_a, 48U);
  EXPECT_GT(moved, 8U);
  EXPECT_LT(moved, 36U);
}

} // namespace
} // namespace canang::cluster
