#include "actors/runtime/loop.hpp"

#include "actors/runtime/failures.hpp"

#include <caf/actor_system.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>
#include <fmt/format.h>

#include <pthread.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>

namespace canang::actors {

namespace {

/// Handlers that one turn runs at most, so that a flood of input cannot put off the writes.
constexpr std::size_t max_handlers_a_turn = 1024;

/// Actors that one turn resumes at most, so that mail from other loops cannot put off the writes.
constexpr std::size_t max_resumes_a_turn = 4096;

/// Messages that one actor handles before the next one gets its turn.
constexpr std::size_t messages_a_resume = 64;

thread_local loop* current_loop = nullptr;

} // namespace

loop::loop(caf::actor_system& system, std::uint32_t index, const net::session_limits& limits)
  : execution_unit(&system),
    context_(limits),
    index_(index),
    work_(context_.io.get_executor()),
    timer_(context_.io) {}

loop::~loop() { stop(); }

void loop::start() {
  schedule_tick();
  thread_ = std::thread{[this] { run(); }};
  pthread_setname_np(thread_.native_handle(), fmt::format("canang-loop{}", index_).c_str());
}

void loop::stop() {
  if (!thread_.joinable())
    return;
  post([this] { is_stopping_ = true; });
  thread_.join();
}

void loop::exec_later(caf::resumable* job) {
  if (job->subtype() != caf::resumable::io_actor) {
    system().scheduler().enqueue(job);
    return;
  }
  if (current_loop == this) {
    ready_.push_back(job);
    return;
  }
  if (current_loop == nullptr)
    accept(job);
  else // its mail waits in the actor's mailbox, with what else this turn brings
    current_loop->outgoing_.push_back({this, job});
}

/// Takes an actor from another thread.
void loop::accept(caf::resumable* job) {
  auto* const added = new incoming{job, incoming_.load(std::memory_order_relaxed)};
  while (!incoming_.compare_exchange_weak(added->next, added)) {
  }
  if (is_sleeping_.load() && is_sleeping_.exchange(false))
    boost::asio::post(context_.io, [] {});
}

/// Makes ready what this turn gave mail to on other loops. Must run before this loop sleeps or writes.
void loop::hand_over() {
  for (const auto& [home, job] : outgoing_)
    home->accept(job);
  outgoing_.clear();
}

void loop::take_incoming() {
  if (incoming_.load(std::memory_order_relaxed) == nullptr)
    return;
  const auto first = ready_.size();
  for (auto* added = incoming_.exchange(nullptr); added != nullptr;) {
    const std::unique_ptr<incoming> owned{added};
    ready_.push_back(owned->job);
    added = owned->next;
  }
  std::reverse(ready_.begin() + static_cast<std::ptrdiff_t>(first), ready_.end());
}

/// Runs handlers, which should not throw. One that does has done a part of what it had to: that is lost, with a
/// line in the log, and not the whole node. What else is ready is for the next turn.
template <class Function>
std::size_t loop::guarded(Function function) noexcept {
  try {
    return function();
  } catch (...) {
    note_failure("a handler of loop", index_, std::current_exception());
    return 1;
  }
}

void loop::run() {
  current_loop = this;
  context_.bind_to_thread();
  std::size_t done = 0; // handlers and actors of this turn
  while (!is_stopping_) {
    context_.new_turn();
    const auto began = clock::now();
    done += guarded([this] { return run_handlers(); });
    done += guarded([this] { return context_.sockets.poll(); });
    hand_over();
    done += run_actors();
    hand_over();
    if (done > 0) {
      end_turn(began);
      done = 0;
    } else {
      done =
        guarded([this] { return sleep(); }); // the handler that woke us belongs to the next turn
    }
  }
  hand_over();
  context_.unbind();
  current_loop = nullptr;
}

/// Until they have read too much, too: what sessions have sent is read behind them.
std::size_t loop::run_handlers() {
  std::size_t count = 0;
  while (count < max_handlers_a_turn && !context_.sockets.is_next_charged()
         && context_.io.poll_one() > 0)
    ++count;
  return count;
}

std::size_t loop::run_actors() {
  std::size_t count = 0;
  take_incoming();
  while (!ready_.empty() && count < max_resumes_a_turn) {
    count += ready_.size();
    run_round();
    take_incoming();
  }
  return count;
}

/// Runs each actor that is ready now, once; what becomes ready meanwhile is for the next round.
void loop::run_round() {
  running_.swap(ready_);
  for (auto* const job : running_) {
    if (job->resume(this, messages_a_resume) == caf::resumable::resume_later)
      ready_.push_back(job); // its reference stays with the queue
    else
      job->intrusive_ptr_release_impl();
  }
  running_.clear();
}

void loop::end_turn(clock::time_point began) {
  if (turn_end_)
    turn_end_();
  const auto now = clock::now();
  context_.metrics.turns_total.add(1);
  context_.metrics.turn.observe_ns(static_cast<std::uint64_t>((now - began).count()));
  context_.metrics.last_turn_ns.store(now.time_since_epoch().count(), std::memory_order_relaxed);
}

/// Waits for a handler and runs it; or for an actor that another thread has made ready.
std::size_t loop::sleep() {
  is_sleeping_.store(true);
  std::size_t handlers = 0;
  if (incoming_.load() == nullptr && !context_.sockets.has_more()) {
    context_.new_turn();
    context_.waker.arm();
    handlers = context_.io.run_one();
  }
  is_sleeping_.store(false);
  return handlers;
}

void loop::schedule_tick() {
  timer_.expires_after(tick_interval);
  timer_.async_wait([this](const boost::system::error_code& ec) {
    if (ec)
      return;
    schedule_tick(); // first: whatever fails in this one, there is a next one
    const auto now = context_.now();
    context_.deadlines.advance(now);
    context_.buffers.trim();
    if (tick_)
      tick_(now);
  });
}

} // namespace canang::actors
