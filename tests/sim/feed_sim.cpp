#include "cluster/feed.hpp"

#include "tests/support/seeds.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

// Several nodes' feeds of one room, and a model of the Redis that they read: it keeps only the end of the
// history, of joins and leaves a shorter one, is replaced by replicas that lag, is emptied; channels lose what
// they carry. Whatever the order of all that, what a node tells its members must be a piece of one history
// without a gap but for joins and leaves that are not kept, or it has to say where it is not.

namespace canang::sim {
namespace {

using cluster::batch;
using cluster::epoch_end;
using cluster::feed;
using cluster::history_page;
using cluster::position;
using cluster::publication;
using cluster::publication_ptr;
using cluster::stored_page;

constexpr std::size_t kept = 8;
constexpr std::size_t kept_events = 3;
constexpr std::size_t kept_bytes = kept_events * cluster::most_event_bytes;

bool is_event(const std::string& text) { return text.front() == 'j'; }

/// The room as a Redis has it.
struct stored_room {
  position top;
  std::vector<epoch_end> lineage;
  std::deque<publication_ptr> messages;
  std::deque<publication_ptr> events;
  std::uint64_t floor = 0;   ///< messages up to this are gone
  bool life_changed = false; ///< the next one who looks begins a new epoch
};

/// All histories that ever were: what an epoch consists of, from offset 1 to its end.
class truth {
public:
  void begin(const std::string& epoch, const std::string& parent, std::uint64_t fork) {
    auto& content = epochs_[epoch];
    if (!parent.empty())
      content.assign(epochs_[parent].begin(),
                     epochs_[parent].begin() + static_cast<std::ptrdiff_t>(fork));
  }

  void add(const std::string& epoch, const std::string& text) { epochs_[epoch].push_back(text); }

  /// Whether what `a` names is the beginning of what `b` names.
  [[nodiscard]] bool is_prefix(const position& a, const position& b) const {
    const auto& first = epochs_.at(a.epoch);
    const auto& second = epochs_.at(b.epoch);
    return a.offset <= b.offset && a.offset <= first.size() && b.offset <= second.size()
           && std::equal(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(a.offset),
                         second.begin());
  }

  /// Messages from one offset, exclusive, to another.
  [[nodiscard]] std::vector<std::string> messages(const std::string& epoch, std::uint64_t after,
                                                  std::uint64_t last) const {
    std::vector<std::string> found;
    for (auto offset = after + 1; offset <= last; ++offset)
      if (const auto& text = at({epoch, offset}); !is_event(text))
        found.push_back(text);
    return found;
  }

  [[nodiscard]] const std::string& at(const position& where) const {
    return epochs_.at(where.epoch).at(where.offset - 1);
  }

private:
  std::map<std::string, std::vector<std::string>> epochs_;
};

class redis_model {
public:
  explicit redis_model(chance& any) : any_(any) { new_life(); }

  batch publish(std::size_t count, bool are_events) {
    open();
    batch sent;
    sent.epoch = room_.top.epoch;
    sent.first = room_.top.offset + 1;
    auto& target = are_events ? room_.events : room_.messages;
    for (std::size_t i = 0; i < count; ++i) {
      auto message = std::make_shared<publication>();
      message->data = (are_events ? 'j' : 'm') + std::to_string(++messages_);
      message->kind =
        are_events ? cluster::publication_kind::joined : cluster::publication_kind::message;
      message->epoch = room_.top.epoch;
      message->offset = ++room_.top.offset;
      history.add(room_.top.epoch, message->data);
      target.push_back(message);
      sent.publications.push_back(std::move(message));
    }
    for (; room_.messages.size() > kept; room_.messages.pop_front())
      room_.floor = room_.messages.front()->offset;
    while (room_.events.size() > kept_events)
      room_.events.pop_front();
    return sent;
  }

  stored_page read(std::optional<std::uint64_t> after) {
    open();
    stored_page page{room_.top, room_.lineage, {}, room_.floor};
    for (const auto* const kind : {&room_.messages, &room_.events})
      for (const auto& message : *kind)
        if (after && message->offset > std::max(*after, room_.floor))
          page.publications.push_back(message);
    std::sort(page.publications.begin(), page.publications.end(),
              [](const auto& a, const auto& b) { return a->offset < b->offset; });
    return page;
  }

  position where() {
    open();
    return room_.top;
  }

  void take_snapshot() { replica_ = room_; }

  /// A replica that may lag takes over.
  void fail_over() {
    if (!replica_)
      return;
    room_ = *replica_;
    room_.life_changed = true;
  }

  void restart_empty() {
    replica_.reset();
    new_life();
  }

  truth history;

private:
  void open() {
    if (!std::exchange(room_.life_changed, false))
      return;
    room_.lineage.push_back({room_.top.epoch, room_.top.offset});
    auto fresh = "e" + std::to_string(++epochs_);
    history.begin(fresh, room_.top.epoch, room_.top.offset);
    room_.top.epoch = std::move(fresh);
  }

  void new_life() {
    room_ = stored_room{};
    room_.top.epoch = "e" + std::to_string(++epochs_);
    history.begin(room_.top.epoch, {}, 0);
  }

  chance& any_;
  stored_room room_;
  std::optional<stored_room> replica_;
  std::size_t epochs_ = 0;
  std::size_t messages_ = 0;
};

/// A node with its feed, the links that bring it things late, and the judge of what it tells.
class node final : cluster::feed_sink {
public:
  node(redis_model& redis, chance& any) : redis_(redis), any_(any) { feed_.on_subscribed(); }

  void on_channel(const batch& live) {
    if (is_linked_)
      channel_.push_back(live);
  }

  void cut() {
    is_linked_ = false;
    channel_.clear();
  }

  void relink() {
    is_linked_ = true;
    ask_position();
  }

  void ask_position() {
    replies_.push_back([this, at = redis_.where()] { feed_.on_position(at); });
  }

  /// A client of this node, or of another one, comes with what it had last.
  void resume(const position& since, bool must_recover = false) {
    ++asked_;
    feed_.recover({since, 0}, [this, since, must_recover](history_page&& page) {
      EXPECT_TRUE(page.recovered || !must_recover)
        << since.epoch << ':' << since.offset << " is kept, and was not recovered";
      ++answered_;
      ASSERT_EQ(page.error, cluster::broker_errc::none);
      check_page(page);
      if (page.recovered) {
        EXPECT_TRUE(redis_.history.is_prefix(since, page.top))
          << "falsely recovered " << since.epoch << ':' << since.offset << " to " << page.top.epoch
          << ':' << page.top.offset;
        EXPECT_EQ(messages_of(page),
                  redis_.history.messages(page.top.epoch, since.offset, page.top.offset));
      }
    });
  }

  void join(std::size_t limit) {
    ++asked_;
    feed_.recover({std::nullopt, limit}, [this, limit](history_page&& page) {
      ++answered_;
      check_page(page);
      EXPECT_LE(messages_of(page).size(), limit);
    });
  }

  /// One thing arrives, if anything is under way.
  bool step() {
    const auto ready = static_cast<std::size_t>(!channel_.empty()) + !replies_.empty();
    if (ready == 0)
      return false;
    if (!channel_.empty() && (replies_.empty() || any_.one_in(2))) {
      const auto live = std::move(channel_.front());
      channel_.pop_front();
      feed_.on_batch(live);
    } else {
      const auto reply = std::move(replies_.front());
      replies_.pop_front();
      reply();
    }
    return true;
  }

  [[nodiscard]] const position& top() const { return feed_.top(); }
  [[nodiscard]] bool is_live() const { return feed_.is_live(); }
  [[nodiscard]] std::size_t losses() const { return losses_; }
  [[nodiscard]] std::size_t unanswered() const { return asked_ - answered_; }

  /// A position that a member of this node has had.
  std::optional<position> some_position() {
    if (had_.empty())
      return std::nullopt;
    return had_[any_.between(0, had_.size() - 1)];
  }

private:
  void on_publication(const publication_ptr& message) override {
    if (!told_)
      told_ = {feed_.top().epoch, message->offset - 1};
    EXPECT_GT(message->offset, told_->offset);
    EXPECT_EQ(redis_.history.messages(told_->epoch, told_->offset, message->offset - 1),
              std::vector<std::string>{})
      << "a gap that nobody was told of";
    told_ = position{told_->epoch, message->offset};
    EXPECT_EQ(message->data, redis_.history.at(*told_));
    EXPECT_TRUE(all_told_.insert(message->data).second) << message->data << " came twice";
    had_.push_back(*told_);
  }

  void on_break(const position& from, bool is_lost) override {
    if (is_lost) {
      ++losses_;
    } else if (told_) {
      EXPECT_TRUE(redis_.history.is_prefix(*told_, from) && told_->offset == from.offset)
        << "a loss that was called none";
    }
    told_ = from;
    had_.push_back(from);
  }

  void on_gap(bool) override {}

  void want_page(std::optional<std::uint64_t> after) override {
    // Redis answers at some moment between now and then
    if (any_.one_in(2)) {
      replies_.push_back([this, page = redis_.read(after)]() mutable { take(std::move(page)); });
    } else {
      replies_.push_back([this, after] {
        feed_.on_read_begins();
        take(redis_.read(after));
      });
    }
  }

  void take(stored_page&& page) { feed_.on_page(std::move(page)); }

  void check_page(const history_page& page) {
    EXPECT_EQ(page.top.epoch, feed_.top().epoch);
    EXPECT_EQ(page.top.offset, feed_.top().offset);
    std::uint64_t before = 0;
    for (const auto& message : page.publications) {
      EXPECT_GT(message->offset, std::exchange(before, message->offset));
      EXPECT_EQ(message->data, redis_.history.at({page.top.epoch, message->offset}));
    }
    EXPECT_LE(before, page.top.offset);
  }

  static std::vector<std::string> messages_of(const history_page& page) {
    std::vector<std::string> found;
    for (const auto& message : page.publications)
      if (!is_event(message->data))
        found.push_back(message->data);
    return found;
  }

  redis_model& redis_;
  chance& any_;
  std::deque<batch> channel_;
  std::deque<std::function<void()>> replies_;
  std::optional<position> told_;
  std::vector<position> had_;
  std::set<std::string> all_told_;
  std::size_t losses_ = 0;
  std::size_t asked_ = 0;
  std::size_t answered_ = 0;
  bool is_linked_ = true;
  feed feed_{{kept, kept_bytes, 4, 12}, *this};
};

struct world {
  explicit world(std::uint64_t seed) : any(seed), redis(any) {
    for (std::size_t i = any.between(1, 4); i > 0; --i)
      nodes.push_back(std::make_unique<node>(redis, any));
  }

  void publish() {
    const auto sent = redis.publish(any.between(1, 3), any.one_in(3));
    for (const auto& one : nodes)
      one->on_channel(sent);
  }

  void publish_events() {
    for (std::size_t i = 0; i < 2 * kept_events; ++i) {
      const auto sent = redis.publish(1, true);
      for (const auto& one : nodes)
        one->on_channel(sent);
    }
  }

  node& some_node() { return *nodes[any.between(0, nodes.size() - 1)]; }

  void resume_somewhere() {
    if (const auto since = some_node().some_position())
      some_node().resume(*since);
  }

  void some_steps() {
    for (auto steps = any.between(0, 6); steps > 0; --steps)
      some_node().step();
  }

  /// Links are whole again, and everything that is under way arrives.
  void settle() {
    for (const auto& one : nodes)
      one->relink();
    for (int rounds = 0; rounds < 4; ++rounds) {
      for (const auto& one : nodes) {
        std::size_t steps = 0;
        while (one->step())
          ASSERT_LT(++steps, 10'000U) << "it never comes to rest";
        one->ask_position();
      }
    }
    for (const auto& one : nodes) {
      EXPECT_TRUE(one->is_live());
      EXPECT_EQ(one->top(), redis.where());
      EXPECT_EQ(one->unanswered(), 0U) << "a joiner was forgotten";
    }
  }

  chance any;
  redis_model redis;
  std::vector<std::unique_ptr<node>> nodes;
};

TEST(feed, tells_one_gapless_history_over_lossy_channels) {
  for_each_seed(2000, [](std::uint64_t seed) {
    world all{seed};
    for (int i = 0; i < 120; ++i) {
      switch (all.any.between(0, 9)) {
      case 0: all.some_node().cut(); break;
      case 1: all.some_node().relink(); break;
      case 2: all.resume_somewhere(); break;
      case 3: all.some_node().join(all.any.between(0, 10)); break;
      case 4: all.some_node().ask_position(); break;
      default: all.publish(); break;
      }
      all.some_steps();
    }
    all.settle();
  });
}

TEST(feed, loses_nothing_as_long_as_the_history_reaches_back) {
  for_each_seed(1000, [](std::uint64_t seed) {
    world all{seed};
    all.settle();
    for (int i = 0; i < 60; ++i) {
      auto& victim = all.some_node();
      const auto had = victim.top();
      victim.cut();
      if (all.any.one_in(4))
        all.publish_events(); // more than are kept
      for (std::size_t n = all.any.between(0, kept / 3); n > 0; --n) {
        all.publish();
        all.some_steps();
        if (all.any.one_in(3))
          all.some_node().resume(had, true);
      }
      all.settle();
    }
    for (const auto& one : all.nodes)
      EXPECT_EQ(one->losses(), 0U);
  });
}

TEST(feed, never_calls_a_client_recovered_that_has_what_a_failover_lost) {
  std::size_t losses = 0;
  for_each_seed(3000, [&](std::uint64_t seed) {
    world all{seed};
    for (int i = 0; i < 120; ++i) {
      switch (all.any.between(0, 14)) {
      case 0: all.some_node().cut(); break;
      case 1: all.some_node().relink(); break;
      case 2:
      case 3: all.resume_somewhere(); break;
      case 4: all.some_node().join(all.any.between(0, 10)); break;
      case 5: all.some_node().ask_position(); break;
      case 6: all.redis.take_snapshot(); break;
      case 7:
        if (all.any.one_in(3))
          all.redis.fail_over();
        break;
      case 8:
        if (all.any.one_in(12))
          all.redis.restart_empty();
        break;
      default: all.publish(); break;
      }
      all.some_steps();
    }
    all.settle();
    for (const auto& one : all.nodes)
      losses += one->losses();
  });
  EXPECT_TRUE(losses > 0 || is_one_seed()) << "no seed lost anything: it tests nothing";
}

} // namespace
} // namespace canang::sim
