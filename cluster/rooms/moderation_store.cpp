#include "cluster/rooms/moderation_store.hpp"

#include "cluster/epoch.hpp"
#include "cluster/rooms/room_scripts.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace canang::cluster {

namespace {

constexpr std::chrono::seconds read_interval{1};

/// Changes of a page: a node that comes holds Redis up for less than a millisecond at a time.
constexpr std::size_t changes_a_page = 512;

/// How much is remembered of what was lifted: a node that missed more reads all.
constexpr std::size_t most_dropped = 1024;

/// Who waits for a read at a time; the commands of other nodes are bounded too.
constexpr std::size_t most_waiting = 4096;

std::string key_of(std::string_view prefix, std::string_view what) {
  std::string key{prefix};
  key += ":{moderation}:";
  key += what;
  return key;
}

std::string_view word_for(act_write::what does) noexcept {
  switch (does) {
  case act_write::what::put: return "put";
  case act_write::what::restore: return "restore";
  case act_write::what::redrop: return "redrop";
  case act_write::what::drop: break;
  }
  return "drop";
}

act_stored outcome_of(const redis_reply& came) noexcept {
  if (!came.is_integer())
    return act_stored::failed;
  return came.integer() > 0   ? act_stored::done
         : came.integer() < 0 ? act_stored::full
                              : act_stored::absent;
}

std::uint64_t number_in(const redis_reply& text) noexcept {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(text.integer(), 0));
}

} // namespace

act_keys::act_keys(std::string_view prefix)
  : about(key_of(prefix, "about")),
    acts(key_of(prefix, "acts")),
    numbers(key_of(prefix, "numbers")),
    ends(key_of(prefix, "ends")),
    dropped(key_of(prefix, "dropped")),
    lifted(key_of(prefix, "lifted")) {}

act_ptr read_act(std::string_view key, std::string_view stored, std::uint64_t now_ms,
                 moderation_act::clock::time_point now) {
  auto about = read_act_key(key);
  const auto said = read_stored_act(stored);
  if (!about || !said)
    return nullptr;
  auto ends_at = moderation_act::clock::time_point::max();
  if (said->ends_ms != 0) {
    constexpr std::chrono::milliseconds longest = max_act_time;
    const auto left = said->ends_ms > now_ms ? said->ends_ms - now_ms : 0;
    ends_at = now
              + std::chrono::milliseconds{static_cast<std::int64_t>(
                std::min(left, static_cast<std::uint64_t>(longest.count())))};
  }
  return make_act(std::move(*about), std::string{said->reason}, said->made_ms, ends_at);
}

std::optional<act_page> read_act_page(const redis_reply& reply,
                                      moderation_act::clock::time_point now) {
  constexpr std::size_t head = 6;
  if (!reply.is_array() || reply.size() < head || reply.size() % 2 != 0
      || reply.size() > head + 2 * changes_a_page)
    return std::nullopt;
  act_page page{.life = std::string{reply[0].text()},
                .last = number_in(reply[1]),
                .is_new = reply[2].integer() == 1,
                .up_to = number_in(reply[3]),
                .has_more = reply[4].integer() == 1};
  const auto now_ms = number_in(reply[5]);
  for (std::size_t i = head; i < reply.size(); i += 2) {
    const auto key = reply[i].text();
    const auto stored = reply[i + 1].text();
    if (key.size() > max_act_key_bytes) {
      ++page.bad;
      continue;
    }
    const auto lifted = read_lifted(stored);
    auto act = stored.empty() || lifted ? nullptr : read_act(key, stored, now_ms, now);
    page.bad += !stored.empty() && !lifted && !act ? 1U : 0U;
    page.changes.push_back({std::string{key}, std::move(act), lifted.value_or(0)});
  }
  return page;
}

moderation_store::moderation_store(redis_room_services& services)
  : services_(services), at_(services.prefix) {}

std::array<std::string_view, 6> moderation_store::keys() const noexcept {
  return {at_.about, at_.acts, at_.numbers, at_.ends, at_.dropped, at_.lifted};
}

void moderation_store::tick() {
  if (!calls_.on_news || is_reading_ || !services_.shard.can_command())
    return;
  const auto now = services_.now();
  if (!is_known_ || !waiting_.empty() || now - read_at_ >= read_interval)
    read();
}

/// What was missed meanwhile must not wait.
void moderation_store::on_up() {
  if (calls_.on_news && !is_reading_)
    read();
}

void moderation_store::reread(std::function<void()> done) {
  if (waiting_.size() < most_waiting)
    waiting_.push_back(std::move(done));
  if (calls_.on_news && !is_reading_ && services_.shard.can_command())
    read();
}

void moderation_store::read() {
  is_reading_ = true;
  read_at_ = services_.now();
  gathered_ = {};
  answered_.insert(answered_.end(), std::make_move_iterator(waiting_.begin()),
                   std::make_move_iterator(waiting_.end()));
  waiting_.clear();
  reads_ = known_;
  ask(known_.up_to);
}

void moderation_store::ask(std::uint64_t base) {
  base_ = base;
  const decimal since{reads_.up_to};
  const decimal from{base};
  const decimal most{std::uint64_t{changes_a_page}};
  const std::string_view arguments[]{reads_.life, since.text(), from.text(), most.text(),
                                     services_.options.uses_lineage ? "1" : "0"};
  services_.shard.run(
    room_scripts().acts_read, keys(), arguments,
    [this, alive = std::weak_ptr<bool>{is_alive_}](redis_errc error, const redis_reply& reply) {
      if (alive.expired())
        return;
      auto page = error == redis_errc::none ? read_act_page(reply, services_.now()) : std::nullopt;
      if (page) {
        on_page(std::move(*page));
        return;
      }
      if (error == redis_errc::none)
        services_.complain(reply.is_error() ? reply.text() : "the acts cannot be read");
      end_read(false);
    });
}

void moderation_store::on_page(act_page&& page) {
  if (page.bad > 0 && calls_.on_bad)
    calls_.on_bad(page.bad);
  const bool begins = page.is_new || (!is_known_ && !gathered_.is_whole);
  if (begins) {
    gathered_.changes.clear();
    gathered_.was_lost = is_known_ && (page.life != known_.life || known_.up_to > page.last);
    gathered_.is_whole = true;
    base_ = page.last;
    reads_.life = page.life;
  }
  reads_.up_to = page.up_to;
  std::move(page.changes.begin(), page.changes.end(), std::back_inserter(gathered_.changes));
  if (page.has_more)
    ask(base_);
  else
    end_read(true);
}

/// One that failed half-way has told nobody what it found: the next one begins where it did.
void moderation_store::end_read(bool is_good) {
  is_reading_ = false;
  auto news = std::exchange(gathered_, {});
  if (!is_good) {
    waiting_.insert(waiting_.end(), std::make_move_iterator(answered_.begin()),
                    std::make_move_iterator(answered_.end()));
    answered_.clear();
    return;
  }
  is_known_ = true;
  known_ = std::exchange(reads_, {});
  if (news.is_whole || !news.changes.empty())
    calls_.on_news(std::move(news));
  for (const auto& done : std::exchange(answered_, {}))
    done();
  if (!waiting_.empty())
    read();
}

void moderation_store::write(const std::vector<act_write>& what,
                             std::function<void(std::vector<act_stored>&&)> handler) {
  const auto life = make_epoch();
  const decimal most{std::uint64_t{max_acts}};
  const decimal remembered{std::uint64_t{most_dropped}};
  std::vector<std::string> numbers;
  numbers.reserve(2 * what.size()); // the views need them to stay where they are
  std::vector<std::string_view> arguments{life, most.text(), remembered.text()};
  for (const auto& one : what) {
    const auto& made = numbers.emplace_back(std::to_string(one.made_ms));
    const auto& lasts = numbers.emplace_back(std::to_string(one.lasts.count()));
    arguments.insert(arguments.end(), {word_for(one.does), one.key, made, lasts, one.reason});
  }
  services_.shard.run(room_scripts().acts_write, keys(), arguments,
                      [this, alive = std::weak_ptr<bool>{is_alive_}, count = what.size(),
                       handler = std::move(handler)](redis_errc error, const redis_reply& reply) {
                        std::vector<act_stored> came(count, act_stored::failed);
                        if (error == redis_errc::none && reply.is_error() && !alive.expired())
                          services_.complain(reply.text());
                        for (std::size_t i = 0; error == redis_errc::none && i < count; ++i)
                          came[i] = outcome_of(reply[i]);
                        handler(std::move(came));
                      });
}

} // namespace canang::cluster
