#include "actors/turn_answers.hpp"

#include "net/limits.hpp"

#include <utility>

namespace canang::actors {

std::string& turn_answers::of(const net::session_ptr& session, const net::framing& frames) {
  const auto [found, is_first] = places_.try_emplace(session.get(), gathered_.size());
  if (is_first)
    gathered_.push_back({session, &frames, context_.buffers.make()});
  auto& one = gathered_[found->second];
  if (one.bytes->size() >= net::max_turn_buffer_bytes) {
    write(one);
    one.bytes = context_.buffers.make();
  }
  return one.bytes->bytes();
}

void turn_answers::write() {
  if (gathered_.empty())
    return;
  places_.clear();
  for (const auto& one : gathered_)
    write(one);
  gathered_.clear();
}

void turn_answers::write(const answers& one) {
  if (one.bytes->size() == 0)
    return;
  one.frames->finish(one.bytes->bytes());
  one.session->send(one.bytes, 0, one.bytes->size());
}

} // namespace canang::actors
