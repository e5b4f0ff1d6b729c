#include "app/admin/hour_ring.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace canang::admin {
namespace {

using std::chrono::seconds;

struct hour_of_a_node : testing::Test {
  hour_ring ring;
  hour_ring::clock::time_point now{std::chrono::hours{100}};
  node_totals totals;

  void note_after(std::chrono::milliseconds pause) {
    now += pause;
    ring.note(now, totals);
  }

  /// Connections by sample, `-` for a gap.
  std::string connections() const {
    std::string text;
    for (const auto& sample : ring.samples())
      text += (text.empty() ? "" : " ") + (sample ? std::to_string(sample->connections) : "-");
    return text;
  }
};

TEST_F(hour_of_a_node, the_first_figures_only_say_from_where_it_counts) {
  EXPECT_TRUE(ring.is_due(now));
  totals.publications = 1000;
  note_after(seconds{0});
  EXPECT_TRUE(ring.samples().empty());
  EXPECT_FALSE(ring.is_due(now + seconds{9}));
  EXPECT_TRUE(ring.is_due(now + seconds{10}));
}

TEST_F(hour_of_a_node, rates_are_means_of_the_time_that_has_passed) {
  totals = {.publications = 1000, .deliveries = 10, .sent_bytes = 100, .cpu_seconds = 3};
  note_after(seconds{0});
  totals = {.connections = 7,
            .rooms = 3,
            .memory_bytes = 99,
            .publications = 1040,
            .deliveries = 410,
            .sent_bytes = 8100,
            .cpu_seconds = 9};
  note_after(seconds{12}); // a tick that came late
  ASSERT_EQ(ring.samples().size(), 1U);
  const auto sample = ring.samples().front().value();
  EXPECT_EQ(sample.connections, 7U);
  EXPECT_EQ(sample.rooms, 3U);
  EXPECT_EQ(sample.memory_bytes, 99U);
  EXPECT_DOUBLE_EQ(sample.publications, 40 / 12.0);
  EXPECT_DOUBLE_EQ(sample.deliveries, 400 / 12.0);
  EXPECT_DOUBLE_EQ(sample.sent_bytes, 8000 / 12.0);
  EXPECT_DOUBLE_EQ(sample.cpu, 0.5);
  EXPECT_TRUE(ring.is_due(now + seconds{8})) << "a late tick does not move the next one";
}

TEST_F(hour_of_a_node, too_early_is_not_noted) {
  note_after(seconds{0});
  note_after(seconds{10});
  note_after(seconds{9});
  EXPECT_EQ(ring.samples().size(), 1U);
}

TEST_F(hour_of_a_node, missed_ticks_are_gaps) {
  note_after(seconds{0});
  totals.connections = 1;
  note_after(seconds{10});
  totals = {.connections = 2, .publications = 400};
  note_after(seconds{40});
  EXPECT_EQ(connections(), "1 - - - 2");
  EXPECT_DOUBLE_EQ(ring.samples().back()->publications, 10) << "the mean over the gap";
}

TEST_F(hour_of_a_node, the_oldest_gives_way_to_the_newest) {
  note_after(seconds{0});
  for (std::size_t i = 1; i <= hour_ring::capacity + 5; ++i) {
    totals.connections = i;
    note_after(seconds{10});
  }
  const auto samples = ring.samples();
  ASSERT_EQ(samples.size(), hour_ring::capacity);
  EXPECT_EQ(samples.front()->connections, 6U);
  EXPECT_EQ(samples.back()->connections, hour_ring::capacity + 5);
}

TEST_F(hour_of_a_node, a_long_silence_leaves_one_sample_behind_gaps) {
  note_after(seconds{0});
  totals.connections = 1;
  note_after(seconds{10});
  totals.connections = 2;
  note_after(std::chrono::hours{24 * 365});
  const auto samples = ring.samples();
  ASSERT_EQ(samples.size(), hour_ring::capacity);
  EXPECT_FALSE(samples.front());
  EXPECT_FALSE(samples[hour_ring::capacity - 2]);
  EXPECT_EQ(samples.back()->connections, 2U);
}

TEST_F(hour_of_a_node, a_clock_that_goes_back_costs_one_sample) {
  note_after(seconds{0});
  totals = {.connections = 1, .publications = 10};
  note_after(seconds{10});
  totals.publications = 20;
  note_after(-std::chrono::hours{50});
  EXPECT_EQ(connections(), "1");
  totals = {.connections = 3, .publications = 30};
  note_after(seconds{10});
  EXPECT_EQ(connections(), "1 3");
  EXPECT_DOUBLE_EQ(ring.samples().back()->publications, 1);
}

TEST_F(hour_of_a_node, figures_that_shrink_are_no_negative_rates) {
  totals = {.publications = 100, .deliveries = 100, .sent_bytes = 100, .cpu_seconds = 10};
  note_after(seconds{0});
  totals = {};
  note_after(seconds{10});
  const auto sample = ring.samples().front().value();
  EXPECT_EQ(sample.publications, 0);
  EXPECT_EQ(sample.deliveries, 0);
  EXPECT_EQ(sample.sent_bytes, 0);
  EXPECT_EQ(sample.cpu, 0);
}

TEST_F(hour_of_a_node, is_told_by_figure) {
  EXPECT_EQ(to_json(ring), R"({"interval":10,"connections":[],"rooms":[],"memory_bytes":[],)"
                           R"("publications":[],"deliveries":[],"sent_bytes":[],"cpu":[]})");
  note_after(seconds{0});
  note_after(seconds{10});
  totals = {.connections = 4,
            .rooms = 2,
            .memory_bytes = 5'000'000'000,
            .publications = 6,
            .deliveries = 60,
            .sent_bytes = 12'345,
            .cpu_seconds = 2.5};
  note_after(seconds{20});
  EXPECT_EQ(to_json(ring),
            R"({"interval":10,"connections":[0,null,4],"rooms":[0,null,2],)"
            R"("memory_bytes":[0,null,5000000000],"publications":[0.0,null,0.3],)"
            R"("deliveries":[0.0,null,3.0],"sent_bytes":[0,null,617],"cpu":[0.000,null,0.125]})");
}

} // namespace
} // namespace canang::admin
