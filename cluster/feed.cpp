#include "cluster/feed.hpp"

#include <algorithm>
#include <utility>

namespace canang::cluster {

void feed::ask(std::optional<std::uint64_t> after) {
  is_reading_ = true;
  reads_all_ = after == 0U;
  on_read_begins();
  sink_.want_page(after);
}

void feed::on_read_begins() noexcept {
  has_to_check_ = false;
  live_seen_by_read_ = live_.size();
  waiting_seen_by_read_ = waiting_.size();
}

/// Whether all that is kept has to be read for somebody. Who comes with a position has to be found in the
/// lineage first: else made-up ones would have Redis read everything for nothing.
bool feed::needs_all(const joiner& who) const {
  const auto& [since, limit] = who.request;
  return since ? is_live_ && belongs(*since) : limit > 0;
}

/// Asks for as little as those that wait need: where the room stands with its lineage (and what is newer
/// than what is known), or all that is kept.
void feed::ask_for_waiting() {
  if (std::any_of(waiting_.begin(), waiting_.end(),
                  [this](const joiner& who) { return needs_all(who); }))
    ask(0);
  else if (is_live_)
    ask(top_.offset);
  else
    ask(std::nullopt);
}

void feed::on_subscribed(bool is_wanted) {
  if (is_live_)
    return; // what it missed is found by its position
  if (is_reading_ || !is_wanted)
    has_to_check_ = true;
  else
    ask_for_waiting();
}

void feed::begin_again(bool is_subscribed) {
  fail_waiting(broker_errc::unavailable);
  live_.clear();
  live_bytes_ = 0;
  live_seen_by_read_ = 0;
  top_ = {};
  lineage_.clear();
  forget_window();
  window_.forget_bytes_floor();
  is_live_ = false;
  is_reading_ = false;
  has_to_check_ = is_subscribed;
}

void feed::on_position(const position& top) {
  const bool is_known = is_live_ && top.epoch == top_.epoch && top.offset <= top_.offset
                        && live_.empty() && !has_to_check_;
  if (is_known)
    return;
  if (is_reading_)
    has_to_check_ = true;
  else if (!is_live_)
    ask_for_waiting();
  else
    ask(top_.offset);
}

void feed::on_batch(const batch& live) {
  if (is_live_ && live.epoch == top_.epoch) {
    if (live.last() <= top_.offset)
      return;
    if (live.first <= top_.offset + 1) {
      accept(live);
      return;
    }
  }
  hold(batch{live});
  if (live_.size() > limits_.most_waiting_batches || live_bytes_ > limits_.most_waiting_bytes) {
    live_.clear(); // they will be read
    live_bytes_ = 0;
    live_seen_by_read_ = 0;
    has_to_check_ = true;
  }
  if (is_live_ && !is_reading_)
    ask(top_.offset); // the lineage tells whether another epoch is one of the room's at all
}

void feed::hold(batch&& live) {
  for (const auto& message : live.publications)
    live_bytes_ += message->cost() + recent_publications::place_cost;
  live_.push_back(std::move(live));
}

void feed::accept(const batch& live) {
  for (const auto& message : live.publications)
    if (message->offset > top_.offset)
      append(message);
}

void feed::append(const publication_ptr& message) {
  top_.offset = message->offset;
  const auto floor = window_.floor();
  window_.push_back(message, history_limits_);
  if (window_.floor() != floor)
    window_is_all_ = true; // as far back as anything is kept
  sink_.on_publication(message);
}

/// A smaller window lets go what is kept for nobody any more; a larger one fills by itself.
void feed::set_window(std::size_t messages, std::size_t bytes) {
  limits_.window_size = messages;
  limits_.window_bytes = bytes;
  history_limits_ = history_limits::of(messages, bytes);
  window_.trim(history_limits_);
}

void feed::forget_window() {
  window_.reset(top_.offset);
  window_is_all_ = false;
}

void feed::on_page(stored_page&& page) {
  is_reading_ = false;
  const auto waited_for_it = waiting_seen_by_read_; // these two before another read is asked for
  const auto seen = reads_all_ ? read_since::all : read_since::position;
  if (is_live_) {
    take_page(page);
  } else {
    is_live_ = true;
    top_ = page.top;
    lineage_ = std::move(page.lineage);
    window_.reset(top_.offset);
    if (reads_all_)
      extend_window(page);
  }
  if (is_reading_)
    return; // it takes another read
  drain_live();
  drop_removed();
  serve_waiting(waited_for_it, seen);
  if (has_to_check_ && !is_reading_)
    ask(top_.offset);
}

/// Where the history that has `page` as its end left the given epoch, if it ever had it.
const epoch_end* feed::end_of(const stored_page& page, const std::string& epoch) {
  const auto found = std::find_if(page.lineage.begin(), page.lineage.end(),
                                  [&](const epoch_end& end) { return end.epoch == epoch; });
  return found == page.lineage.end() ? nullptr : &*found;
}

void feed::take_page(stored_page& page) {
  const bool is_same_epoch = page.top.epoch == top_.epoch;
  if (is_same_epoch && page.top.offset <= top_.offset) { // the channel was faster
    if (reads_all_)
      extend_window(page);
    return;
  }
  const auto* const end = end_of(page, top_.epoch);
  const bool belongs = is_same_epoch || (end != nullptr && top_.offset <= end->last);
  const bool is_covered = page.top.offset == top_.offset || page.begin() <= top_.offset;
  if (belongs && is_covered)
    take_continuation(page);
  else if (!reads_all_)
    ask(0);
  else
    take_break(page);
}

void feed::take_continuation(stored_page& page) {
  lineage_ = std::move(page.lineage);
  if (page.top.epoch != top_.epoch) {
    top_.epoch = page.top.epoch;
    sink_.on_break(top_, false);
  }
  const bool has_more = page.top.offset > top_.offset;
  if (reads_all_)
    extend_window(page);
  for (const auto& message : page.publications)
    if (message->offset > top_.offset)
      append(message);
  top_.offset = page.top.offset; // should joins and leaves not be kept at all
  if (has_more)
    sink_.on_gap(true);
}

/// How much of what was told is also the beginning of the history that has `page` as its end: up to where
/// the two left the last epoch that both have had.
std::uint64_t feed::shared_with(const stored_page& page) const {
  auto mine = lineage_;
  mine.push_back({top_.epoch, top_.offset});
  for (auto at = mine.rbegin(); at != mine.rend(); ++at) {
    if (at->epoch == page.top.epoch)
      return std::min(at->last, page.top.offset);
    if (const auto* const end = end_of(page, at->epoch))
      return std::min(at->last, end->last);
  }
  return 0;
}

/// What follows cannot be joined to what was told: tells so, then goes on with all that was not told.
void feed::take_break(stored_page& page) {
  const auto from = std::max(page.begin(), shared_with(page));
  lineage_ = std::move(page.lineage);
  top_ = {page.top.epoch, from};
  forget_window();
  window_.forget_bytes_floor();
  sink_.on_gap(false);
  sink_.on_break(top_, true);
  extend_window(page);
  for (const auto& message : page.publications)
    if (message->offset > top_.offset)
      append(message);
  top_.offset = page.top.offset;
}

void feed::on_removed(const position& up_to) {
  removed_ = up_to;
  drop_removed();
}

/// Nothing older is kept anywhere, then.
void feed::drop_removed() {
  if (!is_live_ || removed_.epoch != top_.epoch || window_.floor() >= removed_.offset)
    return;
  window_.drop_up_to(std::min(removed_.offset, top_.offset));
  window_is_all_ = true;
}

/// Puts what is older than the window, of a read of all that is kept, in front of it.
void feed::extend_window(const stored_page& page) {
  if (page.top.offset < window_.floor())
    return; // it does not reach the window, and cannot tell what there is in between
  window_is_all_ = true;
  window_.extend(page.publications, page.begin(), history_limits_);
}

/// Takes up what the channel brought meanwhile. What was there before the read began and still does not
/// follow is of no history that exists any more.
void feed::drain_live() {
  const auto seen_by_read = std::exchange(live_seen_by_read_, 0);
  auto held = std::exchange(live_, {});
  live_bytes_ = 0;
  for (std::size_t i = 0; i < held.size(); ++i) {
    const auto& live = held[i];
    const bool is_same_epoch = live.epoch == top_.epoch;
    if (is_same_epoch && live.last() <= top_.offset)
      continue;
    if (is_same_epoch && live.first <= top_.offset + 1)
      accept(live);
    else if (i >= seen_by_read)
      hold(std::move(held[i]));
  }
  if (!live_.empty())
    ask(top_.offset);
}

void feed::on_read_failed(broker_errc error) {
  is_reading_ = false;
  has_to_check_ = true; // at the next occasion
  fail_waiting(error);
}

void feed::fail_waiting(broker_errc error) {
  waiting_seen_by_read_ = 0;
  for (auto& who : std::exchange(waiting_, {})) {
    history_page failed;
    failed.error = error;
    who.answer(std::move(failed));
  }
}

void feed::recover(const recover_request& request, handler answer) {
  serve({request, std::move(answer)}, read_since::none);
  // has_to_check_: the first read of the room failed, and this is an occasion for another
  if (!is_reading_ && !waiting_.empty() && (is_live_ || has_to_check_))
    ask_for_waiting();
}

/// Whether a position is one of the history that the room has now.
bool feed::belongs(const position& since) const { return is_of_history(since, top_, lineage_); }

history_page feed::page_after(std::uint64_t offset) const {
  history_page page;
  page.top = top_;
  page.publications = window_.after(offset);
  return page;
}

/// Answers a joiner, or lets it wait for a read.
void feed::serve(joiner&& who, read_since seen) {
  const auto& [since, limit] = who.request;
  bool is_known = is_live_;
  history_page page;
  if (is_live_ && since) {
    const bool is_ours = belongs(*since);
    const bool is_here = is_ours && since->offset >= window_.floor();
    is_known = is_here || seen == read_since::all
               || (is_ours ? window_is_all_ : seen == read_since::position);
    page = page_after(is_here ? since->offset : top_.offset);
    page.recovered = is_here;
  } else if (is_live_) {
    is_known = limit <= window_.message_count() || window_is_all_ || seen == read_since::all;
    page = page_after(limit == 0 ? top_.offset : window_.before_last(limit));
  }
  if (is_known) {
    who.answer(std::move(page));
    return;
  }
  waiting_.push_back(std::move(who));
}

/// The first `seen_by_read` of those that wait came before the read that has just been answered began.
void feed::serve_waiting(std::size_t seen_by_read, read_since seen) {
  auto waiting = std::exchange(waiting_, {});
  for (std::size_t i = 0; i < waiting.size(); ++i)
    serve(std::move(waiting[i]), i < seen_by_read ? seen : read_since::none);
  if (is_reading_) // asked for by what the channel brought, with all of these waiting already
    waiting_seen_by_read_ = waiting_.size();
  else if (!waiting_.empty())
    ask_for_waiting();
}

} // namespace canang::cluster
