#include "actors/join_pages.hpp"

#include "actors/join_page.hpp"
#include "net/limits.hpp"

#include <algorithm>
#include <utility>

namespace canang::actors {

namespace {

/// A publication with its count of references, its place among the pins, and what the allocator rounds up.
std::size_t size_of(const cluster::publication& message) {
  return sizeof message + message.size() + 80;
}

/// One member's way through a page.
class page_reader final : public net::frame_source {
public:
  page_reader(boost::intrusive_ptr<join_page> page, net::counter& deliveries)
    : page_(std::move(page)), deliveries_(deliveries) {}

  ~page_reader() override { put_back(); }

  net::frame_buffer_ptr next() override {
    put_back();
    const auto* const piece = page_->take(next_);
    if (piece == nullptr)
      return nullptr;
    ++next_;
    piece_bytes_ = piece->bytes->size();
    deliveries_.add(piece->frames);
    return piece->bytes;
  }

  std::size_t pinned_bytes() const noexcept override {
    return page_->pinned_bytes() + piece_bytes_;
  }

private:
  void put_back() noexcept {
    if (std::exchange(piece_bytes_, 0) > 0)
      page_->put_back(next_ - 1);
  }

  boost::intrusive_ptr<join_page> page_;
  net::counter& deliveries_;
  std::size_t next_ = 0;        // number of a piece
  std::size_t piece_bytes_ = 0; // of the one before, until it is put back; 0 when there is none
};

} // namespace

/// One member's answer with a page inside: a single piece, made when its turn comes.
class join_pages::reply final : public net::frame_source {
public:
  reply(boost::intrusive_ptr<join_pages> owner, boost::intrusive_ptr<join_page> page,
        const add_member& request)
    : owner_(std::move(owner)),
      page_(std::move(page)),
      offset_(request.from.offset),
      request_(request.request),
      note_(request.note),
      expires_in_s_(request.expires_in_s),
      data_(request.data),
      is_recovered_(request.is_recovered) {}

  ~reply() override { owner_->discharge(encoded_bytes_); }

  net::frame_buffer_ptr next() override {
    if (std::exchange(is_made_, true))
      return nullptr;
    auto answer = owner_->context_.buffers.make();
    owner_->context_.metrics.deliveries_total.add(page_->encode_reply(
      {.request = request_,
       .note = note_,
       .at = {.room = {}, .epoch = {}, .offset = offset_, .recovered = is_recovered_},
       .expires_in_s = expires_in_s_,
       .data = net::told(data_)},
      answer->bytes()));
    answer->trim();
    encoded_bytes_ = answer->capacity();
    owner_->charge(encoded_bytes_);
    return answer->size() == 0 ? nullptr : answer;
  }

  std::size_t pinned_bytes() const noexcept override {
    return page_->pinned_bytes() + encoded_bytes_;
  }

private:
  boost::intrusive_ptr<join_pages> owner_;
  boost::intrusive_ptr<join_page> page_;
  std::uint64_t offset_;
  std::uint32_t request_;
  std::uint8_t note_;
  std::uint32_t expires_in_s_;
  net::hook_data_ptr data_;
  bool is_recovered_;
  bool is_made_ = false;
  std::size_t encoded_bytes_ = 0;
};

join_pages::join_pages(net::loop_context& context) : context_(context) {}

join_pages::~join_pages() = default;

net::frame_source_ptr join_pages::source_of(const add_member& request) {
  if (request.recovered.empty())
    return nullptr;
  if (request.format->language.place_of_recovered() == net::recovered_in::reply)
    return std::make_unique<reply>(boost::intrusive_ptr<join_pages>{this}, page_of(request),
                                   request);
  return std::make_unique<page_reader>(page_of(request), context_.metrics.deliveries_total);
}

/// The page of those who joined at the same place, or a new one.
boost::intrusive_ptr<join_page> join_pages::page_of(const add_member& request) {
  const auto found = std::find_if(recent_.rbegin(), recent_.rend(), [&](const recent_page& known) {
    return known.room == request.room && known.page->is_for(request);
  });
  if (found != recent_.rend()) {
    found->joined_at = now_;
    std::rotate(recent_.rbegin(), found, std::next(found)); // to the end
    return recent_.back().page;
  }
  if (recent_.size() >= net::max_join_pages)
    recent_.erase(recent_.begin());
  recent_.push_back({request.room, new join_page{this, request}, now_});
  return recent_.back().page;
}

void join_pages::forget(room_id room) {
  std::erase_if(recent_, [&](const recent_page& known) { return known.room == room; });
}

void join_pages::forget_all() { recent_.clear(); }

void join_pages::let_go_kept() {
  std::erase_if(recent_, [](const recent_page& known) { return known.page->use_count() == 1; });
  while (!idle_.empty())
    idle_.front().page->let_go(idle_.front().number);
  scratch_ = std::string{};
}

void join_pages::expire(clock::time_point now) {
  now_ = now;
  const auto is_recent = [&](clock::time_point when) { return now - when < net::join_piece_ttl; };
  const auto end = std::find_if(recent_.begin(), recent_.end(), [&](const recent_page& known) {
    return is_recent(known.joined_at);
  });
  recent_.erase(recent_.begin(), end);
  while (!idle_.empty() && !is_recent(idle_.front().since))
    idle_.front().page->let_go(idle_.front().number);
  if (idle_.empty())
    scratch_ = std::string{};
}

/// Counts a publication as held for one more page.
/// @returns its bytes.
std::size_t join_pages::pin(const cluster::publication& message) {
  const auto bytes = size_of(message);
  if (++pins_[&message] == 1)
    charge(bytes);
  return bytes;
}

void join_pages::unpin(const cluster::publication& message) noexcept {
  const auto at = pins_.find(&message);
  if (--at->second > 0)
    return;
  pins_.erase(at);
  discharge(size_of(message));
}

/// What stands in `scratch_` as a buffer that takes no more than it has to.
net::frame_buffer_ptr join_pages::keep_encoded() {
  auto buffer = context_.buffers.make();
  std::string{scratch_}.swap(
    buffer->bytes()); // an assignment of a short one would keep the old memory
  const auto size = buffer->bytes().capacity();
  encoded_bytes_ += size;
  charge(size);
  while (encoded_bytes_ > net::max_join_pieces_bytes && !idle_.empty())
    idle_.front().page->let_go(idle_.front().number);
  return buffer;
}

join_pages::idle_place join_pages::idle(join_page& page, std::size_t number) {
  return idle_.insert(idle_.end(), {&page, number, now_});
}

void join_pages::let_go(std::size_t encoded) noexcept {
  encoded_bytes_ -= encoded;
  discharge(encoded);
}

} // namespace canang::actors
