#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <utility>
#include <vector>

namespace canang::sim {

/// What fake sessions have to do later, as an `io_context` has handlers to run: each session's in
/// order, and between sessions as the test likes.
class later_queue {
public:
  using task = std::function<void()>;

  void post(std::uint64_t session, task work) { tasks_[session].push_back(std::move(work)); }

  [[nodiscard]] std::vector<std::uint64_t> ready() const {
    std::vector<std::uint64_t> sessions;
    for (const auto& [session, waiting] : tasks_)
      sessions.push_back(session);
    return sessions;
  }

  [[nodiscard]] bool empty() const noexcept { return tasks_.empty(); }

  /// Runs the session's oldest task.
  void run(std::uint64_t session) {
    const auto found = tasks_.find(session);
    const auto work = std::move(found->second.front());
    found->second.pop_front();
    if (found->second.empty())
      tasks_.erase(found);
    work();
  }

private:
  std::map<std::uint64_t, std::deque<task>> tasks_;
};

} // namespace canang::sim
