#include "base/name_map.hpp"
#include "base/siphash.hpp"
#include "cluster/memory/memory_broker.hpp"
#include "tests/unit/support/colliding_names.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace canang::cluster {
namespace {

/// The key and the texts of the published vectors: bytes 0, 1, 2, ...
constexpr siphash_key vector_key{0x0706050403020100, 0x0F0E0D0C0B0A0908};

std::string counting_bytes(std::size_t count) {
  std::string text(count, '\0');
  std::iota(text.begin(), text.end(), '\0');
  return text;
}

TEST(siphash, two_four_gives_what_the_paper_gives) {
  const std::array<std::uint64_t, 9> of_length{
    0x726FDB47DD0E0E31, 0x74F839C593DC67FD, 0x0D6C8009D9A94F5A,
    0x85676696D7FB7E2D, 0xCF2794E0277187B7, 0x18765564CD99A68D,
    0xCBC9466E58FEE3CE, 0xAB0200F58B01D137, 0x93F5F5799A932462};
  for (std::size_t length = 0; length < of_length.size(); ++length)
    EXPECT_EQ((siphash<2, 4>(vector_key, counting_bytes(length))), of_length[length]) << length;
  EXPECT_EQ((siphash<2, 4>(vector_key, counting_bytes(15))), 0xA129CA6149BE45E5);
}

TEST(siphash, one_three_gives_what_others_publish) {
  const std::array<std::uint64_t, 18> of_length{
    0xABAC0158050FC4DC, 0xC9F49BF37D57CA93, 0x82CB9B024DC7D44D, 0x8BF80AB8E7DDF7FB,
    0xCF75576088D38328, 0xDEF9D52F49533B67, 0xC50D2B50C59F22A7, 0xD3927D989BB11140,
    0x369095118D299A8E, 0x25A48EB36C063DE4, 0x79DE85EE92FF097F, 0x70C118C1F94DC352,
    0x78A384B157B4D9A2, 0x306F760C1229FFA7, 0x605AA111C0F95D34, 0xD320D86D2A519956,
    0xCC4FDD1A7D908B66, 0x9CF2689063DBD80C};
  for (std::size_t length = 0; length < of_length.size(); ++length)
    EXPECT_EQ((siphash<1, 3>(vector_key, counting_bytes(length))), of_length[length]) << length;
  EXPECT_EQ((siphash<1, 3>(vector_key, counting_bytes(63))), 0x9D199062B7BBB3A8);
}

TEST(siphash, depends_on_each_half_of_the_key) {
  const auto at = [](std::uint64_t first, std::uint64_t second) {
    return siphash<1, 3>({first, second}, "kampung");
  };
  EXPECT_NE(at(1, 2), at(2, 2));
  EXPECT_NE(at(1, 2), at(1, 1));
}

// --- what it is for

constexpr std::size_t name_count = 16'000;

std::vector<std::string> random_names(std::size_t length) {
  std::mt19937_64 chance{7};
  std::vector<std::string> names(name_count, std::string(length, 'a'));
  for (auto& name : names)
    for (auto& letter : name)
      letter = static_cast<char>('a' + chance() % 26);
  return names;
}

/// The least CPU time of three runs: what else the machine does is not in it.
double cpu_seconds(const std::function<void()>& work) {
  const auto used = [] {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
  };
  double least = std::numeric_limits<double>::max();
  for (int run = 0; run < 3; ++run) {
    const auto began = used();
    work();
    least = std::min(least, used() - began);
  }
  return least;
}

struct colliding_names : testing::Test {
  const std::vector<std::string> colliding = test::names_that_collide(name_count);
  const std::vector<std::string> random = random_names(colliding.front().size());

  /// Whether what is done with the names costs as much whoever chose them.
  void expect_no_dearer(const std::function<void(const std::vector<std::string>&)>& use) const {
    const auto usual = cpu_seconds([&] { use(random); });
    const auto chosen = cpu_seconds([&] { use(colliding); });
    EXPECT_LT(chosen, 2 * usual) << "of CPU seconds";
  }
};

TEST_F(colliding_names, have_one_hash_where_it_has_no_key) {
  std::set<std::size_t> plain;
  std::set<std::size_t> keyed;
  for (const auto& name : colliding) {
    plain.insert(std::hash<std::string>{}(name));
    keyed.insert(name_hash{}(name));
  }
  EXPECT_EQ(plain.size(), 1U) << "the attack is one, on this standard library";
  EXPECT_EQ(keyed.size(), colliding.size());
}

TEST_F(colliding_names, of_rooms_cost_no_more_than_others) {
  expect_no_dearer([](const std::vector<std::string>& names) {
    const room_settings_source settings{std::make_shared<room_settings_table>()};
    memory_broker broker{{}, [] { return memory_broker::clock::now(); }, settings};
    for (const auto& name : names)
      broker.publish(name, std::make_shared<publication>(), {}, [](publish_outcome&&) {});
  });
}

TEST_F(colliding_names, of_idempotency_keys_cost_no_more_than_others) {
  expect_no_dearer([](const std::vector<std::string>& names) {
    memory_broker_options options;
    options.idempotency_keys = name_count;
    const room_settings_source settings{std::make_shared<room_settings_table>()};
    memory_broker broker{options, [] { return memory_broker::clock::now(); }, settings};
    for (const auto& name : names)
      broker.publish("kampung", std::make_shared<publication>(), {.idempotency_key = name},
                     [](publish_outcome&&) {});
  });
}

TEST_F(colliding_names, of_users_cost_no_more_than_others) {
  presence_options options;
  options.describe = [](const present_member&) { return std::string{}; };
  expect_no_dearer([&](const std::vector<std::string>& names) {
    local_presence presence{options, [](std::string_view, publication_kind, std::string&&) {}};
    std::uint64_t connection = 0;
    for (const auto& name : names)
      presence.note("kampung", true, {++connection, name}, true, {});
    for (connection = 0; const auto& name : names)
      presence.note("kampung", true, {++connection, name}, false, {});
  });
}

TEST_F(colliding_names, of_rooms_with_members_cost_no_more_than_others) {
  presence_options options;
  expect_no_dearer([&](const std::vector<std::string>& names) {
    local_presence presence{options, [](std::string_view, publication_kind, std::string&&) {}};
    for (const auto& name : names)
      presence.note(name, false, {1, {}}, true, {});
  });
}

} // namespace
} // namespace canang::cluster
