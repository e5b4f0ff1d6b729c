#include "actors/slow_members.hpp"

#include "actors/outgoing.hpp"
#include "net/frame_source.hpp"
#include "net/limits.hpp"

#include <algorithm>
#include <cassert>
#include <memory>
#include <optional>
#include <utility>

namespace canang::actors {

namespace {

bool is_message(const cluster::publication& one) noexcept {
  return one.kind == cluster::publication_kind::message;
}

/// Memory that it takes in a list.
std::size_t cost_of(const cluster::publication& one) noexcept {
  return one.cost() + sizeof(cluster::publication_ptr);
}

} // namespace

/// One member, and how far it has read. Lives as long as its sources.
class slow_members::reader
  : public boost::intrusive_ref_counter<reader, boost::thread_unsafe_counter> {
public:
  reader(boost::intrusive_ptr<slow_members> list, const member& who, place at);
  reader(const reader&) = delete;
  reader& operator=(const reader&) = delete;

  /// What it has not read by now its session did not take.
  ~reader();

  [[nodiscard]] connection_id id() const noexcept { return id_; }
  [[nodiscard]] slow_members& list() const noexcept { return *list_; }

  /// The source whose turn is yet to come, or null.
  [[nodiscard]] source* waiting() const noexcept { return waiting_; }
  void set_waiting(source* last) noexcept { waiting_ = last; }

  /// Where it would end.
  [[nodiscard]] place end() const noexcept { return until_ ? *until_ : list_->end_; }

  [[nodiscard]] bool has_read_all() const noexcept { return at_.number >= end().number; }

  /// See `slow_members::part_here`.
  void part_here() noexcept;

  /// Of what is before that number it is told elsewhere that something may be lost.
  [[nodiscard]] std::uint64_t told_until() const noexcept { return told_until_; }

  /// Reads nothing of what comes from now on.
  void leave() noexcept {
    until_ = end();
    counts_on_all_ = false;
  }

  /// Whether it has to come back. Then it reads nothing more, and its room hears of it.
  bool check_loss();

  /// Appends some of what is before `end`. What is lost before `told_until` has been told of already.
  void read(std::uint64_t end, std::uint64_t told_until, std::string& out);

private:
  void go_to(const place& next) noexcept;
  void skip_lost(std::uint64_t told_until, std::string& out);
  void read_one(const cluster::publication& message, std::string& out);

  boost::intrusive_ptr<slow_members> list_;
  connection_id id_;
  const net::wire_format& format_;
  bool counts_on_all_;
  source* waiting_ = nullptr;
  std::uint64_t told_until_ = 0;
  place at_;
  std::optional<place> until_{}; // of one that has left
};

/// In the queue of a member's session.
class slow_members::source final : public net::frame_source {
public:
  explicit source(boost::intrusive_ptr<reader> of)
    : of_(std::move(of)), told_until_(of_->told_until()) {
    of_->set_waiting(this);
  }
  ~source() override { end_here(); }

  net::frame_buffer_ptr next() override;

  /// It ends where the list ends now.
  void end_here() noexcept {
    if (of_->waiting() != this)
      return;
    of_->set_waiting(nullptr);
    end_ = of_->end().number;
  }

  [[nodiscard]] std::size_t pinned_bytes() const noexcept override {
    return of_->waiting() == this || of_->waiting() == nullptr ? of_->list().bytes() : 0;
  }

private:
  boost::intrusive_ptr<reader> of_;
  std::uint64_t told_until_;                // by what is in front of it
  std::uint64_t end_ = 0;                   // once its turn has come
  std::optional<net::held_buffer> piece_{}; // counted as long as the client is sent it
};

net::frame_buffer_ptr slow_members::source::next() {
  piece_.reset();
  end_here();
  auto bytes = of_->list().context_.buffers.make();
  of_->read(end_, told_until_, bytes->bytes());
  if (bytes->size() == 0)
    return nullptr;
  piece_.emplace(bytes);
  return bytes;
}

// --- a reader

slow_members::reader::reader(boost::intrusive_ptr<slow_members> list, const member& who, place at)
  : list_(std::move(list)),
    id_(who.id),
    format_(who.format),
    counts_on_all_(who.counts_on_all),
    at_(at) {
  ++list_->readers_at(at_.number);
  list_->readers_[id_] = this;
}

slow_members::reader::~reader() {
  list_->context_.metrics.messages_dropped_total.add(end().messages - at_.messages);
  list_->go(at_.number);
  list_->forget(*this);
}

void slow_members::reader::part_here() noexcept {
  if (waiting_ != nullptr)
    waiting_->end_here();
  told_until_ = end().number;
}

void slow_members::reader::go_to(const place& next) noexcept {
  list_->move(at_.number, next.number);
  at_ = next;
}

bool slow_members::reader::check_loss() {
  if (!counts_on_all_ || at_.number >= list_->lost_until_)
    return false;
  leave();
  list_->count_lost(until_->messages - at_.messages);
  go_to(*until_);
  list_->listener_.on_loss(list_->room_, id_);
  return true;
}

/// Where all that is left for this source is lost, the next one tells.
void slow_members::reader::read(std::uint64_t end, std::uint64_t told_until, std::string& out) {
  if (check_loss() || std::max(at_.number, list_->first_.number) >= end)
    return;
  if (at_.number < list_->first_.number)
    skip_lost(told_until, out);
  auto next = at_;
  while (next.number < end && out.size() < net::join_piece_bytes) {
    const auto& message = *list_->list_[next.number - list_->first_.number].message;
    read_one(message, out);
    next = {next.number + 1, next.messages + (is_message(message) ? 1U : 0U)};
  }
  go_to(next);
}

/// What skips the history is not missed; and who has no word for a loss is not told.
void slow_members::reader::skip_lost(std::uint64_t told_until, std::string& out) {
  list_->count_lost(list_->first_.messages - at_.messages);
  const auto& lost = list_->lost_at_;
  if (std::max(at_.number, told_until) < list_->lost_until_)
    static_cast<void>(format_.encode_break(
      {.room = list_->name_, .epoch = lost.epoch, .offset = lost.offset}, out));
  go_to(list_->first_);
}

/// Also who is told changes is told it whole: what it had before may be lost.
void slow_members::reader::read_one(const cluster::publication& message, std::string& out) {
  if (message.publisher == id_ && !message.echo)
    return;
  const auto before = out.size();
  auto one = outgoing(message, list_->name_);
  if (is_message(message) && format_.language.tells_changes())
    one.told = net::outgoing_publication::telling::whole;
  format_.encode(one, out);
  if (out.size() > before)
    list_->context_.metrics.deliveries_total.add(1);
}

// --- the list

slow_members::slow_members(net::loop_context& context, room_id room, std::string name,
                           cluster::slow_consumers policy, loss_listener& listener)
  : context_(context), room_(room), name_(std::move(name)), policy_(policy), listener_(listener) {}

slow_members::~slow_members() {
  end_turn();
  assert(readers_.empty() && list_.empty());
}

void slow_members::keep_for(const member& who) {
  take_turn();
  const auto found = readers_.find(who.id);
  const boost::intrusive_ptr<reader> one{
    found == readers_.end() ? new reader{this, who, turn_began_} : found->second};
  if (!one->check_loss() && one->waiting() == nullptr)
    who.session.send_reply(context_.buffers.make(), std::make_unique<source>(one));
}

void slow_members::end_turn() noexcept {
  turn_.clear();
  if (std::exchange(is_turn_taken_, false))
    go(turn_began_.number);
}

void slow_members::part_here() noexcept {
  for (const auto& [id, one] : readers_)
    one->part_here();
}

bool slow_members::may_lose(connection_id who) const noexcept {
  const auto found = readers_.find(who);
  return found != readers_.end() && !found->second->has_read_all();
}

void slow_members::leave(connection_id who) {
  const auto found = readers_.find(who);
  if (found == readers_.end())
    return;
  found->second->leave();
  readers_.erase(found);
}

void slow_members::leave_all() {
  for (const auto& [id, one] : readers_)
    if (!one->check_loss())
      one->leave();
  readers_.clear();
}

void slow_members::let_go() {
  while (list_.size() > 1)
    lose_first();
  for (const auto& [id, one] : readers_)
    one->check_loss();
}

/// Puts the turn's publications into the list: the first member of the turn to wait has come. They are held there
/// for the others until the turn ends.
void slow_members::take_turn() {
  if (std::exchange(is_turn_taken_, true))
    return;
  turn_began_ = end_;
  ++readers_at(turn_began_.number);
  for (auto& message : std::exchange(turn_, {}))
    append(std::move(message));
}

/// One is kept in any case, whatever its size.
void slow_members::append(cluster::publication_ptr&& message) {
  const bool is_said = is_message(*message);
  while (is_said && policy_ == cluster::slow_consumers::latest && !list_.empty())
    lose_first();
  const auto cost = cost_of(*message);
  bytes_ += cost;
  context_.metrics.outbox_memory_bytes.add(cost);
  end_ = {end_.number + 1, end_.messages + (is_said ? 1U : 0U)};
  list_.push_back({std::move(message), std::exchange(readers_at_end_, 0)});
  while (bytes_ > context_.limits.max_outbox_bytes && list_.size() > 1)
    lose_first();
}

void slow_members::take_first() noexcept {
  const auto& message = *list_.front().message;
  const auto cost = cost_of(message);
  bytes_ -= cost;
  context_.metrics.outbox_memory_bytes.subtract(cost);
  first_ = {first_.number + 1, first_.messages + (is_message(message) ? 1U : 0U)};
  list_.pop_front();
}

/// Those who were to read it stand at the next one now, and have lost it.
void slow_members::lose_first() {
  const auto& [message, readers] = list_.front();
  const auto moved = readers;
  if (message->offset != 0) {
    lost_until_ = first_.number + 1;
    lost_at_.epoch = std::string_view{message->epoch};
    lost_at_.offset = message->offset;
  }
  take_first();
  readers_at(first_.number) += moved;
}

/// Who has lost what it was to read stands at the first one.
std::uint32_t& slow_members::readers_at(std::uint64_t number) noexcept {
  const auto index = std::max(number, first_.number) - first_.number;
  return index < list_.size() ? list_[index].readers : readers_at_end_;
}

void slow_members::move(std::uint64_t from, std::uint64_t to) noexcept {
  ++readers_at(to);
  go(from);
}

/// Whoever stood there goes on, and with the last one what nobody is to read any more.
void slow_members::go(std::uint64_t from) noexcept {
  --readers_at(from);
  while (!list_.empty() && list_.front().readers == 0)
    take_first();
}

void slow_members::forget(const reader& gone) noexcept {
  const auto found = readers_.find(gone.id());
  if (found != readers_.end() && found->second == &gone)
    readers_.erase(found);
}

void slow_members::count_lost(std::uint64_t messages) noexcept {
  const auto why = policy_ == cluster::slow_consumers::latest ? net::slow_loss::latest
                                                              : net::slow_loss::drop_oldest;
  context_.metrics.slow_lost_total[static_cast<std::size_t>(why)].add(messages);
}

} // namespace canang::actors
