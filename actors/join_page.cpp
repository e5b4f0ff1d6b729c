#include "actors/join_page.hpp"

#include "actors/outgoing.hpp"
#include "base/memory_cost.hpp"
#include "net/limits.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace canang::actors {

join_page::join_page(boost::intrusive_ptr<join_pages> owner, const add_member& request)
  : owner_(std::move(owner)),
    format_(request.format),
    room_(request.room_name),
    epoch_(request.from.epoch),
    messages_(request.recovered),
    own_bytes_(sizeof *this + room_.capacity() + messages_.size() * sizeof(messages_.front())) {
  owner_->charge(own_bytes_);
  for (const auto& message : messages_)
    pinned_bytes_ += owner_->pin(*message);
}

join_page::~join_page() {
  for (std::size_t number = 0; number < pieces_.size(); ++number) {
    assert(pieces_[number].users == 0);
    if (pieces_[number].bytes)
      let_go(number);
  }
  for (const auto& message : messages_)
    owner_->unpin(*message);
  owner_->discharge(own_bytes_);
}

bool join_page::is_for(const add_member& request) const {
  return format_ == request.format && epoch_ == request.from.epoch
         && messages_ == request.recovered;
}

const join_page::piece* join_page::take(std::size_t number) {
  assert(number <= pieces_.size());
  if (number == pieces_.size())
    pieces_.emplace_back();
  auto& taken = pieces_[number];
  if (!taken.bytes)
    encode(taken, number == 0 ? 0 : pieces_[number - 1].end);
  else if (taken.users == 0)
    owner_->idle_.erase(taken.idle);
  if (!taken.bytes) { // nothing was left, or nothing that the protocol has a word for
    pieces_.pop_back();
    return nullptr;
  }
  ++taken.users;
  return &taken;
}

/// Encodes the publications from `begin` on that make a piece.
void join_page::encode(piece& into, std::size_t begin) {
  auto& bytes = owner_->scratch_;
  bytes.clear();
  into.frames = 0;
  into.end = begin;
  while (into.end < messages_.size() && bytes.size() < net::join_piece_bytes) {
    const auto before = bytes.size();
    format_->encode(outgoing_of(into.end++), bytes);
    if (bytes.size() > before)
      ++into.frames;
  }
  owner_->encodings_ += into.end - begin;
  if (!bytes.empty())
    into.bytes = owner_->keep_encoded();
}

net::outgoing_publication join_page::outgoing_of(std::size_t number) const {
  auto one = outgoing(*messages_[number], room_);
  one.epoch = epoch_; // it may have come in one that has ended since
  return one;
}

/// What each message changes of the one before it, once for all members.
void join_page::find_changes() {
  changes_.resize(messages_.size());
  auto bytes = changes_.capacity() * sizeof(std::string);
  const cluster::publication* before = nullptr;
  for (std::size_t i = 0; i < messages_.size(); ++i) {
    const auto& one = *messages_[i];
    if (one.kind != cluster::publication_kind::message)
      continue;
    if (before != nullptr
        && std::max(before->data.size(), one.data.size()) <= net::max_change_bytes)
      format_->language.encode_change(outgoing(*before, room_), outgoing(one, room_), changes_[i]);
    bytes += heap_of(changes_[i]);
    before = &one;
  }
  own_bytes_ += bytes;
  owner_->charge(bytes);
}

std::size_t join_page::encode_reply(net::join_reply reply, std::string& out) {
  using telling = net::outgoing_publication::telling;
  const bool tells_changes = format_->language.tells_changes();
  if (tells_changes && changes_.empty())
    find_changes();
  std::vector<net::outgoing_publication> all;
  all.reserve(messages_.size());
  for (std::size_t i = 0; i < messages_.size(); ++i) {
    auto& one = all.emplace_back(outgoing_of(i));
    if (!tells_changes)
      continue;
    one.change = changes_[i];
    one.told = one.change.empty() ? telling::whole : telling::change;
  }
  reply.at.room = room_;
  reply.at.epoch = epoch_;
  reply.recovered = all;
  format_->encode_join(reply, out);
  return all.size();
}

void join_page::put_back(std::size_t number) noexcept {
  auto& back = pieces_[number];
  assert(back.users > 0);
  if (--back.users > 0)
    return;
  back.idle = owner_->idle(*this, number);
  if (use_count() == 1) // nobody else will come to it
    let_go(number);
}

void join_page::let_go(std::size_t number) noexcept {
  auto& gone = pieces_[number];
  assert(gone.bytes && gone.users == 0);
  owner_->idle_.erase(gone.idle);
  owner_->let_go(gone.bytes->bytes().capacity());
  gone.bytes.reset();
}

} // namespace canang::actors
