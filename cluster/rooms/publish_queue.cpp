#include "cluster/rooms/publish_queue.hpp"

#include <algorithm>
#include <utility>

namespace canang::cluster {

namespace {

/// What one call of the script stores at most: it holds up all others of that Redis while it runs.
constexpr std::size_t most_publications_a_batch = 512;
constexpr std::size_t most_bytes_a_batch = 1024 * 1024;

/// What a queued publish costs beside its payload and key.
constexpr std::size_t overhead_bytes = 256;

} // namespace

std::size_t queued_publish::cost_of(const publication& message, std::string_view key) noexcept {
  return overhead_bytes + message.size() + key.size();
}

std::span<const queued_publish> publish_queue::begin(std::uint64_t sequence, std::uint64_t seen) {
  is_on_its_way_ = true;
  if (!batch_.empty())
    return batch_;
  sequence_ = sequence;
  seen_ = seen;
  may_be_stored_ = false;
  std::size_t bytes = 0;
  while (!waiting_.empty() && !waiting_.front().is_rejected
         && batch_.size() < most_publications_a_batch) {
    bytes += waiting_.front().message->size();
    if (!batch_.empty() && bytes > most_bytes_a_batch)
      break;
    batch_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return batch_;
}

void publish_queue::on_stored(const std::string& epoch, std::uint64_t first,
                              std::span<const position> before, const answer_function& answer) {
  is_on_its_way_ = false;
  std::size_t keyed = 0;
  for (const auto& item : std::exchange(batch_, {})) {
    publish_outcome outcome;
    if (!item.key.empty() && keyed < before.size() && !before[keyed].epoch.empty()) {
      if (before[keyed].offset != 0) // else it was stored nowhere, by its own wish
        outcome.at = before[keyed];
      outcome.duplicate = true;
    } else {
      outcome.at = {epoch, first++};
    }
    keyed += item.key.empty() ? 0 : 1;
    if (!item.is_answered)
      answer(item, outcome);
  }
}

void publish_queue::on_refused(broker_errc error, const answer_function& answer) {
  is_on_its_way_ = false;
  publish_outcome outcome;
  outcome.error = error;
  for (const auto& item : std::exchange(batch_, {}))
    if (!item.is_answered)
      answer(item, outcome);
}

void publish_queue::on_lost(bool may_be_stored) noexcept {
  is_on_its_way_ = false;
  may_be_stored_ |= may_be_stored;
  drop_answered_batch();
}

/// Those who were told that it failed must not find it delivered later.
void publish_queue::drop_answered_batch() {
  const bool is_over = std::all_of(batch_.begin(), batch_.end(),
                                   [](const queued_publish& item) { return item.is_answered; });
  if (is_over && !is_on_its_way_)
    batch_.clear();
}

void publish_queue::expire(clock::time_point oldest, const answer_function& answer) {
  publish_outcome outcome;
  outcome.error = broker_errc::unavailable;
  for (auto& item : batch_) {
    if (item.at >= oldest || item.is_answered)
      continue;
    answer(item, outcome);
    item.is_answered = true;
  }
  drop_answered_batch();
  if (!batch_.empty() && !batch_.back().is_answered)
    return;
  while (!waiting_.empty() && (waiting_.front().is_rejected || waiting_.front().at < oldest)) {
    answer(waiting_.front(), outcome);
    waiting_.pop_front();
  }
}

void publish_queue::give_up(const answer_function& answer) {
  publish_outcome outcome;
  outcome.error = broker_errc::unavailable;
  for (const auto& item : std::exchange(batch_, {}))
    if (!item.is_answered)
      answer(item, outcome);
  while (!waiting_.empty()) {
    answer(waiting_.front(), outcome);
    waiting_.pop_front();
  }
}

} // namespace canang::cluster
