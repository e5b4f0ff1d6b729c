#include "app/memory_budget.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <fstream>

namespace canang::app {
namespace {

namespace fs = std::filesystem;

/// A root folder with what the kernel would show.
struct memory_budget_test : testing::Test {
  fs::path root = fs::temp_directory_path()
                  / ("canang-cgroup-" + std::to_string(::getpid()) + '-'
                     + testing::UnitTest::GetInstance()->current_test_info()->name());

  ~memory_budget_test() override { fs::remove_all(root); }

  void file(const fs::path& path, const std::string& content) {
    fs::create_directories((root / path).parent_path());
    std::ofstream{root / path} << content;
  }
};

TEST_F(memory_budget_test, of_a_container_is_at_the_top_of_its_mount) {
  file("proc/self/cgroup", "0::/\n");
  file("sys/fs/cgroup/memory.max", "536870912\n");
  file("sys/fs/cgroup/memory.current", "104857600\n");
  file("sys/fs/cgroup/memory.stat", "anon 1\nfile 2\ninactive_file 4857600\n");
  const auto budget = find_memory_budget(root);
  EXPECT_EQ(budget.limit_bytes, 536870912U);
  EXPECT_EQ(budget.used_bytes(), 100000000U);
}

TEST_F(memory_budget_test, is_the_tightest_of_all_groups_above) {
  file("proc/self/cgroup", "0::/system.slice/canang.service\n");
  file("sys/fs/cgroup/system.slice/canang.service/memory.max", "max\n");
  file("sys/fs/cgroup/system.slice/memory.max", "1000\n");
  file("sys/fs/cgroup/system.slice/memory.current", "300\n");
  const auto budget = find_memory_budget(root);
  EXPECT_EQ(budget.limit_bytes, 1000U);
  EXPECT_EQ(budget.used_bytes(), 300U);
  file("sys/fs/cgroup/system.slice/canang.service/memory.max", "500\n");
  EXPECT_EQ(find_memory_budget(root).limit_bytes, 500U);
}

TEST_F(memory_budget_test, is_found_in_version_1) {
  file("proc/self/cgroup", "3:cpuset:/\n4:memory:/pods/one\n0::/\n");
  file("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  file("sys/fs/cgroup/memory/pods/one/memory.limit_in_bytes", "2000\n");
  file("sys/fs/cgroup/memory/pods/one/memory.usage_in_bytes", "700\n");
  file("sys/fs/cgroup/memory/pods/one/memory.stat", "cache 500\ntotal_inactive_file 200\n");
  const auto budget = find_memory_budget(root);
  EXPECT_EQ(budget.limit_bytes, 2000U);
  EXPECT_EQ(budget.used_bytes(), 500U);
}

TEST_F(memory_budget_test, without_a_limit_is_none_and_the_resident_memory_is_used) {
  file("proc/self/cgroup", "0::/\n");
  file("sys/fs/cgroup/memory.max", "max\n");
  file("proc/self/statm", "100 7 3 1 0 1 0\n");
  const auto budget = find_memory_budget(root);
  EXPECT_EQ(budget.limit_bytes, 0U);
  EXPECT_EQ(budget.used_bytes(), 7U * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
}

TEST_F(memory_budget_test, of_this_process_is_more_than_nothing) {
  EXPECT_GT(find_memory_budget().used_bytes(), 1'000'000U);
}

TEST(memory_in_use, is_without_what_the_allocator_keeps) {
  std::uint64_t used = 1000;
  std::uint64_t kept = 300;
  const auto in_use = without_kept([&] { return used; }, [&] { return kept; });
  EXPECT_EQ(in_use(), 700U);
  kept = 0;
  EXPECT_EQ(in_use(), 1000U);
  kept = 2000; // both are looked at one after the other
  EXPECT_EQ(in_use(), 0U);
}

} // namespace
} // namespace canang::app
