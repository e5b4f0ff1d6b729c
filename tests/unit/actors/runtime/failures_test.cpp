#include "actors/runtime/failures.hpp"

#include "actors/messages.hpp"
#include "actors/runtime/loop.hpp"
#include "actors/runtime/pinned.hpp"
#include "actors/runtime/slim_actor.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <future>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace canang::actors {
namespace {

using namespace std::chrono_literals;

class slim_thrower final : public slim_actor {
public:
  explicit slim_thrower(caf::actor_config& config) : slim_actor(config) {}
  const char* name() const override { return "slim"; }

private:
  void on_mail(caf::type_erased_tuple&) override {
    throw std::runtime_error{"the gong is cracked"};
  }
  void on_exit() override {}
};

class odd_thrower final : public slim_actor {
public:
  explicit odd_thrower(caf::actor_config& config) : slim_actor(config) {}
  const char* name() const override { return "odd"; }

private:
  void on_mail(caf::type_erased_tuple&) override { throw 17; } // NOLINT: no exception of ours
  void on_exit() override {}
};

class pinned_thrower final : public pinned {
public:
  explicit pinned_thrower(caf::actor_config& config) : pinned(config) {}
  const char* name() const override { return "pinned"; }

private:
  caf::behavior make_behavior() override {
    return {[](const deliver&) { throw std::runtime_error{"the gong is cracked"}; }};
  }
};

/// What is logged goes to a text, until the end of the test.
class captured_log {
public:
  captured_log() {
    auto logger = std::make_shared<spdlog::logger>(
      "captured", std::make_shared<spdlog::sinks::ostream_sink_mt>(text_));
    logger->set_pattern("%l %v");
    spdlog::set_default_logger(std::move(logger));
  }
  captured_log(const captured_log&) = delete;
  captured_log& operator=(const captured_log&) = delete;
  ~captured_log() { spdlog::set_default_logger(before_); }

  [[nodiscard]] std::string text() const { return text_.str(); }

private:
  std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
  std::ostringstream text_;
};

struct failures : testing::Test {
  caf::actor_system_config config;
  caf::actor_system system{config};
  loop home{system, 0, net::session_limits{}};
  captured_log log;

  ~failures() override {
    system.await_all_actors_done();
    home.stop();
  }

  /// Sends it a message and waits for its end. The number it had.
  std::uint64_t fail(caf::actor&& target) {
    home.start();
    const auto id = target->id();
    caf::scoped_actor here{system};
    here->monitor(target);
    caf::anon_send(target, deliver{1, nullptr});
    target = nullptr;
    caf::error reason;
    here->receive([&](const caf::down_msg& end) { reason = end.reason; },
                  caf::after(10s) >> [] { FAIL() << "it did not end"; });
    EXPECT_EQ(reason, caf::sec::runtime_error);
    return id;
  }
};

TEST_F(failures, of_a_slim_actor_are_logged_with_what_they_were_and_counted) {
  const auto before = failure_count();
  const auto id = fail(spawn_pinned<slim_thrower>(system, home));
  EXPECT_EQ(log.text(), "error slim " + std::to_string(id) + " failed: the gong is cracked\n");
  EXPECT_EQ(failure_count(), before + 1);
}

TEST_F(failures, of_an_unknown_type_are_logged_too) {
  const auto id = fail(spawn_pinned<odd_thrower>(system, home));
  EXPECT_EQ(log.text(),
            "error odd " + std::to_string(id) + " failed: an exception of an unknown type\n");
}

TEST_F(failures, of_a_pinned_actor_are_logged_with_what_they_were_and_counted) {
  const auto before = failure_count();
  const auto id = fail(spawn_pinned<pinned_thrower>(system, home));
  EXPECT_EQ(log.text(), "error pinned " + std::to_string(id) + " failed: the gong is cracked\n");
  EXPECT_EQ(failure_count(), before + 1);
}

/// One that is called outside of its mailbox, as a bridge is by its links.
class entered final : public pinned {
public:
  explicit entered(caf::actor_config& config) : pinned(config) {}
  const char* name() const override { return "entered"; }

private:
  caf::behavior make_behavior() override {
    return {[](const deliver&) {}};
  }
};

TEST_F(failures, of_a_pinned_actor_that_was_entered_end_it_too) {
  const auto before = failure_count();
  home.start();
  auto target = spawn_pinned<entered>(system, home);
  const auto id = target->id();
  caf::scoped_actor here{system};
  here->monitor(target);
  home.post([target = std::move(target)] {
    caf::actor_cast<entered*>(target)->enter(
      [] { throw std::runtime_error{"the gong is cracked"}; });
  });
  caf::error reason;
  here->receive([&](const caf::down_msg& end) { reason = end.reason; },
                caf::after(10s) >> [] { FAIL() << "it did not end"; });
  EXPECT_EQ(reason, caf::sec::runtime_error);
  EXPECT_EQ(log.text(), "error entered " + std::to_string(id) + " failed: the gong is cracked\n");
  EXPECT_EQ(failure_count(), before + 1);
}

TEST_F(failures, of_a_handler_are_logged_and_counted_and_the_loop_goes_on) {
  const auto before = failure_count();
  home.start();
  std::promise<void> end;
  home.post([] { throw std::runtime_error{"the gong is cracked"}; });
  home.post([&] { end.set_value(); });
  ASSERT_EQ(end.get_future().wait_for(10s), std::future_status::ready);
  EXPECT_EQ(log.text(), "error a handler of loop 0 failed: the gong is cracked\n");
  EXPECT_EQ(failure_count(), before + 1);
}

#ifndef NDEBUG
TEST_F(failures, of_a_thread_that_uses_what_is_another_loops_end_the_process) {
  home.start();
  std::promise<void> begun;
  home.post([&] { begun.set_value(); });
  begun.get_future().wait();
  EXPECT_DEATH(home.context().assert_on_loop(), "owner_.is_here");
}
#endif

} // namespace
} // namespace canang::actors
