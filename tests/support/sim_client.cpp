#include "tests/support/sim_client.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace canang::sim {

namespace {

message expected_of(const cluster::publication& stored) {
  return {stored.type == cluster::payload_type::text ? net::frame_type::text
                                                     : net::frame_type::binary,
          stored.data};
}

} // namespace

bool client::stays() const {
  return peer->session != nullptr && peer->session->is_open() && !left_at;
}

bool client::is_for_it(const cluster::publication& message) const {
  return message.echo || message.publisher != id;
}

void client::verify(std::size_t history_kept) {
  if (judged_ == peer->received.size() || asked.format != nullptr)
    return;
  ASSERT_TRUE(joined_at) << "client " << number << " got a message before its join was handled";
  const auto& record = broker->record(asked.room);
  if (!next_)
    next_ =
      *joined_at - std::min({static_cast<std::size_t>(asked.history), history_kept, *joined_at});
  for (; judged_ < peer->received.size(); ++judged_) {
    while (*next_ < record.size() && !is_for_it(*record[*next_]))
      ++*next_;
    const auto& got = peer->received[judged_];
    ASSERT_LT(*next_, left_at.value_or(record.size()))
      << "client " << number << " got \"" << got.payload
      << "\", which is nothing of its room in its time";
    const auto wanted = expected_of(*record[*next_]);
    ASSERT_EQ(got.payload, wanted.payload)
      << "client " << number << ", message " << judged_ << ", offset " << *next_ + 1;
    ASSERT_EQ(got.type, wanted.type) << "client " << number << ", \"" << got.payload << '"';
    ++*next_;
  }
}

void client::verify_complete(std::size_t history_kept) {
  verify(history_kept);
  ASSERT_TRUE(joined_at) << "client " << number << " never became a member";
  const auto& record = broker->record(asked.room);
  auto at = next_.value_or(
    *joined_at - std::min({static_cast<std::size_t>(asked.history), history_kept, *joined_at}));
  for (; at < record.size(); ++at)
    ASSERT_FALSE(is_for_it(*record[at]))
      << "client " << number << " (joined at " << *joined_at << ") lacks offset " << at + 1
      << ", \"" << record[at]->data << '"';
  std::vector<std::string> published;
  for (const auto& stored : record)
    if (stored->publisher == id)
      published.push_back(stored->data);
  ASSERT_EQ(published, sent) << "client " << number << ": what it sent, and what became of it";
  ASSERT_FALSE(peer->reading_is_paused) << "client " << number << " is not read any more";
}

} // namespace canang::sim
