#include "cluster/moderation/desk.hpp"

#include "base/unix_time.hpp"

#include <algorithm>

namespace canang::cluster {

namespace {

/// Acts about addresses that are looked for one by one: for more at once all connections are looked at once.
constexpr std::size_t most_looked_for = 4;

/// Of a call that gives Redis back what it has lost.
constexpr std::size_t acts_a_call = 64;

constexpr std::uint64_t no_ticket = 0;

moderation_act::clock::time_point end_after(std::chrono::milliseconds lasts,
                                            moderation_act::clock::time_point now) {
  return lasts.count() == 0 ? moderation_act::clock::time_point::max() : now + lasts;
}

act_write giving_back(const lost_act& lost, moderation_act::clock::time_point now) {
  if (!lost.act)
    return {.does = act_write::what::redrop, .key = lost.key, .made_ms = lost.made_ms};
  const auto ends_at = lost.act->ends_at;
  const auto left = ends_at == moderation_act::clock::time_point::max()
                      ? std::chrono::milliseconds{0}
                      : std::chrono::ceil<std::chrono::milliseconds>(ends_at - now);
  return {.does = act_write::what::restore,
          .key = lost.key,
          .made_ms = lost.made_ms,
          .lasts = left,
          .reason = lost.act->reason};
}

std::size_t& of(std::array<std::size_t, 4>& counts, act_stored what) {
  return counts[static_cast<std::size_t>(what)];
}

} // namespace

moderation_desk::moderation_desk(moderation_staff& staff, moderation_source& source,
                                 moderation_metrics& metrics,
                                 std::function<clock::time_point()> now)
  : staff_(staff),
    source_(source),
    metrics_(metrics),
    now_(std::move(now)),
    book_(source, metrics) {}

// --- orders

void moderation_desk::order(moderation_wish&& wish, moderation_handler handler) {
  if (orders_.size() >= max_orders) {
    metrics_.failed.add(1);
    handler({.error = moderation_errc::busy});
  } else if (staff_.ways() == 0) {
    store_alone(std::move(wish), std::move(handler));
  } else {
    store(wish, std::move(handler));
  }
}

/// Of two orders of this node the later one is told from the earlier one, however soon it follows; and from one of
/// another node whose clock is ahead, when this node knows of that.
act_write moderation_desk::write_of(const moderation_wish& wish) {
  auto key = to_text(wish.key);
  last_made_ms_ = std::max(
    {static_cast<std::uint64_t>(unix_ms()), last_made_ms_ + 1, book_.last_made_ms(key) + 1});
  return {.does = wish.is_lifted ? act_write::what::drop : act_write::what::put,
          .key = std::move(key),
          .made_ms = last_made_ms_,
          .lasts = wish.lasts,
          .reason = wish.reason};
}

/// All Redis have all acts, so that each of them can tell a node that comes.
void moderation_desk::store(const moderation_wish& wish, moderation_handler&& handler) {
  const auto what = write_of(wish);
  const auto ticket = ++last_ticket_;
  orders_.emplace(ticket, pending{.what = what,
                                  .handler = std::move(handler),
                                  .was_there = wish.is_lifted && book_.has(what.key),
                                  .left = staff_.ways()});
  for (std::size_t way = 0; way < staff_.ways(); ++way)
    staff_.write(way, ticket, {what});
}

void moderation_desk::store_alone(moderation_wish&& wish, moderation_handler&& handler) {
  const auto what = write_of(wish);
  const bool was_there = book_.has(what.key);
  if (!wish.is_lifted && !was_there && book_.size() >= max_acts) {
    metrics_.failed.add(1);
    handler({.error = moderation_errc::full});
    return;
  }
  (wish.is_lifted ? metrics_.lifted : metrics_.made).add(1);
  act_news news;
  news.changes.push_back({what.key, wish.is_lifted
                                      ? nullptr
                                      : make_act(std::move(wish.key), what.reason, what.made_ms,
                                                 end_after(what.lasts, now_()))});
  on_news(0, std::move(news));
  tell(what, was_there, std::move(handler));
}

void moderation_desk::on_written(std::uint64_t ticket, const std::vector<act_stored>& came_of_it) {
  if (on_given_back(ticket, came_of_it))
    return;
  const auto found = orders_.find(ticket);
  if (found == orders_.end() || came_of_it.empty())
    return;
  auto& order = found->second;
  ++of(order.came_of_it, came_of_it.front());
  if (--order.left > 0)
    return;
  auto whole = std::move(order);
  orders_.erase(found);
  finish(std::move(whole));
}

/// What one Redis has is in force. What is lifted is not before all have dropped it: who reads the one that has not
/// would know it still. There was something to lift where a Redis had it, or has lost it, so that this node knew it.
void moderation_desk::finish(pending&& order) {
  auto& counts = order.came_of_it;
  const auto done = of(counts, act_stored::done);
  auto error = moderation_errc::none;
  const bool is_lifted = order.what.does == act_write::what::drop;
  if (is_lifted)
    error = of(counts, act_stored::failed) > 0 ? moderation_errc::unavailable : error;
  else if (done == 0)
    error = of(counts, act_stored::full) > 0 ? moderation_errc::full : moderation_errc::unavailable;
  if (error != moderation_errc::none) {
    metrics_.failed.add(1);
    order.handler({.error = error});
    return;
  }
  (is_lifted ? metrics_.lifted : metrics_.made).add(1);
  tell(order.what, done > 0 || order.was_there, std::move(order.handler));
}

void moderation_desk::tell(const act_write& what, bool was_there, moderation_handler&& handler) {
  staff_.tell_all(read_acts{.key = what.key,
                            .made_ms = what.made_ms,
                            .is_lifted = what.does == act_write::what::drop},
                  [was_there, handler = std::move(handler)](control_result&& nodes) {
                    handler({.was_there = was_there, .nodes = std::move(nodes)});
                  });
}

// --- what Redis tell

void moderation_desk::on_news(std::size_t way, act_news&& news) {
  const bool is_first = !source_.is_known();
  for (const auto& one : news.changes)
    if (const auto own = endings_.find(one.key);
        !one.act && own != endings_.end() && own->second.is_over)
      forget_ending(one.key); // what is lifted ends nothing
  const auto came = book_.take(way, std::move(news), now_());
  source_.set_known();
  if (!is_first) // nobody was let in before
    end_what_is_forbidden(came.begun);
  give_back(way);
  answer_late();
  sleep();
}

void moderation_desk::on_due() {
  end_what_is_forbidden(book_.end_due(now_()).begun);
  if (gives_at_ <= now_()) {
    gives_at_ = clock::time_point::max();
    for (std::size_t way = 0; way < staff_.ways(); ++way)
      give_back(way);
  }
  sleep();
}

void moderation_desk::sleep() {
  const auto next = std::min(book_.next_end().value_or(clock::time_point::max()), gives_at_);
  if (next != clock::time_point::max())
    staff_.wake_at(next);
}

// --- what Redis have lost

/// Some of it. What fails is tried again, and so is what Redis says it need not have, until its news tell why.
void moderation_desk::give_back(std::size_t way) {
  givings_.resize(std::max(givings_.size(), staff_.ways()));
  if (way >= givings_.size() || !book_.has_lost(way))
    return;
  const auto now = now_();
  gives_at_ = std::min(gives_at_, now + give_back_interval);
  auto& own = givings_[way];
  if (own.ticket != no_ticket || !staff_.is_up(way))
    return;
  own.what = book_.lost(way, own.after, acts_a_call, now);
  own.after = own.what.size() == acts_a_call ? own.what.back().key : std::string{};
  if (own.what.empty())
    return;
  std::vector<act_write> writes;
  for (const auto& one : own.what)
    writes.push_back(giving_back(one, now));
  own.ticket = ++last_ticket_;
  staff_.write(way, own.ticket, std::move(writes));
}

bool moderation_desk::on_given_back(std::uint64_t ticket,
                                    const std::vector<act_stored>& came_of_it) {
  const auto found = std::find_if(givings_.begin(), givings_.end(),
                                  [ticket](const auto& one) { return one.ticket == ticket; });
  if (found == givings_.end())
    return false;
  const auto way = static_cast<std::size_t>(found - givings_.begin());
  found->ticket = no_ticket;
  const auto what = std::exchange(found->what, {});
  bool is_good = came_of_it.size() == what.size();
  for (std::size_t i = 0; i < std::min(what.size(), came_of_it.size()); ++i) {
    is_good = is_good && (came_of_it[i] == act_stored::done || came_of_it[i] == act_stored::absent);
    if (came_of_it[i] != act_stored::done)
      continue;
    book_.given_back(way, what[i]);
    metrics_.put_back.add(what[i].act ? 1 : 0);
  }
  if (is_good && !found->after.empty())
    give_back(way);
  sleep();
  return true;
}

// --- what it ends here

/// Mutes and lockdowns end nothing: whoever publishes next is told.
void moderation_desk::end_what_is_forbidden(const std::vector<act_ptr>& acts) {
  std::vector<act_ptr> of_addresses;
  for (const auto& act : acts) {
    if (act->key.kind != act_kind::ban)
      continue;
    if (act->key.target == act_target::address)
      of_addresses.push_back(act);
    else
      begin_ending({act});
  }
  if (of_addresses.size() > most_looked_for) {
    begin_ending(of_addresses);
    return;
  }
  for (const auto& act : of_addresses)
    begin_ending({act});
}

void moderation_desk::begin_ending(const std::vector<act_ptr>& acts) {
  const auto ticket = ++last_ticket_;
  auto& keys = ended_by_[ticket];
  for (const auto& act : acts) {
    keys.push_back(act->text);
    auto& own = endings_[act->text];
    own.count = 0;
    own.is_over = false;
    endings_in_order_.erase(own.place);
    own.place = ++last_place_;
    endings_in_order_.emplace(own.place, act->text);
  }
  staff_.end_connections(ticket, acts);
  forget_oldest_endings();
}

void moderation_desk::forget_ending(std::string_view key) {
  const auto found = endings_.find(key);
  endings_in_order_.erase(found->second.place);
  endings_.erase(found);
}

/// Those that commands wait for are as bounded as these.
void moderation_desk::forget_oldest_endings() {
  for (auto oldest = endings_in_order_.begin(); endings_.size() > max_remembered;) {
    if (oldest == endings_in_order_.end())
      return;
    const auto key = (oldest++)->second;
    if (endings_.find(key)->second.waiting.empty())
      forget_ending(key);
  }
}

void moderation_desk::on_ended(std::uint64_t ticket, std::uint64_t count) {
  const auto found = ended_by_.find(ticket);
  if (found == ended_by_.end())
    return;
  const auto keys = std::move(found->second);
  ended_by_.erase(found);
  metrics_.ended.add(count);
  for (const auto& key : keys) {
    const auto own = endings_.find(key);
    if (own == endings_.end())
      continue;
    own->second.is_over = true;
    own->second.count = count;
    for (auto& done : std::exchange(own->second.waiting, {}))
      done(count);
  }
}

// --- commands of nodes

void moderation_desk::execute(const read_acts& command, done_handler done) {
  std::size_t asked = 0;
  const auto ticket = ++last_ticket_;
  for (std::size_t way = 0; way < staff_.ways(); ++way)
    asked += staff_.is_up(way) ? 1U : 0U;
  if (asked == 0) {
    if (staff_.ways() == 0)
      answer(command.key, std::move(done));
    return; // cut off: whoever sent this is not told that it is known here
  }
  if (readings_.size() >= max_rereads)
    readings_.erase(readings_.begin());
  readings_.emplace(ticket, reading{.command = command,
                                    .done = std::move(done),
                                    .left = asked,
                                    .is_whole = asked == staff_.ways()});
  for (std::size_t way = 0; way < staff_.ways(); ++way)
    if (staff_.is_up(way))
      staff_.reread(way, ticket);
}

void moderation_desk::on_reread(std::uint64_t ticket) {
  const auto found = readings_.find(ticket);
  if (found == readings_.end() || --found->second.left > 0)
    return;
  if (is_read(found->second)) {
    const auto whole = readings_.extract(found);
    answer(whole.mapped().command.key, std::move(whole.mapped().done));
  } // else it waits for a Redis that is away: maybe that is back in time
}

bool moderation_desk::is_read(const reading& one) const {
  const auto& what = one.command;
  return one.left == 0 && (one.is_whole || book_.goes_by(what.key, what.made_ms, what.is_lifted));
}

/// Commands whose order a Redis has told that was away when they came.
void moderation_desk::answer_late() {
  std::vector<reading> late;
  for (auto one = readings_.begin(); one != readings_.end();) {
    if (is_read(one->second)) {
      late.push_back(std::move(one->second));
      one = readings_.erase(one);
    } else {
      ++one;
    }
  }
  for (auto& one : late)
    answer(one.command.key, std::move(one.done));
}

/// Maybe an earlier read has brought the act, and it has ended its connections by now, or is about to.
void moderation_desk::answer(const std::string& key, done_handler&& done) {
  const auto own = endings_.find(key);
  if (own == endings_.end())
    done(0);
  else if (own->second.is_over)
    done(own->second.count);
  else
    own->second.waiting.push_back(std::move(done));
}

} // namespace canang::cluster
