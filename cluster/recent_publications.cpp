#include "cluster/recent_publications.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace canang::cluster {

namespace {

bool comes_before(std::uint64_t offset, const publication_ptr& message) noexcept {
  return offset < message->offset;
}

bool is_older(const publication_ptr& a, const publication_ptr& b) noexcept {
  return a->offset < b->offset;
}

} // namespace

std::size_t events_kept(std::size_t messages, std::size_t message_bytes) noexcept {
  return std::min(messages, message_bytes / most_event_bytes);
}

void recent_publications::reset(std::uint64_t offset) {
  messages_.clear();
  messages_.shrink_to_fit();
  events_.reset();
  message_bytes_ = event_bytes_ = publications_cost_ = 0;
  floor_ = offset;
}

void recent_publications::drop_up_to(std::uint64_t offset) {
  while (!messages_.empty() && messages_.front()->offset <= offset)
    drop_oldest_message();
  while (event_count() > 0 && events_->front()->offset <= offset)
    drop_oldest_event();
  floor_ = std::max(floor_, offset);
}

void recent_publications::note_added(const publication& message) noexcept {
  (message.kind == publication_kind::message ? message_bytes_ : event_bytes_) +=
    message.data.size();
  publications_cost_ += message.cost() + place_cost;
}

void recent_publications::note_dropped(const publication& message) noexcept {
  (message.kind == publication_kind::message ? message_bytes_ : event_bytes_) -=
    message.data.size();
  publications_cost_ -= message.cost() + place_cost;
}

void recent_publications::push_back(publication_ptr message, const history_limits& limits) {
  note_added(*message);
  if (message->kind == publication_kind::message) {
    messages_.push_back(std::move(message));
  } else {
    if (!events_)
      events_ = std::make_unique<list>();
    events_->push_back(std::move(message));
  }
  trim(limits);
}

void recent_publications::trim(const history_limits& limits) {
  while (!messages_.empty()
         && (messages_.size() > limits.messages || message_bytes_ > limits.message_bytes)) {
    if (messages_.size() <= limits.messages)
      bytes_floor_ = messages_.front()->offset;
    drop_oldest_message();
  }
  while (event_count() > limits.events)
    drop_oldest_event();
  while (cost() > limits.cost && !empty()) {
    if (messages_.empty())
      drop_oldest_event();
    else
      drop_oldest_message();
  }
}

void recent_publications::drop_oldest_message() {
  floor_ = messages_.front()->offset;
  note_dropped(*messages_.front());
  messages_.pop_front();
  while (event_count() > 0 && events_->front()->offset < floor_)
    drop_oldest_event();
}

void recent_publications::drop_oldest_event() {
  note_dropped(*events_->front());
  events_->pop_front();
  if (events_->empty())
    events_.reset();
}

void recent_publications::extend(const std::vector<publication_ptr>& older, std::uint64_t floor,
                                 const history_limits& limits) {
  const auto end = std::upper_bound(older.begin(), older.end(), floor_, comes_before);
  const std::reverse_iterator newest{end};
  const std::reverse_iterator oldest{older.begin()};
  auto at = newest;
  for (; at != oldest; ++at) {
    const auto& message = *at;
    if (message->kind != publication_kind::message)
      continue;
    if (messages_.size() >= limits.messages
        || message_bytes_ + message->data.size() > limits.message_bytes)
      break;
    note_added(*message);
    messages_.push_front(message);
  }
  const auto reached = at == oldest ? floor : (*at)->offset;
  for (auto event = newest; event != at && event_count() < limits.events; ++event) {
    if ((*event)->kind == publication_kind::message)
      continue;
    if (!events_)
      events_ = std::make_unique<list>();
    note_added(**event);
    events_->push_front(*event);
  }
  floor_ = std::min(floor_, reached);
}

std::vector<publication_ptr> recent_publications::after(std::uint64_t offset) const {
  const auto from = std::upper_bound(messages_.begin(), messages_.end(), offset, comes_before);
  std::vector<publication_ptr> all;
  if (!events_) {
    all.assign(from, messages_.end());
    return all;
  }
  const auto first = std::upper_bound(events_->begin(), events_->end(), offset, comes_before);
  all.reserve(static_cast<std::size_t>((messages_.end() - from) + (events_->end() - first)));
  std::merge(from, messages_.end(), first, events_->end(), std::back_inserter(all), is_older);
  return all;
}

std::uint64_t recent_publications::before_last(std::size_t count) const noexcept {
  if (count < messages_.size())
    return messages_[messages_.size() - count - 1]->offset;
  return floor_;
}

} // namespace canang::cluster
